"""The directory under the mount: nothing gets hidden in it, nothing gets written to it."""

from __future__ import annotations

import pytest

from tests.scripts.remote import (
    MOUNT_POINT,
    disk_script,
    ensure,
    fstab,
    mounted_device,
    remove,
    vanish,
)
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def test_while_the_disk_is_not_mounted_nothing_can_be_written_there(
    host: Sandbox, disk: Disk
) -> None:
    assert ensure(host, disk).result["immutable"] is True
    host.shell(f"umount {MOUNT_POINT}")
    done = host.call("sh", "-c", f"echo replica >{MOUNT_POINT}/longhorn-disk.cfg")
    assert done.returncode != 0
    assert "Operation not permitted" in done.stderr


def test_a_mount_point_that_someone_made_writable_becomes_immutable_again_while_mounted(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk)
    host.shell(f"umount {MOUNT_POINT}; chattr -i {MOUNT_POINT}; mount {MOUNT_POINT}")
    assert ensure(host, disk).result["immutable"] is True
    host.shell(f"umount {MOUNT_POINT}")
    assert host.call("touch", f"{MOUNT_POINT}/file").returncode != 0


def test_where_the_root_file_system_has_no_immutable_flag_the_result_says_so(
    host: Sandbox, disk: Disk
) -> None:
    # A file system without such flags in the place of /mnt's.
    host.write_text("/opt/test/chattr", "#!/bin/sh\nexit 1\n")
    host.shell("chmod +x /opt/test/chattr")
    first = ensure(host, disk, path="/opt/test")
    assert first.result["immutable"] is False
    assert f"warning: {MOUNT_POINT} cannot be made immutable" in first.stderr
    second = ensure(host, disk, path="/opt/test")
    assert second.result == first.result | {"formatted": False}


def test_looking_beneath_the_mount_leaves_no_trace_on_the_host(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    mounts = host.read_text("/proc/self/mounts")
    ensure(host, disk)
    assert host.read_text("/proc/self/mounts") == mounts


def test_missing_parent_directories_are_made(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, mount_point="/srv/storage/longhorn/one")
    assert mounted_device(host, "/srv/storage/longhorn/one") == disk.number


def refused_before_formatting(host: Sandbox, disk: Disk) -> str:
    before = disk.digest()
    refusal = ensure(host, disk).refusal
    assert disk.digest() == before
    assert fstab(host) == FSTAB
    return refusal


def test_a_mount_point_with_files_in_it_is_refused(host: Sandbox, disk: Disk) -> None:
    host.shell(f"mkdir {MOUNT_POINT}; echo data >{MOUNT_POINT}/.hidden")
    refusal = refused_before_formatting(host, disk)
    assert f"mount point {MOUNT_POINT} is not empty" in refusal
    assert host.read_text(f"{MOUNT_POINT}/.hidden") == "data\n"


def test_a_mount_point_that_is_a_file_is_refused(host: Sandbox, disk: Disk) -> None:
    host.shell(f"echo data >{MOUNT_POINT}")
    assert "is not a directory" in refused_before_formatting(host, disk)


def test_a_mount_point_that_a_read_only_root_lacks_is_refused(host: Sandbox, disk: Disk) -> None:
    host.shell("mount --bind /mnt /mnt; mount -o remount,bind,ro /mnt")
    refusal = refused_before_formatting(host, disk)
    assert f"{MOUNT_POINT} is not there, and /mnt is on a file system that is read-only" in refusal
    assert "Choose one below /var/lib" in refusal
    assert "read-only" in disk_script(host, "check", disk).found["found"]
    assert ensure(host, disk, mount_point="/var/lib/longhorn-sdb").result["formatted"] is True


def test_a_directory_that_a_read_only_root_has_is_mounted_over(host: Sandbox, disk: Disk) -> None:
    host.shell(f"mkdir {MOUNT_POINT}; mount --bind /mnt /mnt; mount -o remount,bind,ro /mnt")
    ensure(host, disk)
    assert mounted_device(host) == disk.number


@pytest.mark.parametrize("link", [MOUNT_POINT, "/mnt"])
def test_a_mount_point_behind_a_symbolic_link_is_refused(
    host: Sandbox, disk: Disk, link: str
) -> None:
    host.shell(f"mkdir /opt/real; [ ! -d {link} ] || rmdir {link}; ln -s /opt/real {link}")
    assert f"through the symbolic link {link}" in refused_before_formatting(host, disk)


def test_a_mount_point_in_use_by_another_disk_is_refused(host: Sandbox, disk: Disk) -> None:
    host.add_disk("sdc", 16 * MIB)
    host.shell(f"mkfs.ext4 -q /dev/sdc; mkdir {MOUNT_POINT}; mount /dev/sdc {MOUNT_POINT}")
    refusal = refused_before_formatting(host, disk)
    assert f"{MOUNT_POINT} has ext4 on loop" in refusal
    assert "/dev/disk/by-id" in refusal


def test_a_mount_that_shows_only_a_part_of_the_disk_is_refused(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"mkdir {MOUNT_POINT}/part; mount --bind {MOUNT_POINT}/part {MOUNT_POINT}")
    assert f"{MOUNT_POINT} shows only /part of /dev/sdb" in ensure(host, disk).refusal


def test_a_mount_that_went_read_only_is_an_error(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"mount -o remount,ro {MOUNT_POINT}")
    assert "is mounted read-only" in ensure(host, disk).refusal


def test_a_mount_lost_since_the_last_run_is_restored(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"umount {MOUNT_POINT}")
    assert ensure(host, disk).result["formatted"] is False
    assert mounted_device(host) == disk.number


def test_a_mount_that_systemd_makes_first_is_taken_as_it_is(host: Sandbox, disk: Disk) -> None:
    late = f'#!/bin/sh\n/bin/mount "$@"\n[ "$*" != {MOUNT_POINT} ] || exit 32\n'
    host.write_text("/opt/test/mount", late)
    host.shell("chmod +x /opt/test/mount")
    assert ensure(host, disk, path="/opt/test").result["immutable"] is True
    assert mounted_device(host) == disk.number


def test_a_mount_that_fails_is_an_error(host: Sandbox, disk: Disk) -> None:
    host.write_text("/opt/test/mount", f'#!/bin/sh\n[ "$*" != {MOUNT_POINT} ] || exit 32\n')
    host.shell("chmod +x /opt/test/mount")
    assert f"mount {MOUNT_POINT} failed" in ensure(host, disk, path="/opt/test").refusal


# ---- a disk that was pulled while it was mounted ----------------------------------------------

OWNER = "demo/a node-1-sdb"


@pytest.fixture
def successor(host: Sandbox, disk: Disk) -> Disk:
    """A blank disk where `disk` was, which was mounted for OWNER and is gone."""
    ensure(host, disk, owner=OWNER)
    successor = host.add_disk("sdc", 24 * MIB)
    vanish(host, disk)
    return successor


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("record", ["there", "none, as an earlier version left it"])
def test_a_disk_takes_the_place_of_one_that_was_pulled_while_it_was_mounted(
    host: Sandbox, disk: Disk, successor: Disk, used: bool, record: str
) -> None:
    if record != "there":
        host.shell("rm /var/lib/longhorn-rancher/mount-*")
    seen = disk_script(host, "check", successor).result
    assert (seen["vanished"], seen["content"], seen["mounted"]) == (True, "blank", False)
    assert mounted_device(host) == disk.number
    with host.bystander(f"cd {MOUNT_POINT if used else '/'}"):
        done = ensure(host, successor, owner=OWNER)
    assert done.result["formatted"] is True
    assert f"ending the mount of a disk that is gone on {MOUNT_POINT}" in done.stderr
    assert mounted_device(host) == successor.number
    assert (
        fstab(host) == f"{FSTAB}UUID={done.result['uuid']} {MOUNT_POINT} ext4 defaults,nofail 0 2\n"
    )
    assert disk_script(host, "check", successor).result["vanished"] is False
    remove(host, successor, owner=OWNER)
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


@pytest.mark.parametrize("whose", ["nobody's", "the user's"])
def test_a_mount_of_somebody_else_whose_disk_is_gone_is_refused_with_the_command_that_ends_it(
    host: Sandbox, disk: Disk, whose: str
) -> None:
    host.shell(f"mkfs.ext4 -q {disk.path}; mkdir {MOUNT_POINT}")
    if whose == "the user's":
        uuid = host.shell(f"blkid -p -s UUID -o value {disk.path}").strip()
        host.write_text("/etc/fstab", f"{FSTAB}UUID={uuid} {MOUNT_POINT} ext4 noatime,nofail 0 2\n")
        ensure(host, disk, owner=OWNER, adopt=uuid)
    else:
        host.shell(f"mount {disk.path} {MOUNT_POINT}")
    table, successor = fstab(host), host.add_disk("sdc", 24 * MIB)
    vanish(host, disk)
    refusal = ensure(host, successor, owner=OWNER).refusal
    assert f"{MOUNT_POINT} has a disk mounted on it that is gone" in refusal
    assert f"umount -l {MOUNT_POINT}" in refusal
    assert (mounted_device(host), fstab(host)) == (disk.number, table)


def test_what_lies_beneath_the_mount_of_a_disk_that_is_gone_is_not_hidden(
    host: Sandbox, disk: Disk
) -> None:
    host.shell(f"mkfs.ext4 -q -L longhorn {disk.path}; mkdir {MOUNT_POINT}")
    host.shell(f"touch {MOUNT_POINT}/file; mount {disk.path} {MOUNT_POINT}")
    ensure(host, disk, owner=OWNER)
    successor = host.add_disk("sdc", 24 * MIB)
    before = successor.digest()
    vanish(host, disk)
    refusal = ensure(host, successor, owner=OWNER).refusal
    assert f"mount point {MOUNT_POINT} is not empty" in refusal
    assert "The mount of the disk that is gone was ended, nothing else was changed." in refusal
    assert successor.digest() == before
