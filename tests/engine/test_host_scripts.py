"""The scripts on a host, cleared away or written by an earlier version, by the real engine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.common.script_text import script_text
from components.hosts.script import command_line, script_input
from components.nodes.script_parts import DISK, PACKAGES
from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import hosts_only, mounts, node, on_host

pytestmark = needs_hosts
COMMAND = "command:remote:Command"
SCRIPTS = "pulumi-python:dynamic/node:Scripts"
FOLDER = "/var/lib/longhorn-rancher/scripts"
# Changes whenever anything is mounted or unmounted, and when a file system is made.
MOUNTED = "cat /proc/self/mountinfo; blkid; cat /etc/fstab; stat -c %Z /mnt/*"


def converged(engine: Engine, host: HostHandle, **more: Any) -> Stack:
    stack = engine.project_stack(host.name, config=hosts_only([host], **more))
    stack.up().or_fail()
    assert len(mounts(host)) == 2
    return stack


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (f"rm -r {FOLDER}", "not there: run, checked, node-packages-"),
        (f"sed -i 's/umount/true/' {FOLDER}/*/*/node-disk-*", "changed: node-disk-"),
    ],
    ids=["cleared away", "edited"],
)
def test_scripts_that_are_gone_or_edited_show_and_up_puts_them_right_before_anything_runs(
    engine: Engine, host: HostHandle, fault: str, told: str
) -> None:
    stack = converged(engine, host)
    on_host(host, fault)
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {"update": 1}
    assert previewed.operations(SCRIPTS) == {"update": 1}
    assert f"{host.name}: {told}" in previewed.log
    on_host(host, "umount /mnt/longhorn-sdb")
    outcome = stack.up().or_fail()
    assert outcome.operations(COMMAND) == {"update": 1}
    assert len(mounts(host)) == 2
    assert stack.preview().or_fail().operations() == {}


def test_a_stack_is_destroyed_where_the_scripts_are_gone_and_leaves_none(
    engine: Engine, host: HostHandle
) -> None:
    stack = converged(engine, host)
    on_host(host, f"rm -r {FOLDER}")
    stack.destroy().or_fail()
    assert mounts(host) == {}
    assert "longhorn" not in on_host(host, "cat /etc/fstab; ls /var/lib")


def test_a_node_leaves_where_the_scripts_are_gone(
    engine: Engine, new_host: Callable[[], HostHandle]
) -> None:
    stays, goes = new_host(), new_host()
    stack = engine.project_stack("leaves", config=hosts_only([stays, goes]))
    stack.up().or_fail()
    on_host(goes, f"rm -r {FOLDER}")
    stack.configure(hosts_only([stays, goes], nodes=[node(stays)]))
    stack.up().or_fail()
    assert mounts(goes) == {}
    assert len(mounts(stays)) == 2
    stack.destroy().or_fail()
    for host in (stays, goes):
        assert "longhorn" not in on_host(host, "ls /var/lib")


def test_where_hosts_are_not_read_a_script_that_is_gone_stops_its_command_and_says_so(
    engine: Engine, host: HostHandle
) -> None:
    stack = converged(engine, host, checks={"readHosts": False})
    on_host(host, f"rm {FOLDER}/*/*/node-disk-*")
    disks = hosts_only([host])["nodeDefaults"]["disks"]
    changed = [{**disks[0], "mountOptions": "noatime"}, disks[1]]
    stack.configure({"nodeDefaults": {"disks": changed}})
    outcome = stack.up()
    assert not outcome.succeeded
    assert "is not there, so nothing was done" in outcome.errors()
    assert len(mounts(host)) == 2


def test_a_sudo_that_asks_is_answered_when_the_scripts_are_put_there_and_taken_away(
    engine: Engine, host: HostHandle
) -> None:
    stack = engine.project_stack(
        "asked",
        config=hosts_only([host], nodes=[node(host, user="careful")]),
        secrets={"sudoPassword": host.careful_password},
    )
    stack.up().or_fail()
    assert host.careful_password not in str(stack.export())
    stack.destroy().or_fail()
    assert "longhorn" not in on_host(host, "ls /var/lib")


def as_written_before(stack: Stack) -> None:
    """Put into the state what a version without scripts on hosts wrote there."""
    state = stack.export()
    deployment = state["deployment"]
    kept = [each for each in deployment["resources"] if "dynamic/node:Scripts" not in each["urn"]]
    gone = {each["urn"] for each in deployment["resources"]} - {each["urn"] for each in kept}
    # The provider of what is gone goes, too.
    kept = [each for each in kept if "pulumi:providers:pulumi-python" not in each["urn"]]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies", []) if urn not in gone]
        if each["type"] != COMMAND:
            continue
        words = each["inputs"]["stdin"].partition('set -- "$1" ')[2].partition("\n")[0]
        is_disk = words.startswith("/dev/")
        text = script_text(*(DISK if is_disk else PACKAGES))
        for properties in (each["inputs"], each["outputs"]):
            properties["create"] = properties["update"] = command_line("ensure")
            properties["stdin"] = script_input(text, []).replace(
                'set -- "$1" \n', f'set -- "$1" {words}\n'
            )
            if is_disk:
                properties["delete"] = command_line("remove")
    deployment["resources"] = kept
    stack.pulumi("stack", "import", text=json.dumps(state))


def test_a_state_of_an_earlier_version_is_taken_over_by_one_up_and_no_disk_is_touched(
    engine: Engine, host: HostHandle
) -> None:
    stack = converged(engine, host)
    as_written_before(stack)
    on_host(host, f"rm -r {FOLDER}")
    before = on_host(host, MOUNTED)
    outcome = stack.up().or_fail()
    assert outcome.operations(COMMAND) == {"update": 3}
    assert on_host(host, MOUNTED) == before
    assert "mkfs" not in str(stack.export()["deployment"])
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()
    assert mounts(host) == {}


def test_a_state_of_an_earlier_version_can_be_destroyed_as_it_is(
    engine: Engine, host: HostHandle
) -> None:
    stack = converged(engine, host)
    as_written_before(stack)
    on_host(host, f"rm -r {FOLDER}")
    stack.destroy().or_fail()
    assert mounts(host) == {}
