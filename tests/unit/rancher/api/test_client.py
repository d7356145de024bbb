"""The client for Rancher, against a stand-in that misbehaves on request."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from components.rancher.api.accounts import ApiToken
from components.rancher.api.client import RancherClient, fetch_manifest
from components.rancher.api.clusters import RegistrationToken
from components.rancher.api.errors import (
    BadClusterNameError,
    CertificateMismatchError,
    ClusterNameTakenError,
    ExpiredTokenError,
    ManifestMismatchError,
    NotReadyError,
    PasswordRefusedError,
    RemovalUnfinishedError,
    UnexpectedAnswerError,
    WrongPasswordError,
)
from components.rancher.registration.login import become_admin, resume
from lab.common.paths import PROJECT
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import (
    ADMIN,
    BOOTSTRAP,
    agent_says,
    client,
    logged_in,
    running,
    unused_port,
    url_of,
)

pytestmark = pytest.mark.usefixtures("impatient")


def token_of(stand_in: StandIn, cluster_id: str) -> str:
    return stand_in.context.state.clusters[cluster_id].token


@pytest.mark.parametrize("fault", ["not_found", "errors", "drop"])
def test_it_waits_for_a_rancher_that_starts_slowly(stand_in: StandIn, fault: str) -> None:
    stand_in.faults.change({fault: 4})
    client(stand_in).wait_until_ready(20.0)
    assert getattr(stand_in.faults, fault) == 0


@pytest.mark.parametrize(
    ("fault", "reason"), [("not_found", "starting"), ("errors", "server-error")]
)
def test_it_says_what_a_rancher_that_never_starts_did_last(
    stand_in: StandIn, fault: str, reason: str
) -> None:
    stand_in.faults.change({fault: 10_000})
    with pytest.raises(NotReadyError, match="did not answer within") as caught:
        client(stand_in).wait_until_ready(0.2)
    assert caught.value.reason == reason


def test_nothing_that_listens_is_a_reason_of_its_own() -> None:
    rancher = RancherClient(f"https://127.0.0.1:{unused_port()}", "")
    with pytest.raises(NotReadyError, match="docker ps") as caught:
        rancher.wait_until_ready(0.1)
    assert caught.value.nothing_listens


def test_progress_is_told_while_it_waits(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_FIRST_SECONDS", "_BETWEEN_SECONDS"):
        monkeypatch.setattr(f"components.common.waiting.{name}", 0.0)
    said: list[str] = []
    stand_in.faults.change({"errors": 2})
    rancher = RancherClient(url_of(stand_in), stand_in.ca_pem, say=said.append)
    rancher.wait_until_ready(20.0)
    assert len(said) == 2
    assert "HTTP 503" in said[0]


def test_plain_http_is_refused() -> None:
    with pytest.raises(ValueError, match="https://"):
        RancherClient("http://rancher.example", "")


@pytest.mark.parametrize(("version", "used"), [("v2.8.5", "v3-public"), ("v2.13.1", "v1-public")])
def test_it_logs_in_the_way_that_the_version_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, used: str
) -> None:
    with running(tmp_path, version=version) as stand_in:
        rancher = client(stand_in)
        rancher.accounts.login(BOOTSTRAP)
        assert rancher.version() == version
        assert rancher.server_url() == ""
    logins = [line for line in capsys.readouterr().out.splitlines() if line.endswith(" 201")]
    assert len(logins) == 1
    assert used in logins[0]


def test_a_wrong_password_is_said_without_the_password(stand_in: StandIn) -> None:
    wrong = "not the " + "password"
    with pytest.raises(WrongPasswordError) as caught:
        client(stand_in).accounts.login(wrong)
    assert wrong not in str(caught.value)


def test_the_ca_swapped_between_two_calls_is_caught_before_anything_is_sent(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    rancher = logged_in(stand_in)
    capsys.readouterr()
    stand_in.swap_ca()
    with pytest.raises(CertificateMismatchError, match="Nothing was sent"):
        rancher.server_url()
    assert capsys.readouterr().out == "", "the server must not have got a request"


def test_the_ca_swapped_in_the_middle_of_a_retry_is_caught(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    stand_in.faults.change({"swap_ca": 1})
    with pytest.raises(CertificateMismatchError):
        rancher.server_url()


def test_without_a_pinned_ca_the_systems_own_must_vouch(stand_in: StandIn) -> None:
    with pytest.raises(CertificateMismatchError, match="a CA that this machine trusts"):
        RancherClient(url_of(stand_in), "").wait_until_ready(5.0)


def test_an_address_that_the_certificate_does_not_name_yet_is_announced(tmp_path: Path) -> None:
    with running(tmp_path, host="127.0.0.2") as stand_in:
        before = list(stand_in.certificates.names)
        assert "127.0.0.2" not in before
        rancher = RancherClient(url_of(stand_in, "127.0.0.2"), stand_in.ca_pem)
        rancher.wait_until_ready(5.0)
        assert stand_in.certificates.names == [*before, "127.0.0.2"]


def test_an_address_that_is_not_server_urls_is_not_accepted(tmp_path: Path) -> None:
    with running(tmp_path, host="127.0.0.2", server_url="https://rancher.example") as stand_in:
        rancher = RancherClient(url_of(stand_in, "127.0.0.2"), stand_in.ca_pem, retry_seconds=0.2)
        with pytest.raises(NotReadyError, match="its setting server-url alone") as caught:
            rancher.wait_until_ready(0.2)
        assert caught.value.reason == "name"


def test_a_new_rancher_gets_the_admin_password(stand_in: StandIn) -> None:
    rancher = client(stand_in)
    assert rancher.is_first_login()
    become_admin(rancher, ADMIN, [BOOTSTRAP])
    assert not rancher.is_first_login()
    client(stand_in).accounts.login(ADMIN)


def test_a_bootstrap_password_that_is_kept_still_ends_the_first_login(stand_in: StandIn) -> None:
    rancher = client(stand_in)
    become_admin(rancher, BOOTSTRAP, [BOOTSTRAP])
    assert not rancher.is_first_login()


def test_a_password_change_whose_answer_was_lost_is_noticed(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    stand_in.faults.change({"errors_after": 1})
    rancher.accounts.change_password(BOOTSTRAP, ADMIN)
    client(stand_in).accounts.login(ADMIN)


def test_a_password_that_rancher_refuses_is_said_with_ranchers_rule(stand_in: StandIn) -> None:
    with pytest.raises(PasswordRefusedError, match="at least 12 characters"):
        logged_in(stand_in).accounts.change_password(BOOTSTRAP, "short")


def test_an_old_data_volume_with_another_bootstrap_password_is_found_out(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with running(tmp_path, bootstrap_password="a-new-one-that-is-ignored") as again:  # noqa: S106
        with pytest.raises(WrongPasswordError, match="data volume is older") as caught:
            become_admin(client(again), ADMIN, ["a-new-one-that-is-ignored"])
        assert "reset-password" in str(caught.value)


def test_a_rancher_set_up_before_is_told_apart_from_it(stand_in: StandIn) -> None:
    become_admin(client(stand_in), ADMIN, [BOOTSTRAP])
    with pytest.raises(WrongPasswordError, match="it was set up before") as caught:
        become_admin(client(stand_in), "some other password", [BOOTSTRAP])
    assert BOOTSTRAP not in str(caught.value)


def test_an_expired_token_is_said_and_a_login_goes_on(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    value = rancher.accounts.replace_api_token("test").value
    stand_in.faults.change({"expire_tokens": 1})
    with pytest.raises(ExpiredTokenError, match="up --refresh") as caught:
        rancher.server_url()
    assert value not in str(caught.value)
    assert resume(rancher, value, BOOTSTRAP) is False
    assert rancher.server_url() == url_of(stand_in)


def test_a_token_goes_on_after_the_password_was_changed_by_hand(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    value = rancher.accounts.replace_api_token("test").value
    rancher.accounts.change_password(BOOTSTRAP, ADMIN)
    assert resume(client(stand_in), value, BOOTSTRAP) is True
    with pytest.raises(WrongPasswordError, match="changed in Rancher"):
        resume(client(stand_in), "", BOOTSTRAP)


def test_making_a_token_again_leaves_only_one(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    first = rancher.accounts.replace_api_token("ours")
    other = rancher.accounts.replace_api_token("not ours")
    second = rancher.accounts.replace_api_token("ours")
    assert not rancher.accounts.has_api_token(first.id)
    assert rancher.accounts.has_api_token(second.id)
    assert rancher.accounts.has_api_token(other.id)


def test_the_session_ends_with_the_conversation(stand_in: StandIn) -> None:
    with client(stand_in) as rancher:
        rancher.accounts.login(BOOTSTRAP)
        assert len(stand_in.context.state.tokens) == 1
    assert stand_in.context.state.tokens == {}


def test_a_cluster_is_made_once_and_found_again(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    first = rancher.clusters.find_or_create("storage", "uid")
    again = rancher.clusters.find_or_create("storage", "uid")
    assert first.id == again.id
    assert rancher.clusters.get(first.id) == again


@pytest.mark.parametrize("lost", [1, 2])
def test_a_cluster_whose_answer_was_lost_is_not_made_twice(stand_in: StandIn, lost: int) -> None:
    rancher = logged_in(stand_in)
    stand_in.faults.change({"errors_after": lost})
    rancher.clusters.find_or_create("storage", "uid")
    names = [each.name for each in stand_in.context.state.clusters.values()]
    assert names.count("storage") == 1


def test_a_joined_cluster_is_taken_over_only_for_the_same_owner(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    made = rancher.clusters.find_or_create("storage", "uid")
    agent_says(stand_in, "connect", token_of(stand_in, made.id))
    assert rancher.clusters.find_or_create("storage", "uid").id == made.id
    for owner in ("another", ""):
        with pytest.raises(ClusterNameTakenError, match=made.id):
            rancher.clusters.find_or_create("storage", owner)


def test_a_cluster_that_was_made_for_another_one_is_not_taken_before_its_agent_joins(
    stand_in: StandIn,
) -> None:
    rancher = logged_in(stand_in)
    made = rancher.clusters.find_or_create("storage", "uid")
    for owner in ("another", ""):
        with pytest.raises(ClusterNameTakenError, match="made for another Kubernetes cluster"):
            rancher.clusters.find_or_create("storage", owner)
    assert rancher.clusters.find_or_create("storage", "another", made.id).id == made.id


def test_a_cluster_that_nobody_has_joined_and_no_stack_has_made_is_taken(
    stand_in: StandIn,
) -> None:
    rancher = logged_in(stand_in)
    made = rancher.clusters.find_or_create("storage", "")
    assert rancher.clusters.find_or_create("storage", "uid").id == made.id


@pytest.mark.parametrize("name", ["storage", "renamed"])
def test_a_cluster_that_rancher_is_removing_is_not_taken(stand_in: StandIn, name: str) -> None:
    rancher = logged_in(stand_in)
    made = rancher.clusters.find_or_create("storage", "uid")
    stand_in.context.state.clusters[made.id].removing = True
    with pytest.raises(ClusterNameTakenError, match="still removing"):
        rancher.clusters.find_or_create(name, "uid", made.id)


def test_ranchers_own_cluster_is_never_taken(stand_in: StandIn) -> None:
    with pytest.raises(ClusterNameTakenError, match="Rancher itself"):
        logged_in(stand_in).clusters.find_or_create("local", "uid")


def test_a_name_that_rancher_does_not_take_is_said(stand_in: StandIn) -> None:
    with pytest.raises(BadClusterNameError, match="lowercase"):
        logged_in(stand_in).clusters.find_or_create("Not A Name", "uid")


def test_the_registration_token_is_waited_for(tmp_path: Path) -> None:
    with running(tmp_path, token_delay_seconds=0.2) as stand_in:
        rancher = logged_in(stand_in)
        cluster = rancher.clusters.find_or_create("storage", "uid")
        token = rancher.clusters.registration_token(cluster.id, 20.0)
        assert token.value == token_of(stand_in, cluster.id)


def test_a_missing_server_url_is_named_as_the_reason_for_no_token(stand_in: StandIn) -> None:
    rancher = client(stand_in)
    rancher.accounts.login(BOOTSTRAP)
    cluster = rancher.clusters.find_or_create("storage", "uid")
    with pytest.raises(NotReadyError, match="is server-url set"):
        rancher.clusters.registration_token(cluster.id, 0.1)


def test_a_server_url_fixed_on_the_container_is_named(tmp_path: Path) -> None:
    with running(tmp_path, server_url="https://localhost") as stand_in:
        rancher = client(stand_in)
        rancher.accounts.login(BOOTSTRAP)
        with pytest.raises(UnexpectedAnswerError, match="CATTLE_SERVER_URL"):
            rancher.set_server_url("https://elsewhere.example")


@pytest.mark.parametrize("version", ["v2.8.5", "v2.13.1"])
def test_a_server_that_does_not_know_the_token_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr("components.rancher.api.client._PROOF_SECONDS", 0.1)
    with running(tmp_path, version=version) as stand_in:
        address = f"{url_of(stand_in)}/v3/import/nobodymadethis_c-aaaaa.yaml"
        with pytest.raises(CertificateMismatchError, match="does not prove") as caught:
            fetch_manifest(address, stand_in.ca_pem)
        assert "nobodymadethis" not in str(caught.value)


def test_a_manifest_is_fetched_by_its_address(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    cluster = rancher.clusters.find_or_create("storage", "uid")
    token = rancher.clusters.registration_token(cluster.id, 5.0)
    address = f"{url_of(stand_in)}/v3/import/{token.value}_{cluster.id}.yaml"
    text, ca_pem = fetch_manifest(address, stand_in.ca_pem)
    assert text == rancher.import_manifest(cluster.id, token.value)
    assert ca_pem.strip() == stand_in.ca_pem.strip()


def test_a_rancher_that_refuses_the_token_is_no_manifest(tmp_path: Path) -> None:
    with running(tmp_path, version="v2.15.0") as stand_in:
        with pytest.raises(ManifestMismatchError, match="take a new address") as caught:
            client(stand_in).import_manifest("c-aaaaa", "nobodymadethis")
        assert "nobodymadethis" not in str(caught.value)


def test_deleting_waits_until_the_agent_has_cleaned_up(stand_in: StandIn) -> None:
    rancher = logged_in(stand_in)
    cluster = rancher.clusters.find_or_create("storage", "uid")
    token = token_of(stand_in, cluster.id)
    agent_says(stand_in, "connect", token)
    with pytest.raises(RemovalUnfinishedError, match=cluster.id):
        rancher.clusters.delete(cluster.id, 0.1)
    agent_says(stand_in, "cleaned", token)
    assert rancher.clusters.delete(cluster.id, 5.0) is False


def test_no_secret_stands_in_a_repr() -> None:
    secret = "do-not" + "-show"
    shown = repr(ApiToken("token-1", "", "", secret)) + repr(RegistrationToken(secret))
    rancher = RancherClient("https://rancher.example", "")
    rancher.accounts.use_token(secret)
    assert secret not in shown + repr(rancher) + repr(rancher.accounts)


def test_no_secret_stands_in_a_log(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        rancher = logged_in(stand_in)
        cluster = rancher.clusters.find_or_create("storage", "uid")
        token = rancher.clusters.registration_token(cluster.id, 5.0).value
        rancher.import_manifest(cluster.id, token)
        value = rancher.accounts.replace_api_token("test").value
    assert "/v3/import/…" in caplog.text
    for secret in (BOOTSTRAP, token, value):
        assert secret not in caplog.text


def test_it_waits_for_a_rancher_of_its_own_process_that_listens_late(tmp_path: Path) -> None:
    port = unused_port()
    words = [sys.executable, "-m", "lab.rancher.stand_in", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*words, "--https-port", str(port), "--http-port", "0"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "LAB_RANCHER_DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ca = tmp_path / "tls" / "ca.pem"
        said = process.stdout.readline()
        assert "test double, not Rancher" in said
        RancherClient(f"https://127.0.0.1:{port}", ca.read_text()).wait_until_ready(30.0)
    finally:
        process.terminate()
        process.communicate(timeout=20)
