"""The stand-in for Rancher answers as a Rancher 2.8.5 was seen to answer."""

import base64
import json
import ssl
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.rancher.api.ca import ca_checksum, cacerts_authorization, is_proof
from lab.rancher.stand_in import kubectl
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import ADMIN, BOOTSTRAP, agent_says, running

_LOGIN = "/v3-public/localProviders/local?action=login"
_TOKEN_KEYS = {
    "authProvider", "baseType", "clusterId", "created", "createdTS", "creatorId", "current",
    "description", "enabled", "expired", "expiresAt", "id", "isDerived", "labels",
    "lastUpdateTime", "links", "name", "token", "ttl", "type", "userId", "userPrincipal", "uuid",
}  # fmt: skip


class Asker:
    """Sends requests as curl would, with the CA pinned."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.token = ""

    def raw(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        connection = HTTPSConnection(
            "127.0.0.1",
            self.stand_in.https_port,
            timeout=10,
            context=ssl.create_default_context(cadata=self.stand_in.ca_pem),
        )
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body).encode(), sent
            )
            response = connection.getresponse()
            return response.status, response.read().decode(), dict(response.headers)
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        status, text, _ = self.raw(method, path, body)
        return status, json.loads(text or "{}")

    def log_in(self, password: str = BOOTSTRAP) -> dict[str, Any]:
        status, body = self.ask("POST", _LOGIN, {"username": "admin", "password": password})
        assert status == 201
        self.token = body["token"]
        return body


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def asker(stand_in: StandIn) -> Asker:
    return Asker(stand_in)


def test_every_answer_says_that_it_is_a_stand_in(asker: Asker) -> None:
    status, text, headers = asker.raw("GET", "/ping")
    assert (status, text, headers["X-Lab-Stand-In"]) == (200, "pong", "rancher")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/rancherversion", {}, 302),
        ("GET", "/rancherversion", {"X-Forwarded-Proto": "https"}, 200),
        ("GET", "/ping", {}, 200),
        ("POST", _LOGIN, {}, 400),
        ("POST", _LOGIN, {"X-Forwarded-Proto": "https"}, 401),
    ],
)
def test_http_sends_clients_over_to_https_unless_a_proxy_ended_tls(
    stand_in: StandIn, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = HTTPConnection("127.0.0.1", stand_in.http_port, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == status
    if status == 302:
        assert response.headers["Location"] == f"https://127.0.0.1{path}"
    if status == 400:
        assert text == "Use HTTPS\n"


def test_version_first_login_and_ca_need_no_login(asker: Asker) -> None:
    status, version = asker.ask("GET", "/rancherversion")
    assert (status, set(version)) == (200, {"GitCommit", "RancherPrime", "Version"})
    status, first = asker.ask("GET", "/v3/settings/first-login")
    assert (status, first["type"], first["value"]) == (200, "setting", "true")
    status, setting = asker.ask("GET", "/v3/settings/cacerts")
    assert status == 200
    assert not setting["value"].endswith("\n")
    assert asker.raw("GET", "/cacerts")[1] == setting["value"] + "\n"


@pytest.mark.parametrize("path", ["/v3/settings/server-url", "/v3/clusters", "/v3/tokens"])
def test_everything_else_needs_one_and_says_so_without_a_code(asker: Asker, path: str) -> None:
    for token in ("", "token-aaaaa:wrong"):
        asker.token = token
        status, body = asker.ask("GET", path)
        assert (status, set(body), body["type"]) == (401, {"message", "status", "type"}, "error")


def test_the_older_login_gives_a_token_with_all_its_keys(asker: Asker) -> None:
    body = asker.log_in()
    assert (set(body), body["type"]) == (_TOKEN_KEYS, "token")


def test_a_wrong_password_is_unauthorized(asker: Asker) -> None:
    status, body = asker.ask("POST", _LOGIN, {"username": "admin", "password": "wrong"})
    assert status == 401
    assert (body["type"], body["code"]) == ("error", "Unauthorized")
    assert body["message"] == "authentication failed"


def test_the_newer_login_exists_from_2_13_on(tmp_path: Path, asker: Asker) -> None:
    sent = {"username": "admin", "password": BOOTSTRAP, "type": "localProvider"}
    status, text, _ = asker.raw("POST", "/v1-public/login", sent)
    assert (status, text.strip()) == (404, "404 page not found")
    with running(tmp_path / "newer", version="v2.13.0") as newer:
        status, body = Asker(newer).ask("POST", "/v1-public/login", sent)
        assert (status, set(body)) == (201, {"token", "expiresAt", "id", "baseType", "type"})


def test_a_password_is_changed_only_by_who_knows_it(asker: Asker) -> None:
    asker.log_in()
    path = "/v3/users?action=changepassword"
    wrong = {"currentPassword": "not this one", "newPassword": ADMIN}
    status, body = asker.ask("POST", path, wrong)
    assert (status, body["code"], body["message"]) == (
        422,
        "InvalidBodyContent",
        "invalid current password",
    )
    short = {"currentPassword": BOOTSTRAP, "newPassword": "short"}
    status, body = asker.ask("POST", path, short)
    assert (status, body["code"]) == (422, "InvalidBodyContent")
    assert body["message"] == "Password must be at least 12 characters"
    right = {"currentPassword": BOOTSTRAP, "newPassword": ADMIN}
    assert asker.ask("POST", path, right)[0] == 200
    asker.log_in(ADMIN)
    assert asker.ask("GET", "/v3/settings/first-login")[1]["value"] == "false"


def test_a_cluster_is_pending_and_gets_its_token_a_moment_later(tmp_path: Path) -> None:
    with running(tmp_path, token_delay_seconds=3600.0) as slow:
        asker = Asker(slow)
        asker.log_in()
        status, cluster = asker.ask("POST", "/v3/clusters", {"type": "cluster", "name": "one"})
        assert (status, cluster["type"], cluster["state"]) == (201, "cluster", "pending")
        assert cluster["id"].startswith("c-")
        conditions = {each["type"]: each["status"] for each in cluster["conditions"]}
        assert {conditions[name] for name in ("Pending", "Provisioned", "Waiting")} == {"Unknown"}
        assert conditions["CreatorMadeOwner"] == "True"
        path = f"/v3/clusterregistrationtokens/{cluster['id']}:default-token"
        status, body = asker.ask("GET", path)
        assert (status, body["code"]) == (404, "NotFound")
        wanted = {"clusterId": cluster["id"], "name": "default-token"}
        status, body = asker.ask("POST", "/v3/clusterregistrationtokens", wanted)
        assert (status, body["message"]) == (404, f'namespaces "{cluster["id"]}" not found')
        slow.context.state.clusters[cluster["id"]].token_from -= 3000.0
        assert asker.ask("POST", "/v3/clusterregistrationtokens", wanted)[0] == 409
        slow.context.state.clusters[cluster["id"]].token_from = 0.0
        assert asker.ask("GET", path)[0] == 200


def test_a_manifest_has_an_address_only_once_server_url_is_set(asker: Asker) -> None:
    asker.log_in()
    cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
    path = f"/v3/clusterregistrationtokens/{cluster['id']}:default-token"
    assert asker.ask("GET", path)[1]["manifestUrl"] == ""
    setting = {"name": "server-url", "value": "https://rancher.example"}
    status, body = asker.ask("PUT", "/v3/settings/server-url", setting)
    assert (status, body["type"]) == (200, "setting")
    token = asker.ask("GET", path)[1]
    assert token["manifestUrl"] == (
        f"https://rancher.example/v3/import/{token['token']}_{cluster['id']}.yaml"
    )


@pytest.mark.parametrize(
    ("name", "code", "field"),
    [("one", "NotUnique", "Cluster name"), ("Not A Name", "InvalidFormat", "name")],
)
def test_a_name_that_is_taken_or_none_is_refused(
    asker: Asker, name: str, code: str, field: str
) -> None:
    asker.log_in()
    asker.ask("POST", "/v3/clusters", {"name": "one"})
    status, body = asker.ask("POST", "/v3/clusters", {"name": name})
    assert (status, body["code"], body["fieldName"]) == (422, code, field)


def test_any_token_gets_a_manifest_that_holds_it(asker: Asker) -> None:
    status, text, _ = asker.raw("GET", "/v3/import/nobodymadethis_c-aaaaa.yaml")
    assert status == 200
    documents = list(yaml.safe_load_all(text))
    secret = next(each for each in documents if each["kind"] == "Secret")
    assert base64.b64decode(secret["data"]["token"]).decode() == "nobodymadethis"
    deployment = next(each for each in documents if each["kind"] == "Deployment")
    environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    values = {each["name"]: each["value"] for each in environment}
    assert values["CATTLE_CA_CHECKSUM"] == ca_checksum(asker.stand_in.ca_pem)
    assert set(values) == {
        "CATTLE_SERVER", "CATTLE_CA_CHECKSUM", "CATTLE_CLUSTER", "CATTLE_K8S_MANAGED",
        "CATTLE_IS_RKE", "CATTLE_CLUSTER_REGISTRY", "CATTLE_SERVER_VERSION",
        "CATTLE_INSTALL_UUID", "CATTLE_INGRESS_IP_DOMAIN",
    }  # fmt: skip


def test_a_manifest_names_the_registry_that_rancher_has(tmp_path: Path) -> None:
    with running(tmp_path, system_default_registry="registry.example.com") as one:
        asker = Asker(one)
        asker.log_in()
        cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
        text = asker.raw("GET", f"/v3/import/some_{cluster['id']}.yaml")[1]
    (deployment,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/rancher/rancher-agent:v2.8.5"
    registry = {"name": "CATTLE_CLUSTER_REGISTRY", "value": "registry.example.com"}
    assert registry in container["env"]


def test_the_ca_comes_with_a_proof_for_who_knows_the_token(asker: Asker) -> None:
    asker.log_in()
    cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
    token = asker.stand_in.context.state.clusters[cluster["id"]].token
    bearer = f"Bearer {cacerts_authorization(token)}"
    headers = {"Authorization": bearer, "X-Cattle-Nonce": "nonce"}
    _, pem, answered = asker.raw("GET", "/cacerts", headers=headers)
    assert is_proof(answered["X-Cattle-Hash"], token=token, nonce="nonce", pem=pem)


def test_a_cluster_becomes_active_through_its_agent_and_goes_after_it_cleaned_up(
    asker: Asker,
) -> None:
    asker.log_in()
    cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
    path = f"/v3/clusters/{cluster['id']}"
    token = asker.stand_in.context.state.clusters[cluster["id"]].token
    assert agent_says(asker.stand_in, "connect", token)["cleanup"] is False
    joined = asker.ask("GET", path)[1]
    conditions = {each["type"]: each["status"] for each in joined["conditions"]}
    assert (joined["state"], conditions["Connected"], conditions["Ready"]) == (
        "active",
        "True",
        "True",
    )
    assert asker.raw("DELETE", path)[0] == 204
    assert asker.ask("GET", path)[1]["state"] == "removing"
    assert agent_says(asker.stand_in, "connect", token)["cleanup"] is True
    agent_says(asker.stand_in, "cleaned", token)
    status, body = asker.ask("GET", path)
    assert (status, body["code"]) == (404, "NotFound")


def test_a_cluster_that_never_connected_goes_at_once(asker: Asker) -> None:
    asker.log_in()
    cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
    assert asker.raw("DELETE", f"/v3/clusters/{cluster['id']}")[0] == 204
    assert asker.ask("GET", f"/v3/clusters/{cluster['id']}")[0] == 404


def test_a_silent_agent_makes_the_cluster_unavailable(tmp_path: Path) -> None:
    with running(tmp_path, agent_silence_seconds=-1.0) as stand_in:
        asker = Asker(stand_in)
        asker.log_in()
        cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
        agent_says(stand_in, "connect", stand_in.context.state.clusters[cluster["id"]].token)
        assert asker.ask("GET", f"/v3/clusters/{cluster['id']}")[1]["state"] == "unavailable"


def test_a_restart_keeps_users_tokens_clusters_and_ca(tmp_path: Path) -> None:
    with running(tmp_path) as before:
        asker = Asker(before)
        asker.log_in()
        cluster = asker.ask("POST", "/v3/clusters", {"name": "one"})[1]
        pem = before.ca_pem
    with running(tmp_path, bootstrap_password="another-password") as after:  # noqa: S106
        asker.stand_in = after
        assert after.ca_pem == pem
        assert asker.ask("GET", f"/v3/clusters/{cluster['id']}")[1]["name"] == "one"
        status, _ = asker.ask("POST", _LOGIN, {"username": "admin", "password": "another-password"})
        assert status == 401, "a bootstrap password must count only while there are no users"


def test_without_a_bootstrap_password_one_is_printed_at_the_first_start_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, bootstrap_password=None) as stand_in:
        lines = capsys.readouterr().out.splitlines()
        printed = [line for line in lines if "Bootstrap Password:" in line]
        assert len(printed) == 1
        Asker(stand_in).log_in(printed[0].split("Bootstrap Password: ")[1])
    with running(tmp_path, bootstrap_password=None):
        assert "Bootstrap Password:" not in capsys.readouterr().out


def test_no_password_is_kept_in_plain_text(tmp_path: Path) -> None:
    with running(tmp_path) as stand_in:
        asker = Asker(stand_in)
        asker.log_in()
    kept = (tmp_path / "state.json").read_text()
    assert BOOTSTRAP not in kept
    assert asker.token.split(":")[1] not in kept


def test_the_log_names_no_registration_token(
    asker: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    asker.raw("GET", "/v3/import/secrettoken_c-aaaaa.yaml")
    said = capsys.readouterr().out
    assert "GET /v3/import/… 200" in said
    assert "secrettoken" not in said


def test_its_kubectl_answers_the_question_for_the_ca(stand_in: StandIn, tmp_path: Path) -> None:
    words = ["get", "settings.management.cattle.io", "cacerts", "-o", "jsonpath={.value}"]
    assert kubectl.answer(words, tmp_path) == stand_in.ca_pem


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("get pods", "knows only"),
        ("get settings.management.cattle.io nosuch -o jsonpath={.value}", "NotFound"),
    ],
)
def test_its_kubectl_refuses_other_questions(
    stand_in: StandIn, tmp_path: Path, words: str, said: str
) -> None:
    assert stand_in.ca_pem
    with pytest.raises(kubectl.KubectlError, match=said):
        kubectl.answer(words.split(), tmp_path)


def test_its_kubectl_fails_while_the_server_has_not_started(tmp_path: Path) -> None:
    words = ["get", "settings.management.cattle.io", "cacerts", "-o", "jsonpath={.value}"]
    with pytest.raises(kubectl.KubectlError, match="refused"):
        kubectl.answer(words, tmp_path)


def test_faults_are_set_over_the_wire_and_counted_down(asker: Asker) -> None:
    status, faults = asker.ask("POST", "/lab/faults", {"errors": 1})
    assert (status, faults["errors"]) == (200, 1)
    assert asker.raw("GET", "/ping")[0] == 503
    assert asker.raw("GET", "/ping")[0] == 200
    assert asker.ask("POST", "/lab/faults", {"nosuch": 1})[0] == 422


def test_its_ca_signs_only_its_own_certificates(stand_in: StandIn, tmp_path: Path) -> None:
    with running(tmp_path / "other", own_ca=True) as other:
        context = ssl.create_default_context(cadata=other.ca_pem)
        url = f"https://127.0.0.1:{stand_in.https_port}/ping"
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(url, context=context, timeout=10)
    assert stand_in.ca_pem != other.ca_pem
