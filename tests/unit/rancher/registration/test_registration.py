"""The cluster's registration: from nothing, again, after trouble, and out again."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown

from components.rancher.agent.manifest import read_manifest
from components.rancher.api.ca import ca_checksum
from components.rancher.api.errors import (
    CertificateMismatchError,
    ClusterNameTakenError,
    ManifestMismatchError,
    NotReadyError,
    RancherError,
    WrongPasswordError,
)
from components.rancher.registration.active import RancherClusterActiveProvider
from components.rancher.registration.registration import RancherRegistrationProvider
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import (
    ADMIN,
    BOOTSTRAP,
    agent_says,
    client,
    registration_inputs,
    running,
    url_of,
)

pytestmark = pytest.mark.usefixtures("impatient")

PROVIDER = RancherRegistrationProvider()


def registered(inputs: dict[str, Any]) -> dict[str, Any]:
    outs = PROVIDER.create(inputs).outs
    assert outs is not None
    return outs


def updated(olds: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    outs = PROVIDER.update("storage", olds, inputs).outs
    assert outs is not None
    return outs


def imported(stand_in: StandIn) -> list[str]:
    return [each.id for each in stand_in.context.state.clusters.values() if each.imported]


@pytest.mark.parametrize("version", ["v2.8.5", "v2.13.1"])
def test_a_new_rancher_ends_with_the_cluster_registered(tmp_path: Path, version: str) -> None:
    with running(tmp_path, version=version, token_delay_seconds=0.1) as stand_in:
        outs = registered(registration_inputs(stand_in))
        assert imported(stand_in) == [outs["cluster_id"]]
        cluster = stand_in.context.state.clusters[outs["cluster_id"]]
        assert outs["registration_token"] == cluster.token
        assert ca_checksum(stand_in.ca_pem) in outs["manifest"]
        assert outs["version"] == version
        assert len(read_manifest(outs["manifest"])) == 9
        assert stand_in.context.server_url() == url_of(stand_in)
        client(stand_in).accounts.login(ADMIN)
        with pytest.raises(WrongPasswordError):
            client(stand_in).accounts.login(BOOTSTRAP)


def test_a_second_create_finds_everything_again(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    first, second = registered(inputs), registered(inputs)
    same = ("cluster_id", "registration_token", "manifest")
    assert {key: first[key] for key in same} == {key: second[key] for key in same}
    assert imported(stand_in) == [first["cluster_id"]]
    assert len(stand_in.context.state.tokens) == 1, "no session and no older token may stay"


def test_an_update_without_a_change_changes_nothing(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    assert updated(outs, inputs) == outs


def test_a_restart_of_rancher_keeps_the_registration(tmp_path: Path) -> None:
    with running(tmp_path) as before:
        outs = registered(registration_inputs(before))
    with running(tmp_path) as after:
        again = updated(outs, registration_inputs(after))
        assert again["cluster_id"] == outs["cluster_id"]
        assert again["api_token"] == outs["api_token"]


@pytest.mark.parametrize("fault", ["not_found", "errors", "drop", "errors_after"])
def test_a_rancher_in_trouble_for_a_while_ends_registered_once(
    stand_in: StandIn, fault: str
) -> None:
    stand_in.faults.change({fault: 12})
    outs = registered(registration_inputs(stand_in))
    assert imported(stand_in) == [outs["cluster_id"]]


def test_whichever_answer_is_lost_nothing_is_made_twice(tmp_path: Path) -> None:
    with running(tmp_path / "undisturbed") as stand_in:
        registered(registration_inputs(stand_in))
    for step in range(14):
        with running(tmp_path / str(step)) as stand_in:
            answered = 0
            original = stand_in.api.answer

            def answer(request: Any, original: Any = original, at: int = step) -> Any:
                nonlocal answered
                answered += 1
                # `errors_after` strikes right after this request was carried out.
                stand_in.faults.errors_after = 1 if answered == at + 1 else 0
                return original(request)

            stand_in.api.answer = answer
            outs = registered(registration_inputs(stand_in))
            assert imported(stand_in) == [outs["cluster_id"]], f"answer {step} lost"
            assert len(stand_in.context.state.tokens) <= 3, f"answer {step} lost"


def test_an_old_data_volume_is_found_out(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with running(tmp_path, bootstrap_password="new-bootstrap") as again:  # noqa: S106
        inputs = registration_inputs(again, bootstrap_password="new-bootstrap")  # noqa: S106
        with pytest.raises(WrongPasswordError, match="data volume is older"):
            registered(inputs)
        assert imported(again) == []


def test_another_admin_password_becomes_ranchers(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    fresh = "another-" + ADMIN
    inputs = registration_inputs(stand_in, admin_password=fresh)
    assert PROVIDER.diff("storage", outs, inputs).changes
    again = updated(outs, inputs)
    assert again["cluster_id"] == outs["cluster_id"]
    client(stand_in).accounts.login(fresh)


def test_a_ca_swapped_in_the_middle_stops_it(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    stand_in.faults.change({"swap_ca": 8})
    with pytest.raises(CertificateMismatchError):
        registered(inputs)


def test_a_lost_data_volume_is_registered_anew(tmp_path: Path) -> None:
    with running(tmp_path / "old") as before:
        outs = registered(registration_inputs(before))
    with running(tmp_path / "new", own_ca=True) as after:
        inputs = registration_inputs(after)
        assert PROVIDER.diff("storage", outs, inputs).changes
        again = updated(outs, inputs)
        assert imported(after) == [again["cluster_id"]]
        assert ca_checksum(after.ca_pem) in again["manifest"]


@pytest.mark.parametrize("fault", ["wrong_manifest_token", "wrong_manifest_checksum"])
def test_a_wrong_manifest_is_caught_before_anybody_applies_it(
    stand_in: StandIn, fault: str
) -> None:
    stand_in.faults.change({fault: 1})
    with pytest.raises(ManifestMismatchError, match="must not be applied"):
        registered(registration_inputs(stand_in))


def test_a_name_that_another_cluster_joined_under_is_refused(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    agent_says(stand_in, "connect", outs["registration_token"])
    with pytest.raises(ClusterNameTakenError, match="Choose another cluster name"):
        registered(registration_inputs(stand_in, owner="another-cluster"))
    assert registered(registration_inputs(stand_in))["cluster_id"] == outs["cluster_id"]


def test_an_update_keeps_a_joined_cluster_even_without_an_owner(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in, owner="")
    outs = registered(inputs)
    agent_says(stand_in, "connect", outs["registration_token"])
    assert updated(outs, inputs)["cluster_id"] == outs["cluster_id"]


def test_another_name_renames_the_cluster_and_its_token(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    agent_says(stand_in, "connect", outs["registration_token"])
    again = updated(outs, inputs | {"cluster_name": "renamed"})
    for same in ("cluster_id", "registration_token", "manifest"):
        assert again[same] == outs[same]
    assert again["api_token"] != outs["api_token"]
    names = [one.name for one in stand_in.context.state.clusters.values() if one.imported]
    assert names == ["renamed"]
    described = [t.description for t in stand_in.context.state.tokens.values() if t.is_derived]
    assert described == ["longhorn-rancher, cluster renamed"]


def test_a_name_that_another_cluster_has_is_refused_for_a_rename_too(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    registered(registration_inputs(stand_in, cluster_name="taken", owner="somebody-else"))
    with pytest.raises(ClusterNameTakenError, match="Choose another"):
        updated(outs, registration_inputs(stand_in, cluster_name="taken"))


@pytest.mark.parametrize(
    ("change", "is_change", "replaces"),
    [
        ({}, False, []),
        ({"bootstrap_password": "another"}, False, []),
        ({"bootstrap_password": Unknown()}, False, []),
        ({"admin_password": "another"}, True, []),
        ({"ca_pem": Unknown()}, True, []),
        ({"server_url": "https://elsewhere.example"}, True, []),
        ({"delete_timeout_seconds": 1.0}, True, []),
        ({"server_id": "another"}, True, []),
        ({"server_id": Unknown()}, True, []),
        ({"cluster_name": "another"}, True, []),
        ({"owner": "another"}, True, ["owner"]),
        ({"owner": ""}, True, []),
    ],
)
def test_the_diff_is_what_an_update_would_change(
    change: dict[str, Any], is_change: bool, replaces: list[str]
) -> None:
    inputs: dict[str, Any] = {
        "url": "u",
        "ca_pem": "c",
        "bootstrap_password": "b",
        "admin_password": "a",
        "cluster_name": "n",
        "server_url": "s",
        "owner": "o",
        "server_id": "i",
        "ready_timeout_seconds": 900.0,
        "delete_timeout_seconds": 300.0,
    }
    olds = {key: value for key, value in inputs.items() if key != "bootstrap_password"}
    diff = PROVIDER.diff("n", olds, inputs | change)
    assert (diff.changes, diff.replaces) == (is_change, replaces)
    assert diff.delete_before_replace


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, []),
        ({"url": Unknown(), "admin_password": Unknown()}, []),
        ({"url": "http://rancher.example"}, ["url"]),
        ({"server_url": "rancher.example"}, ["server_url"]),
        ({"admin_password": "short"}, ["admin_password"]),
        ({"admin_password": "p" * 73}, ["admin_password"]),
    ],
)
def test_what_rancher_would_refuse_later_is_refused_at_once(
    change: dict[str, str], refused: list[str]
) -> None:
    inputs = {"url": "https://a", "server_url": "https://a", "admin_password": ADMIN} | change
    result = PROVIDER.check({}, inputs)
    assert [failure.property for failure in result.failures] == refused
    assert result.inputs == inputs


def test_a_refresh_of_what_is_right_changes_nothing(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    found = PROVIDER.read("storage", dict(outs))
    assert (found.id, found.outs) == ("storage", outs)


def test_a_refresh_sees_a_cluster_that_is_gone(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    del stand_in.context.state.clusters[outs["cluster_id"]]
    found = PROVIDER.read("storage", outs)
    assert (found.id, found.outs) == (None, {})


def test_a_refresh_sees_a_server_url_that_somebody_changed(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    for elsewhere in ("https://elsewhere.example", ""):
        stand_in.context.state.settings["server-url"] = elsewhere
        found = PROVIDER.read("storage", dict(outs)).outs
        assert found is not None
        assert PROVIDER.diff("storage", found, inputs).changes
    updated(outs, inputs)
    assert stand_in.context.server_url() == url_of(stand_in)


def test_a_refresh_renews_an_expired_token(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    stand_in.faults.change({"expire_tokens": 1})
    found = PROVIDER.read("storage", dict(outs)).outs
    assert found is not None
    assert found["api_token"] != outs["api_token"]
    rancher = client(stand_in)
    rancher.accounts.use_token(found["api_token"])
    assert rancher.server_url() == url_of(stand_in)


def test_an_update_replaces_an_expired_token(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    stand_in.faults.change({"expire_tokens": 1})
    assert updated(outs, inputs)["api_token"] != outs["api_token"]


@pytest.mark.parametrize("trouble", ["gone", "swapped", "locked out"])
def test_a_refresh_that_cannot_ask_keeps_the_state_and_says_so(
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    trouble: str,
) -> None:
    monkeypatch.setattr("components.rancher.registration.registration._READ_SECONDS", 0.2)
    outs = registered(registration_inputs(stand_in))
    if trouble == "gone":
        stand_in.stop()
    elif trouble == "swapped":
        stand_in.swap_ca()
    else:
        for user in stand_in.context.state.users.values():
            user.set_password("set by hand")
        stand_in.faults.change({"expire_tokens": 1})
    found = PROVIDER.read("storage", dict(outs))
    assert (found.id, found.outs) == ("storage", outs)
    assert "could not be compared with Rancher" in capsys.readouterr().err


def test_deleting_takes_cluster_and_token_out(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    PROVIDER.delete("storage", outs)
    assert imported(stand_in) == []
    assert stand_in.context.state.tokens == {}


def test_deleting_what_is_gone_already_succeeds(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = registered(registration_inputs(stand_in))
    PROVIDER.delete("storage", outs)
    PROVIDER.delete("storage", outs)
    assert "has no cluster" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("trouble", "said"), [("gone", "Rancher is gone"), ("swapped", "another server answers")]
)
def test_deleting_is_not_held_up_by_a_rancher_that_is_lost(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], trouble: str, said: str
) -> None:
    outs = registered(registration_inputs(stand_in))
    if trouble == "gone":
        stand_in.stop()
    else:
        stand_in.swap_ca()
    PROVIDER.delete("storage", outs)
    assert said in capsys.readouterr().err


def test_deleting_fails_where_rancher_lets_nobody_in(stand_in: StandIn) -> None:
    outs = registered(registration_inputs(stand_in))
    stand_in.faults.change({"expire_tokens": 1})
    for user in stand_in.context.state.users.values():
        user.set_password("set by hand")
    with pytest.raises(WrongPasswordError, match="configure the present one"):
        PROVIDER.delete("storage", outs)


def test_no_secret_stands_in_an_error_a_log_or_what_is_said(
    stand_in: StandIn, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = registration_inputs(stand_in, ready_timeout_seconds=0.2)
    secrets = {BOOTSTRAP, ADMIN}
    errors: list[str] = []
    with caplog.at_level(logging.DEBUG):
        outs = registered(inputs)
        secrets |= {outs["api_token"], outs["registration_token"]}
        secrets.add(base64.b64encode(outs["registration_token"].encode()).decode())
        for faults in (
            {"wrong_manifest_token": 1},
            {"errors": 10_000},
            {"errors": 0, "swap_ca": 1},
        ):
            stand_in.faults.change(faults)
            with pytest.raises(RancherError) as caught:
                registered(inputs)
            errors += [str(caught.value), repr(caught.value)]
        PROVIDER.delete("storage", outs)
    told = "\n".join([*errors, caplog.text, *capsys.readouterr()])
    assert "must not be applied" in told
    for secret in secrets:
        assert secret not in told


def test_a_rancher_that_never_starts_is_an_error_with_its_reason(stand_in: StandIn) -> None:
    stand_in.faults.change({"not_found": 10_000})
    with pytest.raises(NotReadyError, match="still starting"):
        registered(registration_inputs(stand_in, ready_timeout_seconds=0.2))


@pytest.mark.parametrize(
    "provider", [RancherRegistrationProvider(), RancherClusterActiveProvider()]
)
def test_a_provider_travels_by_reference(provider: Any) -> None:
    """Its code must not be in the state: a changed file would be a changed resource."""
    pickled = base64.b64decode(serialize_provider(provider))
    assert type(provider).__name__.encode() in pickled
    assert len(pickled) < 200
    assert provider.serialize_as_secret_always is False


PROXY = {"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": ".svc"}


def _agent_environment(stand_in: StandIn, cluster_id: str) -> dict[str, str]:
    known = stand_in.context.state.clusters[cluster_id].agent_environment
    return {each["name"]: each["value"] for each in known}


def test_the_agents_environment_is_ranchers_before_the_manifest_is_fetched(
    stand_in: StandIn,
) -> None:
    outs = registered(registration_inputs(stand_in, agent_environment=PROXY))
    assert _agent_environment(stand_in, outs["cluster_id"]) == PROXY
    assert PROXY["HTTPS_PROXY"] in outs["manifest"]


def test_another_environment_is_a_change_and_one_that_is_given_no_more_goes(
    stand_in: StandIn,
) -> None:
    inputs = registration_inputs(stand_in, agent_environment=PROXY)
    outs = registered(inputs)
    for given in ({"NO_PROXY": "elsewhere"}, None):
        inputs = registration_inputs(stand_in, agent_environment=given)
        assert PROVIDER.diff("storage", outs, inputs).changes
        outs = updated(outs, inputs)
        assert _agent_environment(stand_in, outs["cluster_id"]) == (given or {})
    assert "NO_PROXY" not in outs["manifest"]


def test_a_refresh_sees_an_environment_that_somebody_changed_in_rancher(
    stand_in: StandIn,
) -> None:
    inputs = registration_inputs(stand_in, agent_environment=PROXY)
    outs = registered(inputs)
    cluster = stand_in.context.state.clusters[outs["cluster_id"]]
    cluster.agent_environment = [*cluster.agent_environment, {"name": "MORE", "value": "x"}]
    found = PROVIDER.read("storage", dict(outs)).outs
    assert found is not None
    assert PROVIDER.diff("storage", found, inputs).changes
    updated(found, inputs)
    assert _agent_environment(stand_in, outs["cluster_id"]) == PROXY


def test_an_environment_of_others_stays_where_the_stack_gives_none(stand_in: StandIn) -> None:
    inputs = registration_inputs(stand_in)
    outs = registered(inputs)
    cluster = stand_in.context.state.clusters[outs["cluster_id"]]
    cluster.agent_environment = [{"name": "MORE", "value": "x"}]
    found = PROVIDER.read("storage", dict(outs)).outs
    assert found is not None
    assert not PROVIDER.diff("storage", found, inputs).changes
    updated(found, inputs | {"server_id": "another"})
    assert _agent_environment(stand_in, outs["cluster_id"]) == {"MORE": "x"}
