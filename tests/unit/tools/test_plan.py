"""`make plan`: the tree of everything that a stack would create."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configuration.secrets import Secret
from tests.unit.doubles.a_stack import nodes, valid, with_secrets
from tests.unit.doubles.certificates import issue
from tools.offline import stack_file
from tools.offline.shown import SECRET
from tools.offline.stack_file import (
    KEY_PLACEHOLDER,
    PROJECT,
    SECRET_PLACEHOLDER,
    stack_config,
)
from tools.plan import plan as plan_tool
from tools.plan.tree import plan_tree

_STACKS = sorted(path.name.split(".")[1] for path in PROJECT.glob("stacks/Pulumi.*.yaml"))


def _plan(config: Any) -> dict[str, Any]:
    given = config if isinstance(config, stack_file.StackConfig) else stack_config(config)
    return plan_tool.plan(given, "test")


@cache
def _made_of_valid() -> dict[str, Any]:
    return _plan(valid())


def _valid_plan() -> dict[str, Any]:
    """The plan of a valid stack, made once; each test has its own copy."""
    return copy.deepcopy(_made_of_valid())


def _named(plan: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [resource for resource in plan["resources"] if resource["name"] == name]
    return found


def _tree(plan: dict[str, Any]) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(plan_tree(plan))
    return capture.get()


@pytest.fixture
def stack_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for stack files that `python -m tools.plan` looks in."""
    monkeypatch.setattr(stack_file, "PROJECT", tmp_path)
    (tmp_path / "stacks").mkdir()
    return tmp_path / "stacks"


def test_a_login_to_the_chart_s_repository_is_in_no_plan() -> None:
    found = _plan(valid(longhorn={"chartRepository": "https://u:correct-horse@charts.corp/a"}))
    release = _named(found, "longhorn-release")
    assert release["inputs"]["repositoryOpts"] == {"repo": f"https://{SECRET}@charts.corp/a"}
    assert "correct-horse" not in json.dumps(found)


@pytest.mark.parametrize("stack", _STACKS)
def test_every_shipped_stack_has_a_plan(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan_tool.main([stack]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Stack {stack} would create ")
    assert SECRET_PLACEHOLDER not in text


@pytest.mark.parametrize("stack", _STACKS)
def test_every_resource_stands_in_the_whole_plan(
    stack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan_tool.main([stack, "--all"]) == 0
    text = capsys.readouterr().out
    found = plan_tool.plan(stack_file.read_stack_config(stack_file.stack_path(stack)), stack)
    for resource in found["resources"]:
        assert f"{resource['name']}  {resource['type']}" in text
    assert text.count("stdin: ") == found["counts"]["command:remote:Command"]
    assert SECRET_PLACEHOLDER not in text


@pytest.mark.parametrize("stack", _STACKS)
def test_the_plan_as_json_is_the_same_in_every_run(
    stack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan_tool.main([stack, "--json"])
    first = capsys.readouterr().out
    plan_tool.main([stack, "--json"])
    assert capsys.readouterr().out == first
    assert json.loads(first)["stack"] == stack


def test_what_starts_earlier_stands_earlier() -> None:
    names = [resource["name"] for resource in _valid_plan()["resources"]]
    order = [
        "node-1-packages-install",
        "node-1-mnt-longhorn-sdb-mount",
        "node-1-labels-patch",
        "longhorn-namespace",
        "longhorn-release",
        "longhorn-ready",
        "longhorn-frontend",
    ]
    assert [name for name in names if name in order] == order


def test_ten_nodes_stand_in_the_order_of_their_numbers() -> None:
    plan = _plan(valid(nodes=nodes(*[{} for _ in range(10)])))
    names = [r["name"] for r in plan["resources"] if r["type"].endswith(":LonghornNode")]
    assert names == [f"node-{number}" for number in range(1, 11)]


def test_a_parent_stands_before_its_children() -> None:
    seen: set[str | None] = {None}
    for resource in _valid_plan()["resources"]:
        assert resource["parent"] in seen, resource["name"]
        seen.add(resource["urn"])


def test_a_script_is_told_by_its_name_and_arguments() -> None:
    plan = _valid_plan()
    command = _named(plan, "node-1-mnt-longhorn-sdb-mount")
    assert command["inputs"]["stdin"] == (
        "node-disk /dev/sdb /mnt/longhorn-sdb ext4 '' "
        "'longhorn-rancher/test node-1-mnt-longhorn-sdb'"
    )
    assert "#!/bin/sh" not in json.dumps(plan)


def test_a_script_behind_a_sudo_password_is_told_without_the_password() -> None:
    config = with_secrets(valid(ssh={"useAgent": True, "user": "ops"}), sudoPassword="tr0ub4dor")
    plan = _plan(config)
    stdin = _named(plan, "node-1-packages-install")["inputs"]["stdin"]
    assert stdin == "[secret], then node-packages"
    assert "tr0ub4dor" not in json.dumps(plan)


def test_no_secret_value_is_shown() -> None:
    secrets = {
        "sshPassword": "hidden-1",
        "sshPrivateKey": KEY_PLACEHOLDER,
        "rancherBootstrapPassword": "hidden-3",
        "frontendBasicAuth": "ops:$apr1$hidden-4$".replace("-", "") + "x" * 22,
    }
    frontend = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    plan = _plan(with_secrets(valid(frontend=frontend), **secrets))
    shown = json.dumps(plan) + _tree(plan)
    assert "hidden" not in shown
    assert KEY_PLACEHOLDER.splitlines()[1] not in shown
    assert "[secret]" in shown


def test_of_a_connection_the_address_is_shown_and_the_credentials_are_not() -> None:
    plan = _plan(with_secrets(valid(), sshPassword="hidden"))
    connection = _named(plan, "node-1-packages-install")["inputs"]["connection"]
    assert connection["host"] == "192.0.2.11"
    assert connection["hostKey"].startswith("ssh-ed25519 ")
    assert connection["password"] == SECRET


def test_what_only_up_can_know_is_said_to_be_unknown() -> None:
    plan = _valid_plan()
    assert plan["outputs"]["disks"] == "(known after up)"
    assert _named(plan, "rancher-container")["inputs"]["image"] == "(known after up)"


def test_serialized_code_of_dynamic_resources_is_left_out() -> None:
    text = json.dumps(_plan(valid(stages={"volumeCheck": True})))
    assert "__provider" not in text


def test_what_is_kept_is_marked() -> None:
    text = _tree(_valid_plan())
    assert "rancher-data  docker:index/volume:Volume [kept on destroy]" in text


def test_the_namespace_that_a_removal_deletes_is_not_marked_as_kept() -> None:
    assert _named(_valid_plan(), "longhorn-namespace")["keptOnDestroy"] is False


def test_counts_add_up_to_the_resources() -> None:
    plan = _valid_plan()
    assert sum(plan["counts"].values()) == len(plan["resources"])
    assert plan["counts"]["command:remote:Command"] == 6


def test_a_key_file_that_is_on_another_machine_is_no_obstacle() -> None:
    plan = _plan(valid(ssh={"privateKeyFile": "/not/on/this/machine"}))
    connection = _named(plan, "node-1-packages-install")["inputs"]["connection"]
    assert connection["privateKey"] == "[secret]"


def test_no_key_is_made_up_for_a_stack_that_uses_an_agent() -> None:
    connection = _named(_valid_plan(), "node-1-packages-install")["inputs"]["connection"]
    assert "privateKey" not in connection


def test_encrypted_keys_need_no_passphrase(
    stack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**valid(), "sshPassword": {"secure": "v1:aaaa:bbbb"}}
    body = json.dumps({"encryptionsalt": "v1:x", "config": config})
    (stack_folder / "Pulumi.mine.yaml").write_text(body)
    assert plan_tool.main(["mine", "--all"]) == 0
    assert "password [secret]" in capsys.readouterr().out


_INGRESS = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
_GIVEN_MANIFEST = {"rancher": False, "rancherImport": True}
# What has to stand in a stack file so that it may have the secret; nothing for most.
_LEGAL: Mapping[Secret, Mapping[str, Any]] = {
    Secret.SSH_PRIVATE_KEY: {"ssh": {"user": "root"}},
    Secret.SSH_PRIVATE_KEY_PASSPHRASE: {"ssh": {"privateKeyFile": "~/locked"}},
    Secret.FRONTEND_BASIC_AUTH: {"frontend": _INGRESS},
    Secret.LONGHORN_REGISTRY_PASSWORD: {
        "longhorn": {
            "registry": "r.example.com",
            "registrySecret": "pull",
            "registryUser": "robot",
        }
    },
    Secret.LONGHORN_BACKUP_PASSWORD: {
        "longhorn": {"backup": {"target": "s3://bucket@region/", "user": "robot"}}
    },
    Secret.RANCHER_CERTIFICATE_KEY: {
        "rancher": {"url": "https://rancher.example.com", "certificateFile": "CERTIFICATE"}
    },
    Secret.RANCHER_TOKEN: {
        "rancher": None,
        "rancherImport": {"url": "https://rancher.example.com"},
        "stages": _GIVEN_MANIFEST,
    },
    Secret.RANCHER_MANIFEST_URL: {"rancher": None, "stages": _GIVEN_MANIFEST},
}


@pytest.mark.parametrize("secret", Secret)
def test_no_encrypted_value_is_looked_at_before_somebody_decrypts_it(
    secret: Secret, stack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = stack_folder / "certificate.pem"
    certificate.write_text(issue("rancher", "rancher.example.com").pem)
    config = {**valid(**_LEGAL.get(secret, {})), secret: {"secure": "v1:aaaa:bbbb"}}
    text = json.dumps({"config": config}).replace("CERTIFICATE", str(certificate))
    (stack_folder / "Pulumi.mine.yaml").write_text(text)
    assert plan_tool.main(["mine"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: {longhorn-rancher:cluster: {nme: x}}", "Did you mean name?"),
        ("config: [", "is not YAML"),
        ("- a list", "must be a map"),
        ("config: text", "must be a map"),
        ("", "longhorn-rancher:cluster: is required"),
    ],
    ids=["mistake", "no-yaml", "list", "text", "empty"],
)
def test_a_broken_stack_file_is_told_without_traceback(
    text: str, told: str, stack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stack_folder / "Pulumi.mine.yaml").write_text(text)
    assert plan_tool.main(["mine"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert "Traceback" not in captured.err


def test_an_unknown_stack_is_told_with_the_known_ones(
    stack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stack_folder / "Pulumi.mine.yaml").write_text("")
    assert plan_tool.main(["nosuch"]) == 1
    assert "there are: mine" in capsys.readouterr().err


def test_a_plan_reaches_no_network_and_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("a plan reaches nothing")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    assert _plan(valid(stages={"volumeCheck": True, "rancherImport": True}))["resources"]
