"""Settings as another program gives them."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from configuration.problems import Problem, SettingsError
from configuration.secrets import Secret
from configuration.settings import load_given
from tests.unit.doubles.a_stack import valid
from tools.offline.stack_file import KEY_PLACEHOLDER


def _problems(*, secrets: Any = None, **changes: Any) -> list[Problem]:
    sections = valid(rancher=None, stages={"rancher": False}, checks={"readCluster": False})
    try:
        load_given("it", {**sections, **changes}, secrets or {})
    except SettingsError as error:
        return list(error.problems)
    return []


def test_sections_are_read_by_the_same_rules_as_a_stack_file() -> None:
    assert _problems() == []
    (problem,) = _problems(longhorn={"replicaCount": 0})
    assert problem.key == "longhorn.replicaCount"


@pytest.mark.parametrize(
    ("section", "value", "key"),
    [
        ("nodeDefaults", {"disks": [{"device": "sdb"}]}, "node_defaults.disks[0].device"),
        ("controlPlane", {"scheduling": "maybe"}, "control_plane.scheduling"),
        ("volumeCheck", {"size": "big"}, "volume_check.size"),
    ],
)
def test_a_section_is_named_as_the_argument_and_a_key_within_as_in_the_file(
    section: str, value: Any, key: str
) -> None:
    assert key in {problem.key for problem in _problems(**{section: value})}


def test_an_output_among_the_sections_is_refused_by_its_place() -> None:
    node = {"name": "node-1", "host": pulumi.Output.from_input("192.0.2.1")}
    (problem,) = _problems(nodes=[node])
    assert problem.key == "nodes[0].host"
    assert "known only later" in problem.rule


@pytest.mark.parametrize("secret", ["sshPrivateKey", "sshPassword", "sudoPassword"])
def test_what_opens_the_hosts_is_no_output(secret: str) -> None:
    (problem,) = _problems(secrets={secret: pulumi.Output.secret("x")})
    assert problem.key == f"secrets.{secret}"


def test_a_password_of_longhorns_may_be_an_output() -> None:
    longhorn = {"backup": {"target": "s3://backups@eu-central-1/", "user": "key"}}
    password = pulumi.Output.secret("tr0ub4dor")
    assert _problems(longhorn=longhorn, secrets={"longhornBackupPassword": password}) == []


def test_an_unknown_secret_comes_with_the_nearest_one_and_without_its_value() -> None:
    (problem,) = _problems(secrets={"sshPasword": "tr0ub4dor"})
    assert problem.remedy == "Did you mean sshPassword?"
    assert "tr0ub4dor" not in str(problem)


def test_a_secret_that_is_none_is_not_set() -> None:
    sections = valid(rancher=None, stages={"rancher": False}, checks={"readCluster": False})
    given = {"sshPassword": None, "sshPrivateKey": KEY_PLACEHOLDER}
    settings = load_given("it", sections, given)
    assert settings.secret(Secret.SSH_PASSWORD) is None
    assert settings.plain_secret(Secret.SSH_PRIVATE_KEY) == KEY_PLACEHOLDER


def test_paths_and_tuples_are_taken_as_python_has_them(tmp_path: Path) -> None:
    nodes = tuple(valid()["nodes"])
    assert _problems(nodes=nodes, cluster={"name": "x", "kubeconfig": tmp_path / "config"}) == []


def test_the_secrets_of_given_settings_are_not_shown_with_them() -> None:
    sections = valid(rancher=None, stages={"rancher": False}, checks={"readCluster": False})
    settings = load_given("it", sections, {"sudoPassword": "tr0ub4dor"})
    assert "tr0ub4dor" not in repr(settings)
