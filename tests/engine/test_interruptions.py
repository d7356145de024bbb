"""Runs that were broken off while disks were being formatted, on Pulumi's real engine.

Each holds the run where it hurts most: the file systems are made, and nothing says so yet. The
disk script itself is killed before every one of its commands in tests/scripts.
"""

from pathlib import Path

from lab.common.waiting import wait_until
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import DISKS, file_hash, hosts_only, mounts, on_host, write_file
from tests.engine.slow_formatting import SlowFormatting

pytestmark = needs_hosts
BOTH_DISKS = ["/dev/sdb", "/dev/sdc"]
MOUNT_POINTS = {"/mnt/longhorn-sdb", "/mnt/longhorn-sdc"}


def assert_completes(stack: Stack, host: HostHandle, formatting: SlowFormatting) -> None:
    """The next `up` mounts both disks, and neither was formatted a second time."""
    made = set(on_host(host, "blkid -o value -s UUID /dev/sdb /dev/sdc").split())
    stack.up().or_fail()
    assert mounts(host).keys() == MOUNT_POINTS
    assert set(mounts(host).values()) == made
    assert formatting.formatted() == BOTH_DISKS
    assert stack.preview().or_fail().operations() == {}


def test_after_a_kill_of_engine_and_plugins_the_next_up_completes(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("killed", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    running.kill()
    formatting.release()
    stack.unlock()
    assert_completes(stack, host, formatting)


def test_after_a_kill_of_an_engine_that_keeps_no_checkpoints_the_next_up_completes(
    engine: Engine, host: HostHandle
) -> None:
    """What a run did and wrote nowhere is done again, and adopts what is there."""
    engine.environment["PULUMI_SKIP_CHECKPOINTS"] = "true"
    formatting = SlowFormatting(host)
    stack = engine.project_stack("unwritten", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    running.kill()
    formatting.release()
    stack.unlock()
    assert stack.resources() == []
    assert_completes(stack, host, formatting)


def test_after_a_kill_of_the_command_plugin_alone_the_up_fails_and_the_next_completes(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("plugin", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    running.kill_plugins()
    assert not running.wait().succeeded
    formatting.release()
    assert_completes(stack, host, formatting)


def test_after_the_ssh_connection_broke_the_up_fails_and_the_next_waits_for_the_script_to_end(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("cut", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    on_host(
        host,
        "for process in $(grep -l '^sshd: [a-z]*@notty' /proc/[0-9]*/cmdline); do"
        ' process=${process%/cmdline}; kill -9 "${process#/proc/}"; done',
    )
    assert not running.wait().succeeded
    again = stack.start("up")
    again.wait_for(lambda outcome: "waiting for another run to end" in outcome.log)
    formatting.release()
    again.wait().or_fail()
    assert_completes(stack, host, formatting)


def test_a_host_that_loses_power_between_formatting_and_fstab_is_completed_by_the_next_up(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("power", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    assert "longhorn" not in on_host(host, "cat /etc/fstab")
    formatting.run_through()
    hosts.power_off(host.name)
    assert not running.wait().succeeded
    hosts.reboot(host.name)
    assert_completes(stack, host, formatting)


def test_a_host_that_loses_power_while_a_disk_grows_has_it_grown_by_the_next_up(
    engine: Engine, host: HostHandle
) -> None:
    disks = [{**DISKS[0], "fileSystem": "xfs"}]
    stack = engine.project_stack("grown", config=hosts_only([host], nodeDefaults={"disks": disks}))
    stack.up().or_fail()
    written = write_file(host, "/mnt/longhorn-sdb/data")
    hosts.grow_disk(host.name, "/dev/sdb", 2 * hosts.DEFAULT_DISK_BYTES)
    held = "#!/bin/sh\n: >/var/lib/growing\nexec tail -f /dev/null\n"
    on_host(host, "cat >/usr/local/sbin/xfs_growfs; chmod +x /usr/local/sbin/xfs_growfs", held)
    running = stack.start("up")
    wait_until(
        lambda: hosts.run(host.name, "test -e /var/lib/growing").returncode == 0,
        doing=f"{host.name} growing a disk",
        seconds=60,
    )
    running.kill()
    hosts.power_off(host.name)
    hosts.reboot(host.name)
    on_host(host, "rm /usr/local/sbin/xfs_growfs")
    stack.unlock()
    assert "/dev/sdb got larger: it has 2 GiB, and its file system 1 GiB" in (
        stack.preview("--diff").or_fail().log
    )
    stack.up().or_fail()
    blocks, size = on_host(host, "stat -f -c '%b %S' /mnt/longhorn-sdb").split()
    assert int(blocks) * int(size) > 1.8 * hosts.DEFAULT_DISK_BYTES
    assert file_hash(host, "/mnt/longhorn-sdb/data") == written
    assert stack.preview().or_fail().operations() == {}


def test_two_people_with_a_state_each_run_up_at_once_and_the_second_waits_for_the_first(
    tmp_path: Path, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stacks = [
        Engine(tmp_path / person / "engine").project_stack(person, config=hosts_only([host]))
        for person in ("first", "second")
    ]
    running = [stacks[0].start("up")]
    formatting.wait_until_held(disks=2)
    running.append(stacks[1].start("up"))
    running[1].wait_for(lambda outcome: "waiting for another run to end" in outcome.log)
    formatting.release()
    for each in running:
        each.wait().or_fail()
    assert formatting.formatted() == BOTH_DISKS
    assert mounts(host).keys() == MOUNT_POINTS
    for stack in stacks:
        assert stack.preview().or_fail().operations() == {}


def test_an_up_broken_off_by_hand_ends_after_the_disks_in_hand_and_the_next_completes(
    engine: Engine, host: HostHandle
) -> None:
    formatting = SlowFormatting(host)
    stack = engine.project_stack("interrupted", config=hosts_only([host]))
    running = stack.start("up")
    formatting.wait_until_held(disks=2)
    running.interrupt()
    formatting.release()
    assert not running.wait().succeeded
    assert_completes(stack, host, formatting)
