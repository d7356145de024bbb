"""Kernel names are given anew at each start: /dev/sdb may be another disk than the day before."""

from __future__ import annotations

import pytest

from tests.scripts.remote import MOUNT_POINT, disk_script, ensure, fstab, mounted_device, remove
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

OTHER = "/mnt/longhorn-sdc"


@pytest.fixture
def disks(host: Sandbox) -> list[Disk]:
    """Two prepared disks with a file each; since then the host has exchanged their names."""
    disks = [host.add_disk("sdb", 16 * MIB), host.add_disk("sdc", 20 * MIB)]
    for disk, mount_point in zip(disks, (MOUNT_POINT, OTHER), strict=True):
        assert ensure(host, disk, mount_point=mount_point).result["formatted"]
        host.shell(f"echo {disk.name} >{mount_point}/file; umount {mount_point}")
    host.shell("mv /dev/sdb /dev/x; mv /dev/sdc /dev/sdb; mv /dev/x /dev/sdc; rm -rf /run/blkid")
    return disks


def assert_as_before(host: Sandbox, disks: list[Disk]) -> None:
    assert mounted_device(host) == disks[0].number
    assert mounted_device(host, OTHER) == disks[1].number
    assert host.read_text(f"{MOUNT_POINT}/file") == "sdb\n"
    assert host.read_text(f"{OTHER}/file") == "sdc\n"


@pytest.mark.parametrize("mounted", [True, False])
def test_disks_that_exchanged_their_names_keep_their_mount_points(
    host: Sandbox, disks: list[Disk], mounted: bool
) -> None:
    lines = fstab(host)
    if mounted:
        host.shell("mount -a")
    results = [ensure(host, "/dev/sdb"), ensure(host, "/dev/sdc", mount_point=OTHER)]
    assert [each.result["sizeBytes"] for each in results] == [16 * MIB, 20 * MIB]
    assert not any(each.result["formatted"] for each in results)
    assert "/dev/disk/by-id" in results[0].stderr
    assert fstab(host) == lines
    assert_as_before(host, disks)


def test_a_look_at_exchanged_names_finds_nothing_to_repair(
    host: Sandbox, disks: list[Disk]
) -> None:
    host.shell("mount -a")
    for device, mount_point in (("/dev/sdb", MOUNT_POINT), ("/dev/sdc", OTHER)):
        seen = disk_script(host, "check", device, mount_point=mount_point).result
        assert (seen["mounted"], seen["inFstab"], seen["immutable"]) == (True, True, True)
    assert_as_before(host, disks)


def test_the_disk_of_the_mount_point_is_given_back_and_not_the_one_of_that_name(
    host: Sandbox, disks: list[Disk]
) -> None:
    host.shell("mount -a")
    assert remove(host, "/dev/sdb").result == {"removed": True}
    assert mounted_device(host) == ""
    assert mounted_device(host, OTHER) == disks[1].number
    assert OTHER in fstab(host)
    assert f"{MOUNT_POINT} " not in fstab(host)


@pytest.mark.parametrize("new_name", ["free", "blank", "foreign"])
def test_a_disk_is_given_back_by_whatever_name_it_has_by_now(host: Sandbox, new_name: str) -> None:
    old = host.add_disk("sdb", 16 * MIB)
    ensure(host, old, owner="demo/a node-1-sdb")
    host.shell("mv /dev/sdb /dev/sdd; rm -rf /run/blkid")
    new = None if new_name == "free" else host.add_disk("sdb", 24 * MIB)
    if new_name == "foreign":
        host.shell("mkfs.ext4 -q -L longhorn /dev/sdb")
    before = new and new.digest()
    assert remove(host, "/dev/sdb", owner="demo/a node-1-sdb").result == {"removed": True}
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)
    assert host.shell("ls -A /mnt") == ""
    assert (new and new.digest()) == before


def test_a_line_of_ours_is_known_wherever_it_says_nofail(host: Sandbox) -> None:
    options = {"mount_options": "nofail,noatime", "owner": "demo/a node-1-sdb"}
    ensure(host, host.add_disk("sdb", 16 * MIB), **options)
    assert " ext4 nofail,noatime 0 2\n" in fstab(host)
    host.shell("mv /dev/sdb /dev/sdd; rm -rf /run/blkid")
    assert "is now /dev/sdd" in ensure(host, "/dev/sdb", **options).refusal
    assert remove(host, "/dev/sdb", **options).result == {"removed": True}
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


def test_a_disk_of_another_resource_is_not_given_back_under_its_new_name(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    ensure(host, disk, owner="demo/a node-1-sdb")
    line = fstab(host)
    host.shell("mv /dev/sdb /dev/sdd; rm -rf /run/blkid")
    assert remove(host, "/dev/sdb", owner="demo/b node-1-sdb").result["removed"] is False
    assert (mounted_device(host), fstab(host)) == (disk.number, line)


@pytest.mark.parametrize(
    "fill", ["true", "mkfs.ext4 -q -L data /dev/sdb"], ids=["blank", "foreign"]
)
def test_a_new_disk_that_took_the_name_is_refused_and_keeps_every_byte(
    host: Sandbox, fill: str
) -> None:
    old = host.add_disk("sdb", 16 * MIB)
    ensure(host, old)
    host.shell("mv /dev/sdb /dev/sdd")
    new = host.add_disk("sdb", 24 * MIB)
    host.shell(f"rm -rf /run/blkid; {fill}")
    before = new.digest()
    assert "/dev/sdb" in ensure(host, new).refusal
    assert new.digest() == before
    assert mounted_device(host) == old.number


def test_for_a_name_that_is_gone_the_disks_new_name_is_told(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    ensure(host, disk)
    host.shell("mv /dev/sdb /dev/sdd; rm -rf /run/blkid")
    refusal = ensure(host, disk).refusal
    assert "/dev/sdb does not exist" in refusal
    assert "is now /dev/sdd" in refusal


@pytest.mark.parametrize("second", ["/dev/sdb", "/dev/by-id"])
def test_one_blank_disk_under_two_names_is_refused_before_it_is_formatted(
    host: Sandbox, second: str
) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    other = host.add_disk("sdc", 16 * MIB)
    host.shell("ln -s sdb /dev/by-id; ln -s sdb /dev/by-path")
    before, line = disk.digest(), fstab(host)
    refusal = disk_script(
        host, f"ensure beside {other.path} {second} /dev/gone", "/dev/by-path"
    ).refusal
    assert f"/dev/by-path and {second} are one disk (/dev/sdb)" in refusal
    assert "Nothing was changed" in refusal
    assert (disk.digest(), fstab(host)) == (before, line)
    assert ensure(host, other, mount_point=OTHER).result["formatted"]


def test_two_paths_to_one_disk_are_known_by_what_its_maker_calls_it(host: Sandbox) -> None:
    disks = [host.add_disk("sdb", 16 * MIB), host.add_disk("sdc", 16 * MIB)]
    for disk in disks:
        place = f"/sys/dev/block/{disk.number}"
        host.shell(
            f"""
            mkdir -p /run/{disk.name}/holders
            for name in dev ro size removable; do cat {place}/$name >/run/{disk.name}/$name; done
            echo naa.5000c500a1b2c3d4 >/run/{disk.name}/wwid
            mount --bind /run/{disk.name} {place}/
            """
        )
    seen = [disk_script(host, "check", disk).result for disk in disks]
    assert [each["worldWideName"] for each in seen] == ["naa.5000c500a1b2c3d4"] * 2
    assert [each["number"] for each in seen] == [disk.number for disk in disks]
    before = disks[0].digest()
    assert "are one disk" in disk_script(host, "ensure beside /dev/sdc", disks[0]).refusal
    assert disks[0].digest() == before


def test_the_other_disks_of_a_node_do_not_keep_a_disk_from_being_formatted(host: Sandbox) -> None:
    disk, other = host.add_disk("sdb", 16 * MIB), host.add_disk("sdc", 16 * MIB)
    assert disk_script(host, f"ensure beside {other.path} /dev/gone", disk).result["formatted"]
