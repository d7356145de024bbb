"""A disk that is not known to be free is refused, and not one of its bytes changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.scripts.foreign_content import COMMANDS, SIGNATURES
from tests.scripts.remote import MOUNT_POINT, ensure, fstab, outcome, remove, script_text
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

# zfs is recognised from 64 MiB on.
SIZE = 96 * MIB


def refused(host: Sandbox, disk: Disk, **options: str) -> str:
    """The refusal to use `disk`, after seeing that nothing at all was changed."""
    before = disk.digest()
    refusal = ensure(host, disk, **options).refusal
    assert disk.digest() == before
    assert fstab(host) == FSTAB
    assert host.shell("ls -A /mnt /var/lib").split() == ["/mnt:", "/var/lib:"]
    assert refusal.startswith("node-1: ")
    assert disk.path in refusal
    assert "Nothing was changed." in refusal
    return refusal


@pytest.mark.parametrize(("kind", "write"), SIGNATURES.items(), ids=SIGNATURES)
def test_a_disk_with_a_signature_is_refused_by_what_it_holds(
    host: Sandbox, kind: str, write: Callable[[Disk], None]
) -> None:
    disk = host.add_disk("sdb", SIZE)
    write(disk)
    assert f"holds {kind}" in refused(host, disk)


@pytest.mark.parametrize(("kind", "command"), COMMANDS.items(), ids=COMMANDS)
def test_a_disk_that_another_program_formatted_is_refused(
    host: Sandbox, kind: str, command: str
) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell(f"{command} /dev/sdb")
    assert f"holds {kind}" in refused(host, disk)


def test_xfs_of_someone_else_is_refused(host: Sandbox) -> None:
    if host.call("sh", "-c", "command -v mkfs.xfs").returncode != 0:
        pytest.skip("needs the command mkfs.xfs")
    disk = host.add_disk("sdb", 320 * MIB)
    host.shell("mkfs.xfs -q -L data /dev/sdb")
    assert "holds xfs, label data" in refused(host, disk, file_system="xfs")


@pytest.mark.parametrize(
    "offset", [0, 512 * 1024, MIB - 1, SIZE - MIB, SIZE - 1], ids=lambda offset: f"at {offset}"
)
def test_a_disk_with_data_of_an_unknown_kind_is_refused(host: Sandbox, offset: int) -> None:
    disk = host.add_disk("sdb", SIZE)
    disk.write(offset, (os.urandom(4096) + b"x")[-min(4096, SIZE - offset) :])
    assert "holds data of an unknown kind" in refused(host, disk)


def test_two_signatures_on_one_disk_are_refused_even_if_one_is_ours(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q -L longhorn /dev/sdb")
    SIGNATURES["crypto_LUKS"](disk)
    assert "is not blank" in refused(host, disk)


def test_our_own_file_system_of_the_other_type_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q -L longhorn /dev/sdb")
    refusal = refused(host, disk, file_system="xfs")
    assert "ask for ext4 instead of xfs" in refusal


def test_the_refusal_of_a_foreign_file_system_names_the_way_to_keep_it(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q /dev/sdb")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()
    refusal = refused(host, disk)
    assert uuid in refusal
    assert "with its data, give its UUID as the one to adopt" in refusal


@pytest.mark.parametrize("held", ["nothing", "another file system", "our own file system"])
def test_a_disk_that_does_not_hold_the_file_system_to_be_adopted_is_refused(
    host: Sandbox, held: str
) -> None:
    disk = host.add_disk("sdb", SIZE)
    label = {"another file system": "data", "our own file system": "longhorn"}.get(held)
    if label:
        host.shell(f"mkfs.ext4 -q -L {label} /dev/sdb")
    refused(host, disk, adopt="11111111-2222-3333-4444-555555555555")


def test_the_way_to_clear_a_disk_that_the_refusal_names_makes_it_usable(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    SIGNATURES["a gpt partition table"](disk)
    host.shell(refused(host, disk).partition("clear it yourself: ")[2])
    assert ensure(host, disk).result["formatted"] is True


def test_a_disk_that_is_mounted_elsewhere_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q -L longhorn /dev/sdb; mount -o noinit_itable /dev/sdb /opt/test")
    assert "is already mounted on /opt/test" in refused(host, disk)


def test_a_mounted_disk_is_refused_even_if_its_edges_look_blank(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q /dev/sdb; mount -o noinit_itable /dev/sdb /opt/test; sync")
    disk.write(0, bytes(MIB))
    assert "is already mounted on /opt/test" in refused(host, disk)


def test_a_disk_that_only_a_container_has_mounted_is_not_formatted(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("mkfs.ext4 -q /dev/sdb")
    mounting = "mount --make-rprivate /; mount -o noinit_itable /dev/sdb /opt/test; sync"
    container = f"exec unshare -m sh -euc '{mounting}; echo ready; exec cat >&2'"
    with host.bystander(container):
        disk.write(0, bytes(MIB))
        assert "seen by cat (pid " in refused(host, disk)


def test_the_root_disk_is_refused(host: Sandbox) -> None:
    refusal = ensure(host, "/dev/root").refusal
    assert "/dev/root is the root disk of this host" in refusal


def test_a_disk_in_use_as_swap_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    # /proc/swaps is one for all hosts of a kernel: other tests must have no disk of that name.
    area = f"/dev/swap-of-{os.getpid()}"
    host.shell(f"mkswap /dev/sdb >/dev/null; cp -a /dev/sdb {area}")
    if host.call("swapon", "--priority", "0", area).returncode != 0:
        pytest.skip("this kernel or its limits allow no swap here")
    try:
        assert "is in use as swap space" in refused(host, disk)
    finally:
        host.shell(f"swapoff {area}")


def test_a_disk_that_another_device_is_built_on_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    # What device mapper, RAID and multipath show there, without needing them in this kernel.
    holders = f"/sys/dev/block/{disk.number}/holders"
    host.shell(f"mkdir -p /run/holders/md7; mount --bind /run/holders {holders}")
    assert "Name /dev/md7 itself, or a free disk" in refused(host, disk)
    host.shell("mv /run/holders/md7 /run/holders/dm-7; mkdir /run/holders/dm-7/dm")
    host.write_text("/run/holders/dm-7/dm/name", "mpatha\n")
    assert "Name /dev/mapper/mpatha itself, or a free disk" in refused(host, disk)


@contextmanager
def partition_known_to_the_kernel(host: Sandbox, disk: Disk) -> Iterator[None]:
    if host.call("addpart", disk.path, "1", "2048", "4096").returncode != 0:
        pytest.skip("this kernel adds no partitions to loop devices")
    try:
        yield
    finally:
        host.shell(f"delpart {disk.path} 1")


def test_a_disk_whose_partitions_only_the_kernel_knows_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    with partition_known_to_the_kernel(host, disk):
        assert "has partitions" in refused(host, disk)


def test_a_partition_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    with partition_known_to_the_kernel(host, disk):
        number = host.shell(f"cat /sys/dev/block/{disk.number}/*p1/dev").strip()
        host.shell(f"mknod /dev/sdb1 b {number.replace(':', ' ')}")
        assert "/dev/sdb1 is a partition" in ensure(host, "/dev/sdb1").refusal


def test_a_read_only_disk_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.shell("blockdev --setro /dev/sdb")
    try:
        assert "is read-only" in refused(host, disk)
    finally:
        host.shell("blockdev --setrw /dev/sdb")


def test_a_disk_that_cannot_be_read_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    host.write_text("/opt/test/dd", "#!/bin/sh\necho 'Input/output error' >&2; exit 1\n")
    host.shell("chmod +x /opt/test/dd")
    assert "cannot be read at sector" in refused(host, disk, path="/opt/test")


def test_a_missing_disk_is_refused_with_the_names_of_those_there(host: Sandbox) -> None:
    host.add_disk("sdb", SIZE)
    refusal = ensure(host, "/dev/sdz").refusal
    assert "node-1: /dev/sdz does not exist" in refusal
    assert "(96M)" in refusal


@pytest.mark.parametrize("device", ["/dev/null", "/dev/folder", "/dev/plain"])
def test_what_is_not_a_block_device_is_refused(host: Sandbox, device: str) -> None:
    host.shell("mkdir /dev/folder; echo text >/dev/plain")
    assert f"{device} is not a block device" in ensure(host, device).refusal
    assert host.read_text("/dev/plain") == "text\n"


@pytest.mark.parametrize(
    "mount_point",
    [
        *("", "/", "mnt/data", "/mnt/", "/mnt//data", "/mnt/../data", "/mnt/a b", "/mnt/a\tb"),
        *("/dev/data", "/run/data", "/mnt/$(touch x)", "/mnt/ä", "/mnt/a\\040b", "/mnt/#a"),
    ],
)
def test_a_mount_point_that_fstab_or_a_restart_would_not_keep_is_refused(
    host: Sandbox, mount_point: str
) -> None:
    disk = host.add_disk("sdb", SIZE)
    before = disk.digest()
    refusal = ensure(host, disk, mount_point=mount_point).refusal
    assert "mount point" in refusal
    assert disk.digest() == before


def test_a_file_system_that_is_not_supported_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    assert "Choose ext4 or xfs" in ensure(host, disk, file_system="btrfs").refusal


def test_without_root_nothing_is_tried(host: Sandbox) -> None:
    host.add_disk("sdb", SIZE)
    arguments = ("sh", "-s", "--", "ensure", "/dev/sdb", MOUNT_POINT, "ext4")
    as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = host.call(*as_nobody, *arguments, stdin=script_text("disk.sh"))
    assert "needs root" in outcome(done).refusal


def test_of_two_disks_with_one_uuid_neither_is_used(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    ensure(host, disk)
    remove(host, disk)
    copy = host.add_disk("sdc", SIZE)
    host.shell("dd if=/dev/sdb of=/dev/sdc bs=1M conv=fsync 2>/dev/null; rm -rf /run/blkid")
    for one, other in ((disk, copy), (copy, disk)):
        assert f"is also on {other.path}" in refused_before_mounting(host, one)


def test_a_copy_of_a_disk_in_use_changes_nothing_for_the_disk(host: Sandbox) -> None:
    disk = host.add_disk("sdb", SIZE)
    first = ensure(host, disk).result
    copy = host.add_disk("sdc", SIZE)
    host.shell("dd if=/dev/sdb of=/dev/sdc bs=1M conv=fsync 2>/dev/null")
    lines = fstab(host)
    refusal = ensure(host, copy, mount_point="/mnt/longhorn-sdc").refusal
    assert "is also on /dev/sdb" in refusal
    assert fstab(host) == lines
    assert ensure(host, disk).result == first | {"formatted": False}


def refused_before_mounting(host: Sandbox, disk: Disk) -> str:
    refusal = ensure(host, disk, mount_point=f"/mnt/{disk.name}").refusal
    assert fstab(host) == FSTAB
    return refusal
