"""What the program declares for one node: packages, disks, labels, and their order."""

import json
import shlex
from typing import Any

import pytest

from components.hosts.host_script import HostScript, checked_command, folder_of
from components.hosts.script import script_input
from components.nodes.description import ANNOTATION, LABEL
from components.nodes.findings import NodeFindings
from components.nodes.script_parts import NODE_DISK, NODE_PACKAGES
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from tests.unit.doubles.a_stack import (
    COMMAND,
    JUMP_KEY,
    nodes,
    parent_of,
    run,
    valid,
    waits_for,
    with_secrets,
)
from tools.offline.recording import Declared, Recording, SecretValue

_STACK = "longhorn-rancher/test"
_MOUNT = "node-1-mnt-longhorn-sdb-mount"
_INSTALL = "node-1-packages-install"


def _run(**changes: Any) -> Recording:
    return run(valid(**changes))


def _by_name(script: HostScript) -> str:
    """What standard input ends with, so that the host runs that script."""
    return checked_command(folder_of(_STACK), script)


def _arguments(command: Declared) -> list[str]:
    """What the script gets behind its action word, as the host's shell reads it."""
    head = command.inputs["stdin"].removeprefix("\n").partition("\n")[0]
    assert head.startswith('set -- "$1" ')
    return shlex.split(head)[3:]


def test_each_node_gets_packages_two_disks_and_labels() -> None:
    recording = _run()
    names = {r.name for r in recording.resources if r.name.startswith("node-1")}
    assert names == {
        "node-1",
        "node-1-packages",
        _INSTALL,
        "node-1-mnt-longhorn-sdb",
        _MOUNT,
        "node-1-mnt-longhorn-sdc",
        "node-1-mnt-longhorn-sdc-mount",
        "node-1-labels",
        "node-1-labels-patch",
    }


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (_INSTALL, "node-1-packages"),
        ("node-1-packages", "node-1"),
        (_MOUNT, "node-1-mnt-longhorn-sdb"),
        ("node-1-mnt-longhorn-sdb", "node-1"),
        ("node-1-labels-patch", "node-1-labels"),
        ("node-1-labels", "node-1"),
        ("node-1", ""),
    ],
)
def test_every_part_of_a_node_stands_below_it(child: str, parent: str) -> None:
    recording = _run()
    assert parent_of(recording, recording.named(child)) == parent


def test_disks_wait_for_the_packages_that_bring_their_tools() -> None:
    recording = _run()
    for disk in ("sdb", "sdc"):
        assert waits_for(recording, f"node-1-mnt-longhorn-{disk}-mount", _INSTALL)


def test_labels_wait_for_every_mount_of_the_node() -> None:
    recording = _run()
    for disk in ("sdb", "sdc"):
        assert waits_for(recording, "node-1-labels-patch", f"node-1-mnt-longhorn-{disk}-mount")


def test_nothing_runs_on_a_host_before_the_scripts_are_there() -> None:
    recording = _run()
    for command in recording.of_type(COMMAND):
        assert waits_for(recording, command.name, "node-scripts"), command.name


def test_nothing_is_undone_on_a_host_before_its_scripts_are_made_sure_of() -> None:
    recording = _run()
    undone = [each.name for each in recording.of_type(COMMAND) if "delete" in each.inputs]
    assert len(undone) == 4
    for name in undone:
        assert waits_for(recording, "node-scripts-for-removal", name), name


def test_no_command_carries_the_text_of_a_script() -> None:
    for command in _run().of_type(COMMAND):
        texts = [command.inputs.get(key, "") for key in ("create", "update", "delete", "stdin")]
        assert sum(map(len, texts)) < 700, command.name


def test_nodes_do_not_wait_for_each_other() -> None:
    recording = _run()
    assert not waits_for(recording, "node-2-labels-patch", _INSTALL)
    assert not waits_for(recording, "node-2-packages-install", _INSTALL)


def test_disks_of_a_node_do_not_wait_for_each_other() -> None:
    recording = _run()
    assert not waits_for(recording, "node-1-mnt-longhorn-sdc-mount", _MOUNT)
    assert not waits_for(recording, _MOUNT, "node-1-mnt-longhorn-sdc-mount")


def test_labels_wait_for_packages_also_on_a_node_whose_disks_are_not_the_programs() -> None:
    recording = _run(stages={"disks": False})
    assert waits_for(recording, "node-1-labels-patch", _INSTALL)


def test_a_disk_is_ensured_with_its_device_mount_point_and_file_system() -> None:
    disk = {"device": "/dev/sdb", "mountPoint": "/mnt/a", "fileSystem": "xfs"}
    command = _run(nodeDefaults={"disks": [disk]}).named("node-1-mnt-a-mount")
    assert command.inputs["create"].endswith("/run node-disk ensure /dev/sdb /mnt/a xfs")
    assert command.inputs["delete"].endswith("/run node-disk remove /dev/sdb /mnt/a xfs")
    assert "update" not in command.inputs
    assert _arguments(command) == ["/dev/sdb", "/mnt/a", "xfs", "", f"{_STACK} node-1-mnt-a"]
    assert command.inputs["stdin"].endswith(_by_name(NODE_DISK))


def test_options_of_mount_and_format_reach_the_script() -> None:
    disk = {"device": "/dev/sdb", "mountPoint": "/mnt/a"}
    options = {"mountOptions": "noatime,discard", "mkfsOptions": "-m 1"}
    command = _run(nodeDefaults={"disks": [disk | options]}).named("node-1-mnt-a-mount")
    assert _arguments(command)[-2:] == ["noatime,discard", "-m 1"]


def test_a_replaced_command_is_undone_before_it_is_done_again() -> None:
    for command in _run().of_type(COMMAND):
        assert command.request.deleteBeforeReplace, command.name


def test_a_node_may_be_left_out_of_the_packages_stage() -> None:
    recording = _run(nodes=nodes({"packages": False}, {}))
    names = [resource.name for resource in recording.of_type(COMMAND)]
    assert _INSTALL not in names
    assert "node-2-packages-install" in names
    assert _MOUNT in names


def test_an_adopted_file_system_is_named_by_its_uuid() -> None:
    disk = {
        "device": "/dev/sdb",
        "mountPoint": "/mnt/a",
        "adoptUuid": "0a1b2c3d-0000-4000-8000-000000000000",
    }
    command = _run(nodes=nodes({"disks": [disk]})).named("node-1-mnt-a-mount")
    assert _arguments(command)[2:4] == ["ext4", disk["adoptUuid"]]


def test_odd_characters_of_a_device_reach_the_script_as_they_are() -> None:
    device = "/dev/disk/by-id/a'b$(reboot);c"
    recording = _run(nodeDefaults={"disks": [{"device": device, "mountPoint": "/mnt/a"}]})
    command = recording.named("node-1-mnt-a-mount")
    assert _arguments(command)[:3] == [device, "/mnt/a", "ext4"]


def test_packages_stay_when_a_node_goes() -> None:
    command = _run().named(_INSTALL)
    assert command.inputs["create"].endswith("/run node-packages ensure")
    assert "delete" not in command.inputs


def test_tools_for_xfs_are_asked_for_only_where_a_disk_has_it() -> None:
    disk = {"device": "/dev/sdb", "mountPoint": "/mnt/a", "fileSystem": "xfs"}
    recording = _run(nodes=nodes({"disks": [disk]}, {}))
    assert _arguments(recording.named(_INSTALL)) == ["--xfs"]
    assert _arguments(recording.named("node-2-packages-install")) == []


def test_a_node_without_disks_gets_packages_and_nothing_else() -> None:
    recording = _run(nodes=nodes({"disks": []}))
    names = {r.name for r in recording.resources if r.name.startswith("node-1")}
    assert names == {"node-1", "node-1-packages", _INSTALL}


@pytest.mark.parametrize(
    ("stage", "absent"),
    [("packages", "-packages"), ("disks", "-mnt-"), ("labels", "-labels")],
)
def test_a_stage_that_is_off_leaves_its_part_out(stage: str, absent: str) -> None:
    names = [resource.name for resource in _run(stages={stage: False}).resources]
    assert [name for name in names if absent in name] == []
    kept = {"-packages", "-mnt-", "-labels"} - {absent}
    assert all(any(part in name for name in names) for part in kept)


def test_with_all_three_stages_off_a_node_is_not_declared_at_all() -> None:
    off = dict.fromkeys(("packages", "disks", "labels"), False)
    recording = _run(stages=off)
    assert recording.of_type("longhornrancher:node:LonghornNode") == []
    assert recording.of_type(COMMAND) == []


def test_label_and_annotation_name_the_nodes_disks() -> None:
    patch = _run().named("node-1-labels-patch")
    assert patch.inputs["node_name"] == "node-1"
    assert patch.inputs["labels"] == {LABEL: "config"}
    assert [disk["path"] for disk in json.loads(patch.inputs["annotations"][ANNOTATION])] == [
        "/mnt/longhorn-sdb",
        "/mnt/longhorn-sdc",
    ]


def test_label_and_annotation_are_the_stacks_own() -> None:
    patch = _run().named("node-1-labels-patch")
    assert patch.inputs["owner"] == "longhorn-rancher/test"
    assert set(patch.inputs["labels"]) == {LABEL}
    assert set(patch.inputs["annotations"]) == {ANNOTATION}


def test_no_part_of_a_stack_can_make_a_node() -> None:
    assert not [each.type for each in _run().resources if "core/v1:Node" in each.type]


def test_a_change_of_the_update_line_alone_is_no_change() -> None:
    commands = _run().of_type(COMMAND)
    assert commands
    for command in commands:
        # A disk's create line says once that it is to move.
        also = ["create"] if command.name.endswith("-mount") else []
        assert list(command.request.ignoreChanges) == ["update", *also], command.name


def test_a_command_may_take_an_hour_and_no_longer() -> None:
    commands = _run().of_type(COMMAND)
    assert commands
    for command in commands:
        timeouts = command.request.customTimeouts
        assert (timeouts.create, timeouts.update) == ("60m", "60m"), command.name


def test_a_connection_is_secret_and_pins_the_host_key() -> None:
    connection = _run().named(_MOUNT).inputs["connection"]
    assert isinstance(connection, SecretValue)
    assert connection.value["hostKey"] == valid()["nodes"][0]["hostKey"]
    assert connection.value["host"] == "192.0.2.11"
    assert connection.value["user"] == "root"


def test_a_node_may_have_a_user_and_port_of_its_own() -> None:
    own = nodes({"user": "admin", "port": 2222}, {})
    recording = _run(nodes=own, ssh={"useAgent": True, "user": "ops", "port": 2200})
    first = recording.named(_MOUNT).inputs["connection"].value
    second = recording.named("node-2-packages-install").inputs["connection"].value
    assert (first["user"], first["port"]) == ("admin", 2222)
    assert (second["user"], second["port"]) == ("ops", 2200)


def test_a_jump_host_stands_in_every_connection_with_its_own_host_key() -> None:
    jump = {"host": "bastion", "hostKey": JUMP_KEY, "user": "jumper"}
    recording = _run(ssh={"useAgent": True, "jumpHost": jump, "user": "ops"})
    commands = recording.of_type(COMMAND)
    assert commands
    for command in commands:
        proxy = command.inputs["connection"].value["proxy"]
        assert (proxy["host"], proxy["user"], proxy["hostKey"]) == ("bastion", "jumper", JUMP_KEY)


def test_without_host_keys_none_is_sent_only_where_the_stack_says_so() -> None:
    recording = _run(
        nodes=nodes({"hostKey": None}), ssh={"useAgent": True, "insecureIgnoreHostKeys": True}
    )
    assert "hostKey" not in recording.named(_MOUNT).inputs["connection"].value


def test_a_user_other_than_root_has_the_same_command_line_as_root() -> None:
    command = _run(ssh={"useAgent": True, "user": "ops"}).named(_INSTALL)
    assert command.inputs["create"] == _run().named(_INSTALL).inputs["create"]
    assert command.inputs["stdin"] == script_input(_by_name(NODE_PACKAGES), [])


def test_a_sudo_password_travels_on_standard_input_and_in_no_command_line() -> None:
    config = with_secrets(valid(ssh={"useAgent": True, "user": "ops"}), sudoPassword="tr0ub4dor")
    commands = run(config).of_type(COMMAND)
    assert commands
    for command in commands:
        assert isinstance(command.inputs["stdin"], SecretValue), command.name
        assert command.inputs["stdin"].value.startswith("tr0ub4dor\nset -- "), command.name
        for line in ("create", "update", "delete"):
            assert "tr0ub4dor" not in command.inputs.get(line, ""), command.name


def test_root_needs_no_sudo_password_even_if_there_is_one() -> None:
    command = run(with_secrets(valid(), sudoPassword="tr0ub4dor")).named(_INSTALL)
    assert command.inputs["stdin"] == script_input(_by_name(NODE_PACKAGES), [])


@pytest.mark.parametrize(
    ("secret", "field"),
    [
        ("sshPrivateKey", "privateKey"),
        ("sshPrivateKeyPassphrase", "privateKeyPassword"),
        ("sshPassword", "password"),
    ],
)
def test_each_ssh_secret_reaches_the_connection_and_no_other_input(secret: str, field: str) -> None:
    recording = run(with_secrets(valid(), **{secret: "tr0ub4dor"}))
    commands = recording.of_type(COMMAND)
    assert commands
    for command in commands:
        given = command.inputs["connection"].value[field]
        assert (given.value if isinstance(given, SecretValue) else given) == "tr0ub4dor"
        others = {k: v for k, v in command.inputs.items() if k != "connection"}
        assert "tr0ub4dor" not in repr(others)


def test_untaint_is_declared_for_control_plane_nodes_only() -> None:
    recording = _run(
        nodes=nodes({"controlPlane": True}, {}), controlPlane={"scheduling": "untaint"}
    )
    (untaint,) = recording.of_type("pulumi-python:dynamic/node:ControlPlaneUntaint")
    assert untaint.inputs["node_name"] == "node-1"
    assert waits_for(recording, "longhorn-release", untaint.name)


@pytest.mark.parametrize("choice", ["leave", "tolerate"])
def test_taints_are_left_alone_unless_the_stack_says_untaint(choice: str) -> None:
    recording = _run(nodes=nodes({"controlPlane": True}), controlPlane={"scheduling": choice})
    assert recording.of_type("pulumi-python:dynamic/node:ControlPlaneUntaint") == []


def test_a_disk_that_moves_leaves_longhorn_first_and_is_moved_by_its_own_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    findings = NodeFindings(
        disks={"/mnt/longhorn-sdb": "/dev/sdb is mounted on /mnt/old"},
        moved={"/mnt/longhorn-sdb": "/mnt/old"},
    )
    monkeypatch.setattr(
        preflight, "read_findings", lambda _settings: Findings(nodes={"node-1": findings})
    )
    # Equal configurations share one run.
    recording = _run(cluster={"name": "moving", "kubeconfig": "~/.kube/config"})
    command = recording.named(_MOUNT)
    words = "/run node-disk move /dev/sdb /mnt/longhorn-sdb ext4"
    assert command.inputs["create"].endswith(words)
    assert f"{words} 'found: /dev/sdb is mounted on /mnt/old" in command.inputs["update"]
    hooks = command.request.hooks
    assert list(hooks.before_create) == list(hooks.before_update)
    assert list(hooks.before_create) == ["node-1/mnt/old-leaves-longhorn"]
    of_another = recording.named("node-2-mnt-longhorn-sdb-mount").request.hooks
    assert list(of_another.before_create) == []


def test_the_first_run_for_a_disk_is_told_which_others_may_be_the_same_by_another_name() -> None:
    link = "/dev/disk/by-id/wwn-0x5"
    disks = [
        {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"},
        {"device": link, "mountPoint": "/mnt/longhorn-sdc"},
    ]
    command = _run(nodeDefaults={"disks": disks}).named(_MOUNT)
    assert f"'ensure beside {link}' /dev/sdb" in command.inputs["create"]
    # What a later run does holds for the life of the disk, and its neighbours may change.
    assert "node-disk ensure /dev/sdb" in command.inputs["update"]
    assert link not in command.inputs["stdin"] + command.inputs["delete"]
