"""How a stack file is read as a whole: defaults, all mistakes at once, secrets apart."""

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
import pulumi
import pytest

from configuration import settings
from configuration.problems import SettingsError
from configuration.secrets import Secret
from tests.unit.doubles.a_stack import HOST_KEY, load, mistake, mistakes, nodes, valid, with_secrets
from tools.offline.stack_file import SECRET_PLACEHOLDER, stack_config


def test_a_valid_stack_file_loads_with_defaults_filled_in() -> None:
    loaded = load(valid())
    assert [node.name for node in loaded.nodes] == ["node-1", "node-2"]
    assert loaded.longhorn.version == "1.5.3"
    assert loaded.ssh.port == 22
    assert loaded.frontend.type == "ClusterIP"
    assert loaded.rancher is not None
    assert loaded.rancher.volume == "rancher-data"


def test_a_node_has_the_default_disks_unless_it_lists_its_own() -> None:
    own = [{"device": "/dev/vdb", "mountPoint": "/mnt/own"}]
    loaded = load(valid(nodes=nodes({}, {"disks": own}, {"disks": []})))
    by_node = [[disk.device for disk in loaded.disks_of(node)] for node in loaded.nodes]
    assert by_node == [["/dev/sdb", "/dev/sdc"], ["/dev/vdb"], []]


def test_settings_can_not_be_changed_after_loading() -> None:
    loaded = load(valid())
    with pytest.raises(ValueError, match="frozen"):
        loaded.ssh.port = 23  # type: ignore[misc]


def test_all_mistakes_are_told_at_once() -> None:
    config = valid(
        cluster={"name": "Not A Label"},
        ssh={"useAgent": True, "port": 70000},
        longhorn={"version": "1.4.0"},
        frontend={"type": "NodePort", "nodePort": 80},
        nodes=nodes({"hostKey": "nonsense"}, {"nme": "typo"}),
        surprise=True,
    )
    keys = {problem.key.removeprefix("longhorn-rancher:") for problem in mistakes(config)}
    assert {
        "cluster.name",
        "ssh.port",
        "longhorn.version",
        "frontend.nodePort",
        "nodes[0].hostKey",
        "nodes[1].nme",
        "surprise",
    } <= keys


def test_the_error_counts_the_mistakes_and_gives_each_one_line() -> None:
    with pytest.raises(SettingsError) as caught:
        load(valid(ssh={"useAgent": True, "port": 0}, longhorn={"replicaCount": 0}))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the stack file has 2 mistakes; nothing was touched"
    assert len(lines) == 3


def test_pulumi_shows_the_mistakes_without_a_call_stack() -> None:
    with pytest.raises(pulumi.RunError, match="nothing was touched"):
        load(valid(cluster=None))


def test_a_missing_cluster_is_told_with_its_key() -> None:
    problem = mistake(valid(cluster=None))
    assert problem.key == "longhorn-rancher:cluster"
    assert problem.rule == "is required"


def test_a_missing_key_inside_a_map_is_told_with_its_full_path() -> None:
    assert mistake(valid(cluster={})).key == "longhorn-rancher:cluster.name"


@pytest.mark.parametrize("value", ["text", "5", "[]"])
def test_a_section_that_is_no_map_is_a_mistake_and_no_traceback(value: str) -> None:
    assert mistake(valid(ssh=value)).key == "longhorn-rancher:ssh"


def test_nodes_that_are_no_list_are_a_mistake() -> None:
    problem = mistakes(valid(nodes={"name": "node-1"}))[0]
    assert problem.key == "longhorn-rancher:nodes"
    assert "list" in problem.rule


def test_an_unknown_key_comes_with_the_nearest_known_one() -> None:
    problem = mistake(valid(ssh={"useAgent": True, "prot": 22}))
    assert problem.key == "longhorn-rancher:ssh.prot"
    assert problem.remedy == "Did you mean port?"


def test_an_unknown_key_of_a_disk_comes_with_the_nearest_known_one() -> None:
    disks = [{"device": "/dev/sdb", "mountPont": "/mnt/a", "mountPoint": "/mnt/a"}]
    problem = mistake(valid(nodes=nodes({"disks": disks})))
    assert problem.key == "longhorn-rancher:nodes[0].disks[0].mountPont"
    assert problem.remedy == "Did you mean mountPoint?"


def test_an_unknown_key_like_no_other_comes_with_all_known_ones() -> None:
    problem = mistake(valid(cluster={"name": "test", "zzz": 1}))
    assert problem.remedy == "Known keys: context, kubeconfig, name, nodesFile."


def test_an_unknown_top_level_key_is_a_mistake() -> None:
    problem = mistake(valid(longhron={"version": "1.5.3"}))
    assert problem.key == "longhorn-rancher:longhron"
    assert "longhorn" in problem.remedy


def test_keys_of_other_namespaces_are_left_alone() -> None:
    assert mistakes({**valid(), "kubernetes:context": "other"}) == []


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ({"ssh": {"useAgent": "yes"}}, "must be true or false"),
        ({"ssh": {"useAgent": True, "port": "22"}}, "must be a whole number"),
        ({"cluster": {"name": 5}}, "must be text"),
        ({"nodeDefaults": {"disks": "sdb"}}, "must be a list"),
        ({"longhorn": {"values": []}}, "must be a map of keys"),
    ],
    ids=["boolean", "number", "text", "list", "map"],
)
def test_a_value_of_the_wrong_type_says_which_one_is_wanted(
    section: dict[str, Any], found: str
) -> None:
    problem = mistake(valid(**section))
    assert problem.rule == found
    assert problem.remedy


def test_a_key_that_says_null_is_shown_so() -> None:
    assert "rancher.url = null: must be text" in str(mistake(valid(rancher={"url": None})))


def test_a_map_that_breaks_a_rule_is_not_shown() -> None:
    environment = {"AUDIT LEVEL": "1"}
    rancher = {"url": "https://rancher.example.com", "environment": environment}
    assert "rancher.environment: has 'AUDIT LEVEL'" in str(mistake(valid(rancher=rancher)))


def test_a_secret_in_plain_text_is_refused_and_not_shown() -> None:
    config = stack_config({**valid(), "sudoPassword": "correct horse"})
    problem = mistake(config)
    assert problem.key == "longhorn-rancher:sudoPassword"
    assert "correct horse" not in str(problem)
    assert "pulumi config set --secret longhorn-rancher:sudoPassword" in problem.remedy


@pytest.mark.parametrize("key", ["password", "sshPassword", "apiToken", "private_key"])
def test_a_secret_among_the_settings_is_refused_and_not_shown(key: str) -> None:
    problem = mistake(valid(ssh={"useAgent": True, key: "correct horse"}))
    assert "plain text" in problem.rule
    assert "correct horse" not in str(problem)


def test_a_secret_in_a_value_of_the_wrong_type_is_not_shown() -> None:
    config = valid(nodes=nodes({"disks": {"password": "correct horse"}}))
    told = "\n".join(map(str, mistakes(config)))
    assert "nodes[0].disks" in told
    assert "correct horse" not in told


def test_a_broken_value_of_a_key_that_could_hold_a_secret_is_not_shown() -> None:
    problem = mistake(valid(longhorn={"registrySecret": "correct horse"}))
    assert problem.key == "longhorn-rancher:longhorn.registrySecret"
    assert "correct horse" not in str(problem)


def test_an_encrypted_value_inside_a_section_is_refused() -> None:
    config = stack_config(valid(ssh={"useAgent": True, "user": {"secure": "v1:abc:def"}}))
    problem = mistake(config)
    assert problem.key == "longhorn-rancher:ssh"
    assert "encrypted" in problem.rule
    assert SECRET_PLACEHOLDER not in str(problem)


def test_an_encrypted_value_deep_inside_the_nodes_is_refused() -> None:
    config = stack_config(valid(nodes=nodes({"host": {"secure": "v1:abc:def"}})))
    assert "encrypted" in next(
        problem.rule for problem in mistakes(config) if problem.key == "longhorn-rancher:nodes"
    )


def test_a_secret_is_an_output_marked_secret() -> None:
    loaded = load(with_secrets(valid(), sudoPassword="correct horse"))
    secret = loaded.secret(Secret.SUDO_PASSWORD)
    assert secret is not None
    assert asyncio.get_event_loop().run_until_complete(secret.is_secret())
    assert loaded.secret(Secret.SSH_PASSWORD) is None


def test_secrets_stand_in_no_model() -> None:
    loaded = load(with_secrets(valid(), sudoPassword="correct horse"))
    assert "correct horse" not in repr(loaded)


def test_a_key_given_as_secret_makes_the_key_file_unneeded(tmp_path: Path) -> None:
    ssh = {"privateKeyFile": str(tmp_path / "absent")}
    problem = mistake(valid(ssh=ssh))
    assert problem.key == "longhorn-rancher:ssh.privateKeyFile"
    assert str(tmp_path)[:20] in str(problem)
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    assert mistakes(with_secrets(valid(ssh=ssh), sshPrivateKey=key)) == []


def test_a_stack_with_every_stage_off_needs_the_cluster_only() -> None:
    off = ("packages", "disks", "labels", "longhorn", "frontend", "rancher")
    config = {"cluster": {"name": "test"}, "stages": dict.fromkeys(off, False)}
    assert load(config).nodes == ()


def test_values_are_read_from_the_environment_as_the_engine_gives_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = stack_config(valid(nodes=nodes({"name": "from-environment", "hostKey": HOST_KEY})))
    pulumi.runtime.set_all_config(dict(given.values), [])
    monkeypatch.setenv("PULUMI_CONFIG", '{"longhorn-rancher:typo": "1"}')
    assert [problem.key for problem in mistakes_now()] == ["longhorn-rancher:typo"]


def mistakes_now() -> list[Any]:
    """The mistakes of the configuration that is set already."""
    with pytest.raises(SettingsError) as caught:
        settings.load()
    return list(caught.value.problems)
