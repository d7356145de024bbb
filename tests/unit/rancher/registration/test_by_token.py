"""The cluster's place in a Rancher that was there before: registered, read, taken out."""

from pathlib import Path
from typing import Any

import pytest

from components.rancher.agent.manifest import read_manifest
from components.rancher.api.errors import (
    CertificateMismatchError,
    ClusterNameTakenError,
    ExpiredTokenError,
    NotReadyError,
    RancherError,
    WrongPasswordError,
)
from components.rancher.registration import active
from components.rancher.registration.active import RancherClusterActiveProvider
from components.rancher.registration.by_token import RancherTokenRegistrationProvider
from components.rancher.registration.removal import VARIABLE
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import (
    BOOTSTRAP,
    agent_says,
    cleaning_agents,
    client,
    logged_in,
    running,
    url_of,
)

pytestmark = pytest.mark.usefixtures("impatient")

PROVIDER = RancherTokenRegistrationProvider()
ACTIVE = RancherClusterActiveProvider()


@pytest.fixture
def token(stand_in: StandIn) -> str:
    """An API token that a person made."""
    with logged_in(stand_in) as rancher:
        return rancher.accounts.replace_api_token("of a person").value


@pytest.fixture
def inputs(stand_in: StandIn, token: str) -> dict[str, Any]:
    return {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "api_token": token,
        "cluster_name": "storage",
        "owner": "uid-of-kube-system",
        "agent_environment": None,
        "ready_timeout_seconds": 20.0,
        "delete_timeout_seconds": 5.0,
    }


def registered(inputs: dict[str, Any]) -> dict[str, Any]:
    outs = PROVIDER.create(inputs).outs
    assert outs is not None
    return outs


def imported(stand_in: StandIn) -> list[str]:
    return [each.id for each in stand_in.context.state.clusters.values() if each.imported]


def test_the_cluster_is_registered_with_the_manifest_of_that_rancher(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    outs = registered(inputs)
    assert imported(stand_in) == [outs["cluster_id"]]
    assert outs["server_url"] == url_of(stand_in)
    assert len(read_manifest(outs["manifest"])) == 9


def test_passwords_tokens_and_settings_of_that_rancher_stay_as_they_are(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    before = dict(stand_in.context.state.tokens)
    registered(inputs)
    assert stand_in.context.state.tokens == before
    client(stand_in).accounts.login(BOOTSTRAP)


def test_registering_again_finds_the_same_cluster(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    first, second = registered(inputs), registered(inputs)
    assert second["cluster_id"] == first["cluster_id"]
    assert len(imported(stand_in)) == 1


def test_another_clusters_name_is_refused(stand_in: StandIn, inputs: dict[str, Any]) -> None:
    outs = registered(inputs)
    agent_says(stand_in, "connect", outs["registration_token"])
    with pytest.raises(ClusterNameTakenError):
        registered({**inputs, "owner": "another-cluster"})


def test_a_token_that_is_not_taken_is_told_with_what_to_do(inputs: dict[str, Any]) -> None:
    with pytest.raises(ExpiredTokenError, match="Make another one there"):
        registered({**inputs, "api_token": "token-x:nothing"})


@pytest.mark.parametrize("provider", [PROVIDER, ACTIVE])
def test_another_ca_is_refused_with_the_key_for_the_right_one(
    tmp_path: Path,
    inputs: dict[str, Any],
    provider: RancherTokenRegistrationProvider | RancherClusterActiveProvider,
) -> None:
    with (
        running(tmp_path / "other", own_ca=True) as other,
        pytest.raises(CertificateMismatchError, match=r"rancherImport\.caFile"),
    ):
        provider.create(
            {**inputs, "ca_pem": other.ca_pem, "admin_password": "", "cluster_id": "c-1"}
        )


def test_a_rancher_without_an_address_for_its_agents_is_told(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    stand_in.context.state.settings["server-url"] = ""
    with pytest.raises(NotReadyError, match="server-url"):
        registered(inputs)


def test_a_refresh_sees_that_the_cluster_was_deleted(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    outs = registered(inputs)
    assert PROVIDER.look(outs) == outs
    del stand_in.context.state.clusters[outs["cluster_id"]]
    assert PROVIDER.look(outs) is None


def test_a_refresh_with_a_refused_token_keeps_the_state(
    inputs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = {**registered(inputs), "api_token": "token-x:nothing"}
    assert PROVIDER.look(outs) == outs
    assert "could not be compared" in "".join(capsys.readouterr())


def test_removal_takes_the_cluster_out_and_leaves_the_token(
    stand_in: StandIn, inputs: dict[str, Any]
) -> None:
    outs = registered(inputs)
    before = dict(stand_in.context.state.tokens)
    with cleaning_agents(stand_in):
        PROVIDER.remove(outs)
    assert imported(stand_in) == []
    assert stand_in.context.state.tokens == before


@pytest.mark.parametrize("provider", [PROVIDER, ACTIVE])
def test_removal_with_a_refused_token_fails_and_forgets_nothing(
    stand_in: StandIn,
    inputs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    provider: RancherTokenRegistrationProvider | RancherClusterActiveProvider,
) -> None:
    outs = {**registered(inputs), "admin_password": "", "api_token": "token-x:nothing"}
    with pytest.raises(ExpiredTokenError, match="run `pulumi up` with it first") as refused:
        provider.remove(outs)
    assert f"{VARIABLE}=true" in str(refused.value)
    assert imported(stand_in) == [outs["cluster_id"]]
    monkeypatch.setenv(VARIABLE, "true")
    provider.remove(outs)
    assert f"cluster {outs['cluster_id']} is not taken out" in capsys.readouterr().err
    assert imported(stand_in) == [outs["cluster_id"]]


def test_removal_from_a_rancher_of_the_stack_with_another_password_always_fails(
    stand_in: StandIn, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = {**registered(inputs), "api_token": "token-x:nothing", "admin_password": "changed"}
    monkeypatch.setenv(VARIABLE, "true")
    with pytest.raises(WrongPasswordError, match="run `pulumi up` with it first") as refused:
        ACTIVE.remove(outs)
    assert VARIABLE not in str(refused.value)
    assert imported(stand_in) == [outs["cluster_id"]]


@pytest.mark.parametrize("trouble", ["does not answer", "has another certificate"])
@pytest.mark.parametrize("provider", [PROVIDER, ACTIVE])
def test_removal_forgets_nothing_where_a_rancher_of_others_cannot_be_asked(
    stand_in: StandIn,
    inputs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    provider: RancherTokenRegistrationProvider | RancherClusterActiveProvider,
    trouble: str,
) -> None:
    outs = {**registered(inputs), "admin_password": ""}
    if trouble == "does not answer":
        stand_in.stop()
    else:
        stand_in.swap_ca()
    with pytest.raises(RancherError, match=f"set the environment variable {VARIABLE}=true"):
        provider.remove(outs)
    monkeypatch.setenv(VARIABLE, "true")
    provider.remove(outs)
    assert f"cluster {outs['cluster_id']} is not taken out" in capsys.readouterr().err


@pytest.mark.parametrize("password", ["", "another password"])
def test_what_rancher_does_not_let_in_any_more_is_a_difference_and_leaves_the_state(
    inputs: dict[str, Any], password: str
) -> None:
    outs = registered(inputs)
    known = {**outs, "api_token": "token-x:nothing", "admin_password": password, "state": "active"}
    assert ACTIVE.differences(known, known) == {"state"}
    assert ACTIVE.look(known) == known


def test_a_rancher_that_does_not_answer_is_no_difference(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "_PREVIEW_SECONDS", 0.1)
    known = {**registered(inputs), "admin_password": "", "state": "active"}
    known["url"] = "https://127.0.0.1:1"
    assert ACTIVE.differences(known, known) == set()


def test_another_token_is_a_difference_of_what_is_removed_by_it() -> None:
    old = {"api_token": "old", "admin_password": "", "state": "active", "ca_pem": ""}
    old |= {"url": "https://127.0.0.1:1", "cluster_id": "c-1"}
    assert PROVIDER.differences(old, {**old, "api_token": "new"}) == {"api_token"}
    assert "api_token" in ACTIVE.differences({**old, "state": ""}, {**old, "api_token": "new"})
    known = {**old, "state": "", "admin_password": "some password"}
    assert "api_token" not in ACTIVE.differences(known, {**known, "api_token": "new"})
