"""The kubeconfig is looked at before anything asks the cluster."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.doubles.a_stack import mistake, mistakes, valid
from tests.unit.doubles.certificates import issue

_WHOLE: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443"}}],
    "users": [{"name": "u", "user": {"token": "correct-horse"}}],
    "contexts": [{"name": "production", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "production",
}


def _config(path: Path, context: str | None = None, **changes: Any) -> dict[str, Any]:
    path.write_text(yaml.safe_dump({**_WHOLE, **changes}))
    return valid(cluster=_cluster(path, context))


def _cluster(path: Path, context: str | None = None) -> dict[str, Any]:
    cluster = {"name": "test", "kubeconfig": str(path)}
    return cluster if context is None else {**cluster, "context": context}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


def test_a_whole_kubeconfig_is_accepted(path: Path) -> None:
    assert mistakes(_config(path)) == []
    assert mistakes(_config(path, "production")) == []


def test_a_missing_kubeconfig_is_reported_with_where_to_get_one(path: Path) -> None:
    problem = mistake(valid(cluster=_cluster(path)))
    assert problem.key == "longhorn-rancher:cluster.kubeconfig"
    assert "No such file" in problem.rule
    assert "/etc/kubernetes/admin.conf" in problem.remedy


def test_a_kubeconfig_that_kubectl_would_use_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/elsewhere/config")
    assert "/elsewhere/config" in mistake(valid(cluster=_cluster(path))).remedy


@pytest.mark.parametrize("text", ["hello", "- a", "", "a: [", "a: b"])
def test_a_file_that_is_no_kubeconfig_is_refused(text: str, path: Path) -> None:
    path.write_text(text)
    problem = mistake(valid(cluster=_cluster(path)))
    assert problem.key == "longhorn-rancher:cluster.kubeconfig"
    assert "no kubeconfig" in problem.rule


def test_a_folder_and_a_binary_file_are_refused(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    for wrong in (tmp_path, path):
        assert "can't be read" in mistake(valid(cluster=_cluster(wrong))).rule


def test_an_unknown_context_comes_with_the_nearest_or_all(path: Path) -> None:
    problem = mistake(_config(path, "prodution"))
    assert problem.key == "longhorn-rancher:cluster.context"
    assert problem.remedy == "Did you mean production?"
    assert mistake(_config(path, "nobody")).remedy == "It has: production."


def test_a_kubeconfig_without_current_context_needs_one(path: Path) -> None:
    problem = mistake(_config(path, **{"current-context": ""}))
    assert problem.key == "longhorn-rancher:cluster.context"
    assert "production" in problem.remedy


@pytest.mark.parametrize("kind", ["clusters", "users"])
def test_a_context_that_names_what_is_not_there_is_refused(kind: str, path: Path) -> None:
    problem = mistake(_config(path, None, **{kind: []}))
    assert f"whose {kind[:-1]} " in problem.rule
    assert "correct-horse" not in str(problem)


def _cluster_entry(**cluster: Any) -> dict[str, Any]:
    return {"clusters": [{"name": "c", "cluster": cluster}]}


def _user_entry(**user: Any) -> dict[str, Any]:
    return {"users": [{"name": "u", "user": user}]}


@pytest.mark.parametrize("server", [None, "", "192.0.2.1:6443", "ftp://192.0.2.1", "https://", "["])
def test_a_server_that_is_no_address_is_refused(server: str | None, path: Path) -> None:
    assert (
        "whose server is no address" in mistake(_config(path, **_cluster_entry(server=server))).rule
    )


@pytest.mark.parametrize("key", ["client-certificate", "client-key", "tokenFile"])
def test_a_file_that_the_kubeconfig_names_must_be_there(key: str, path: Path) -> None:
    config = _config(path, **_user_entry(**{key: "beside.pem"}))
    assert f"whose {key} beside.pem is no file here" in mistake(config).rule
    (path.parent / "beside.pem").touch()
    assert mistakes(config) == []


def test_a_file_beside_its_contents_is_not_looked_for(path: Path) -> None:
    both = {"certificate-authority": "absent.pem", "certificate-authority-data": "eA=="}
    entry = _cluster_entry(server="https://192.0.2.1:6443", **both)
    assert mistakes(_config(path, **entry)) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("client-key-data", "REDACTED", "was left out"),
        ("client-certificate-data", "DATA+OMITTED", "was left out"),
        ("token", "REDACTED", "was left out"),
        ("client-key-data", "LS0tLS1C RUdJT", "no base64"),
    ],
)
def test_what_kubectl_left_out_and_what_is_cut_off_is_told_with_how_to_get_it(
    key: str, value: str, said: str, path: Path
) -> None:
    problem = mistake(_config(path, **_user_entry(**{key: value})))
    assert f"the user u, whose {key}" in problem.rule
    assert said in problem.rule
    assert "--raw --flatten" in problem.remedy
    assert "RUdJT" not in str(problem)


@pytest.mark.parametrize("is_data", [True, False])
def test_a_client_s_certificate_that_has_ended_is_told_with_its_day(
    is_data: bool, path: Path
) -> None:
    def entry(days: int) -> dict[str, Any]:
        pem = issue("admin", days=(-10, days)).pem
        if is_data:
            data = base64.encodebytes(pem.encode()).decode()
            return _user_entry(**{"client-certificate-data": data})
        (path.parent / "client.pem").write_text(pem)
        return _user_entry(**{"client-certificate": "client.pem"})

    day = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
    assert f"whose certificate ended on {day}" in mistake(_config(path, **entry(-3))).rule
    assert mistakes(_config(path, **entry(3))) == []


def test_a_login_that_clients_have_no_more_is_told(path: Path) -> None:
    problem = mistake(_config(path, **_user_entry(**{"auth-provider": {"name": "gcp"}})))
    assert "gke-gcloud-auth-plugin" in problem.remedy
    oidc = _user_entry(**{"auth-provider": {"name": "oidc"}})
    assert mistakes(_config(path, **oidc)) == []


def test_a_variable_in_a_path_is_told_as_such() -> None:
    cluster = {"name": "test", "kubeconfig": "$HOME/.kube/config"}
    assert "write ~ or the whole path" in mistake(valid(cluster=cluster)).remedy
    ssh = {"privateKeyFile": "${HOME}/.ssh/id_ed25519"}
    assert "write ~ or the whole path" in mistake(valid(ssh=ssh)).remedy


@pytest.mark.parametrize("key", ["kubeconfig", "context"])
def test_an_empty_name_is_not_taken_for_none(key: str) -> None:
    problem = mistake(valid(cluster={"name": "test", key: ""}))
    assert problem.key == f"longhorn-rancher:cluster.{key}"
    assert problem.rule == "is empty"


@pytest.mark.parametrize("command", ["no-such-command", "./no-such-command"])
def test_a_command_that_logs_in_must_be_there(command: str, path: Path) -> None:
    problem = mistake(_config(path, **_user_entry(exec={"command": command})))
    assert f"by the command {command}, which is not there" in problem.rule
    assert mistakes(_config(path, **_user_entry(exec={"command": "sh"}))) == []


def test_a_stack_that_needs_no_cluster_needs_no_kubeconfig(path: Path) -> None:
    off = ("packages", "disks", "labels", "longhorn", "frontend", "rancher")
    config = {"cluster": _cluster(path), "stages": dict.fromkeys(off, False)}
    assert mistakes(config) == []
