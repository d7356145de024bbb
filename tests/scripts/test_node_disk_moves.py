"""A disk that gets another mount point: what a run may move, what it refuses, and how."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripts.remote import (
    MOUNT_POINT,
    Outcome,
    disk_script,
    ensure,
    fstab,
    mounted_device,
    remove,
)
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

NEW = "/mnt/storage/one"
OWNER, NEW_OWNER = "demo/a node-1-mnt-longhorn-sdb", "demo/a node-1-mnt-storage-one"


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    """A disk with data, mounted on MOUNT_POINT for OWNER."""
    disk = host.add_disk("sdb", 16 * MIB)
    ensure(host, disk, owner=OWNER)
    host.shell(f"echo precious >{MOUNT_POINT}/file")
    return disk


def check(host: Sandbox, disk: Disk | str, **options: str) -> dict[str, Any]:
    return disk_script(host, "check", disk, mount_point=NEW, **options).result


def move(host: Sandbox, disk: Disk, owner: str = NEW_OWNER) -> Outcome:
    return disk_script(host, "move", disk, mount_point=NEW, owner=owner)


def assert_untouched(host: Sandbox, disk: Disk, table: str) -> None:
    assert mounted_device(host) == disk.number
    assert mounted_device(host, NEW) == ""
    assert fstab(host) == table


def test_a_look_tells_where_this_program_has_it_mounted_and_for_whom(
    host: Sandbox, disk: Disk
) -> None:
    seen = check(host, disk)
    assert (seen["content"], seen["mounted"]) == ("own", False)
    assert (seen["mountedOn"], seen["mountedBy"]) == (MOUNT_POINT, OWNER)


def test_a_run_that_was_not_told_to_move_it_names_the_two_runs(host: Sandbox, disk: Disk) -> None:
    table = fstab(host)
    refusal = ensure(host, disk, mount_point=NEW, owner=NEW_OWNER).refusal
    assert f"is already mounted on {MOUNT_POINT}" in refusal
    assert "take the disk out of the stack file and run pulumi up, then add it" in refusal
    assert_untouched(host, disk, table)


def test_a_moved_disk_keeps_its_data_and_leaves_nothing_behind_once_the_old_one_is_removed(
    host: Sandbox, disk: Disk
) -> None:
    before = check(host, disk)["uuid"]
    result = move(host, disk).result
    assert (result["uuid"], result["formatted"], result["immutable"]) == (before, False, True)
    assert mounted_device(host, NEW) == disk.number
    table = fstab(host)
    assert table == f"{FSTAB}UUID={before} {NEW} ext4 defaults,nofail 0 2\n"
    assert remove(host, disk, owner=OWNER).result == {"removed": True}
    assert (mounted_device(host), mounted_device(host, NEW)) == ("", disk.number)
    assert fstab(host) == table
    assert host.call("test", "-e", MOUNT_POINT).returncode != 0
    assert host.read_text(f"{NEW}/file") == "precious\n"
    assert move(host, disk).result == result
    assert remove(host, disk, mount_point=NEW, owner=NEW_OWNER).result == {"removed": True}
    assert fstab(host) == FSTAB


def test_a_disk_in_use_stays_where_it_is_and_its_users_are_named(host: Sandbox, disk: Disk) -> None:
    table = fstab(host)
    with host.bystander(f"cd {MOUNT_POINT}; echo ready; exec cat >&2"):
        refusal = move(host, disk).refusal
    assert f"{MOUNT_POINT} cannot be unmounted. In use by: cat (pid " in refusal
    assert_untouched(host, disk, table)


def test_a_mount_of_another_stack_is_left_alone(host: Sandbox, disk: Disk) -> None:
    table = fstab(host)
    assert f"by {OWNER}" in move(host, disk, owner="demo/b node-1-mnt-storage-one").refusal
    assert_untouched(host, disk, table)


def test_a_mount_of_somebody_else_is_left_alone(host: Sandbox, disk: Disk) -> None:
    host.shell("rm /var/lib/longhorn-rancher/mount-*")
    table = fstab(host)
    assert "Unmount it there, and delete its line in /etc/fstab" in move(host, disk).refusal
    assert_untouched(host, disk, table)


def test_a_line_of_the_user_for_an_adopted_file_system_is_left_alone(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    host.shell("mkfs.ext4 -q -L data /dev/sdb")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()
    host.shell(
        f"mkdir {MOUNT_POINT}; echo 'UUID={uuid} {MOUNT_POINT} ext4 noatime 0 2' >>/etc/fstab"
    )
    ensure(host, disk, owner=OWNER, adopt=uuid)
    table = fstab(host)
    done = disk_script(host, "move", disk, mount_point=NEW, owner=NEW_OWNER, adopt=uuid)
    assert "Unmount it there, and delete its line in /etc/fstab" in done.refusal
    assert_untouched(host, disk, table)


@pytest.mark.parametrize("done", ["umount", "new line", "mount"])
def test_a_move_that_broke_off_is_completed_by_the_next_run(
    host: Sandbox, disk: Disk, done: str
) -> None:
    """What follows the unmounting is what `ensure` does, and that is killed at every command."""
    uuid = check(host, disk)["uuid"]
    line = f"UUID={uuid} {NEW} ext4 defaults,nofail 0 2"
    host.shell(f"umount {MOUNT_POINT}")
    if done != "umount":
        host.shell(f"mkdir -p {NEW}; sed -i 's#^UUID={uuid} .*#{line}#' /etc/fstab")
    if done == "mount":
        host.shell(f"mount {NEW}")
    assert check(host, disk)["mountedOn"] is None
    ensure(host, disk, mount_point=NEW, owner=NEW_OWNER)
    assert remove(host, disk, owner=OWNER).result == {"removed": True}
    assert mounted_device(host, NEW) == disk.number
    assert fstab(host) == f"{FSTAB}{line}\n"
    assert host.read_text(f"{NEW}/file") == "precious\n"


def test_disks_named_by_links_are_not_exchanged_in_one_run(host: Sandbox, disk: Disk) -> None:
    other = host.add_disk("sdc", 16 * MIB)
    ensure(host, other, mount_point=NEW, owner=NEW_OWNER)
    host.shell("mkdir -p /dev/disk/by-id; ln -s ../../sdb /dev/disk/by-id/ata-b")
    table = fstab(host)
    found = disk_script(host, "check", "/dev/disk/by-id/ata-b", mount_point=NEW).found
    assert f"is the disk of {MOUNT_POINT}, and that of {NEW} is /dev/sdc" in found["found"]
    assert "take both disks out of the stack file" in found["remedy"]
    refused = ensure(host, "/dev/disk/by-id/ata-b", mount_point=NEW, owner=NEW_OWNER)
    assert f"is the disk of {MOUNT_POINT}" in refused.refusal
    assert (mounted_device(host), mounted_device(host, NEW)) == (disk.number, other.number)
    assert fstab(host) == table


@pytest.mark.usefixtures("disk")
def test_a_name_of_the_kernel_that_is_another_disks_now_is_told(host: Sandbox) -> None:
    other = host.add_disk("sdc", 16 * MIB)
    ensure(host, other, mount_point=NEW, owner=NEW_OWNER)
    assert check(host, "/dev/sdb")["exchanged"] == "/dev/sdc"
    assert check(host, "/dev/sdc")["exchanged"] is None


def test_another_file_system_for_a_disk_in_use_is_refused_with_the_runs_that_lead_there(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", 320 * MIB)
    ensure(host, disk, owner=OWNER)
    found = disk_script(host, "check", disk, file_system="xfs").found
    assert f"/dev/sdb is mounted on {MOUNT_POINT} and holds ext4" in found["found"]
    way = found["remedy"]
    assert way.index("take the disk out") < way.index("clear it yourself: ") < way.index("add it")
    assert remove(host, disk, owner=OWNER).result == {"removed": True}
    host.shell(way.partition("clear it yourself: ")[2].partition("; then add it")[0])
    assert ensure(host, disk, file_system="xfs", owner=OWNER).result["fileSystem"] == "xfs"
