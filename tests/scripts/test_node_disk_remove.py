"""Giving a disk back: unmounted and out of fstab, its data untouched, nothing of others touched."""

from __future__ import annotations

import pytest

from tests.scripts.remote import MOUNT_POINT, ensure, fstab, mounted_device, remove, vanish
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def test_everything_that_ensure_did_is_undone_but_the_data(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"echo data >{MOUNT_POINT}/file")

    assert remove(host, disk).result == {"removed": True}

    assert mounted_device(host) == ""
    assert fstab(host) == FSTAB
    assert host.shell("ls -A /mnt /var/lib/longhorn-rancher").split() == [
        "/mnt:",
        "/var/lib/longhorn-rancher:",
    ]
    host.shell("mount /dev/sdb /opt/test")
    assert host.read_text("/opt/test/file") == "data\n"


def test_removing_again_changes_nothing(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    remove(host, disk)
    before = disk.digest()
    assert remove(host, disk).result == {"removed": True}
    assert disk.digest() == before
    assert fstab(host) == FSTAB


def test_a_disk_that_was_never_prepared_is_removed_without_a_word(
    host: Sandbox, disk: Disk
) -> None:
    before = disk.digest()
    assert remove(host, disk).result == {"removed": True}
    assert disk.digest() == before


def test_a_disk_that_is_gone_is_removed(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"umount {MOUNT_POINT}; rm /dev/sdb")
    assert remove(host, disk).result == {"removed": True}
    assert fstab(host) == FSTAB
    assert host.shell("ls -A /mnt") == ""


def test_a_busy_mount_is_refused_with_the_name_of_who_keeps_it_busy(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk)
    host.shell(f"mkdir {MOUNT_POINT}/replicas")
    with host.bystander(f"cd {MOUNT_POINT}/replicas"):
        refusal = remove(host, disk).refusal
    assert f"{MOUNT_POINT} cannot be unmounted. In use by: cat (pid " in refusal
    assert mounted_device(host) == disk.number
    assert fstab(host) != FSTAB
    assert remove(host, disk).result == {"removed": True}


def test_an_open_file_and_a_mount_below_are_named_too(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    host.shell(f"mkdir {MOUNT_POINT}/below; mount -t tmpfs tmpfs {MOUNT_POINT}/below")
    with host.bystander(f"exec 3>{MOUNT_POINT}/file"):
        refusal = remove(host, disk).refusal
    assert "cat (pid " in refusal
    assert f"the mount on {MOUNT_POINT}/below" in refusal


def test_another_disk_that_took_over_the_mount_point_stays(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    remove(host, disk)
    successor = host.add_disk("sdc", 16 * MIB)
    ensure(host, successor)
    before = fstab(host)

    done = remove(host, disk)

    assert done.result == {"removed": True}
    assert "that stays mounted" in done.stderr
    assert mounted_device(host) == successor.number
    assert fstab(host) == before


@pytest.mark.parametrize("is_gone", [True, False])
def test_what_has_no_disk_at_all_stays_mounted(host: Sandbox, disk: Disk, is_gone: bool) -> None:
    ensure(host, disk)
    host.shell(f"umount {MOUNT_POINT}; mount -t tmpfs share {MOUNT_POINT}")
    if is_gone:
        host.shell("rm /dev/sdb")
    done = remove(host, disk)
    assert done.result == {"removed": True}
    assert f"{MOUNT_POINT} has tmpfs on 0:" in done.stderr
    assert host.shell(f"findmnt -no SOURCE {MOUNT_POINT}") == "share\n"


def test_the_mount_of_a_disk_that_vanished_is_taken_away_though_another_has_its_name(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk, owner="demo/a node-1-sdb")
    successor = host.add_disk("sdc", 16 * MIB)
    before = successor.digest()
    vanish(host, disk)
    host.shell("mv /dev/sdc /dev/sdb")
    assert remove(host, disk, owner="demo/a node-1-sdb").result == {"removed": True}
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)
    assert host.shell("ls -A /mnt") == ""
    assert successor.digest() == before


def test_a_mount_elsewhere_and_its_line_stay(host: Sandbox, disk: Disk) -> None:
    uuid = ensure(host, disk).result["uuid"]
    remove(host, disk)
    line = f"UUID={uuid} /opt/test ext4 defaults 0 2\n"
    host.write_text("/etc/fstab", FSTAB + line)
    host.shell("mount /opt/test")

    assert remove(host, disk).result == {"removed": True}

    assert mounted_device(host, "/opt/test") == disk.number
    assert fstab(host) == FSTAB + line


def test_a_directory_with_files_in_it_stays(host: Sandbox, disk: Disk) -> None:
    host.shell(f"mkdir {MOUNT_POINT}; echo data >{MOUNT_POINT}/file")
    done = remove(host, disk)
    assert done.result == {"removed": True}
    assert f"{MOUNT_POINT} is not empty; it stays" in done.stderr
    assert host.read_text(f"{MOUNT_POINT}/file") == "data\n"
