"""A disk that got larger gets a larger file system on line; one that got smaller is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.remote import MOUNT_POINT, Outcome, disk_script, ensure, remove
from tests.scripts.sandbox import MIB, Disk, Sandbox
from tests.scripts.test_node_disk_format import need

pytestmark = pytest.mark.disks

SMALL = 320 * MIB
LARGE = 3 * SMALL
TOOLS = {"ext4": "resize2fs", "xfs": "xfs_growfs"}
BIN = "/opt/test/bin"
# Linux lets nobody grow an ext4 on line without CAP_SYS_RESOURCE, which containers often lack.
MAY_GROW_EXT4 = bool(
    next(
        int(line.split()[1], 16) >> 24 & 1
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("CapEff:")
    )
)
# The same growth, with the disk out of use for a moment.
PLAYED = f"""#!/bin/sh
set -e
umount {MOUNT_POINT}; /sbin/e2fsck -fp "$1"; /sbin/resize2fs "$1"; mount {MOUNT_POINT}
"""


@pytest.fixture(params=["ext4", "xfs"])
def file_system(request: pytest.FixtureRequest) -> str:
    need(f"mkfs.{request.param}")
    need(TOOLS[request.param])
    return request.param


@pytest.fixture
def prepared(host: Sandbox, file_system: str) -> Disk:
    """A disk with a file system on the whole of it, in use, with data."""
    disk = host.add_disk("sdb", SMALL)
    ensure(host, disk, file_system=file_system)
    host.shell(f"head -c 3000000 /dev/urandom >{MOUNT_POINT}/replica; sync")
    return disk


def check(host: Sandbox, disk: Disk, file_system: str, **options: str) -> Outcome:
    """What a preview is told; the file system and its mount stay as they are."""
    before = host.shell(f"cat /proc/self/mounts; stat -f {MOUNT_POINT}")
    told = disk_script(host, "check", disk, file_system=file_system, **options)
    assert host.shell(f"cat /proc/self/mounts; stat -f {MOUNT_POINT}") == before
    return told


def grow(host: Sandbox, disk: Disk, file_system: str) -> Outcome:
    """A run; where this machine may not grow ext4 on line, only that one step is played."""
    if file_system == "ext4" and not MAY_GROW_EXT4:
        put_tool(host, "resize2fs", PLAYED)
    return ensure(host, disk, file_system=file_system, path=BIN)


def put_tool(host: Sandbox, name: str, text: str) -> None:
    host.write_text(f"{BIN}/{name}", text)
    host.shell(f"chmod +x {BIN}/{name}")


def usable_bytes(host: Sandbox) -> int:
    blocks, size = host.shell(f"stat -f -c '%b %S' {MOUNT_POINT}").split()
    return int(blocks) * int(size)


def test_a_disk_that_got_larger_is_grown_with_its_data(
    host: Sandbox, file_system: str, prepared: Disk
) -> None:
    assert check(host, prepared, file_system).result["canGrow"] is False
    digest = host.shell(f"sha256sum {MOUNT_POINT}/replica")
    before = usable_bytes(host)
    disk = host.resize_disk(prepared, LARGE)
    seen = check(host, disk, file_system).result
    assert (seen["sizeBytes"], seen["fileSystemBytes"], seen["canGrow"]) == (LARGE, SMALL, True)

    grown = grow(host, disk, file_system)

    assert grown.result["sizeBytes"] == LARGE
    assert f"growing the file system from {SMALL} to {LARGE} bytes" in grown.stderr
    assert usable_bytes(host) > 2 * before
    assert host.shell(f"sha256sum {MOUNT_POINT}/replica") == digest
    seen = check(host, disk, file_system).result
    assert (seen["fileSystemBytes"], seen["canGrow"]) == (LARGE, False)
    assert "growing" not in ensure(host, disk, file_system=file_system).stderr


def test_it_is_grown_while_it_is_in_use(host: Sandbox, file_system: str, prepared: Disk) -> None:
    if file_system == "ext4" and not MAY_GROW_EXT4:
        pytest.skip("needs CAP_SYS_RESOURCE, to grow ext4 on line")
    disk = host.resize_disk(prepared, LARGE)
    with host.bystander(f"exec 5<{MOUNT_POINT}/replica"):
        ensure(host, disk, file_system=file_system)
    assert check(host, disk, file_system).result["fileSystemBytes"] == LARGE


def test_a_disk_that_got_larger_while_it_was_given_back_is_grown_once_it_is_mounted(
    host: Sandbox, file_system: str, prepared: Disk
) -> None:
    remove(host, prepared, file_system=file_system)
    disk = host.resize_disk(prepared, LARGE)
    seen = disk_script(host, "check", disk, file_system=file_system).result
    assert (seen["mounted"], seen["fileSystemBytes"], seen["canGrow"]) == (False, SMALL, True)
    grow(host, disk, file_system)
    assert check(host, disk, file_system).result["fileSystemBytes"] == LARGE


def test_room_for_no_group_of_blocks_is_left_alone(
    host: Sandbox, file_system: str, prepared: Disk
) -> None:
    disk = host.resize_disk(prepared, SMALL + 8 * MIB)
    assert check(host, disk, file_system).result["canGrow"] is False
    before = usable_bytes(host)
    ensure(host, disk, file_system=file_system)
    assert usable_bytes(host) == before


@pytest.mark.parametrize("mounted", [True, False])
def test_a_disk_that_is_smaller_than_its_file_system_is_refused(
    host: Sandbox, file_system: str, prepared: Disk, mounted: bool
) -> None:
    if not mounted:
        host.shell(f"umount {MOUNT_POINT}")
    disk = host.resize_disk(prepared, SMALL - 64 * MIB)
    found = disk_script(host, "check", disk, file_system=file_system).found
    assert found["found"] == (
        f"/dev/sdb has {disk.size} bytes, and the file system on it has {SMALL}: "
        "the disk got smaller"
    )
    assert not found["isAsked"]
    before = host.shell("cat /proc/self/mounts /etc/fstab")
    refusal = ensure(host, disk, file_system=file_system).refusal
    assert refusal == f"node-1: {found['found']}. Nothing was changed. {found['remedy']}"
    assert host.shell("cat /proc/self/mounts /etc/fstab") == before

    host.resize_disk(disk, SMALL)
    ensure(host, prepared, file_system=file_system)
    host.shell(f"test -s {MOUNT_POINT}/replica")


def test_a_size_that_was_asked_of_mkfs_stays(host: Sandbox) -> None:
    need("mkfs.xfs")
    disk = host.add_disk("sdb", LARGE)
    options = "-i maxpct=5 -d agcount=2,size=320m"
    ensure(host, disk, file_system="xfs", mkfs_options=options)
    seen = check(host, disk, "xfs", mkfs_options=options).result
    assert (seen["fileSystemBytes"], seen["canGrow"]) == (SMALL, False)
    assert check(host, disk, "xfs", mkfs_options="-i size=512").result["canGrow"] is True


def test_a_tool_that_fails_is_told_and_the_file_system_works_on(
    host: Sandbox, file_system: str, prepared: Disk
) -> None:
    disk = host.resize_disk(prepared, LARGE)
    tool = TOOLS[file_system]
    for ending, told in (
        ("exit 1", f"{tool} failed, see above and dmesg"),
        ("exit 0", f"{tool} ended well, and the file system has {SMALL} of {LARGE} bytes"),
    ):
        put_tool(host, tool, f"#!/bin/sh\n{ending}\n")
        refusal = ensure(host, disk, file_system=file_system, path=BIN).refusal
        assert told in refusal
    host.shell(f"test -s {MOUNT_POINT}/replica; rm {BIN}/{tool}")
    grow(host, disk, file_system)
    assert check(host, disk, file_system).result["fileSystemBytes"] == LARGE


@pytest.mark.parametrize("moment", ["before anything grew", "half-way", "when all had grown"])
def test_killed_while_it_grows_the_next_run_completes_it(
    host: Sandbox, file_system: str, prepared: Disk, moment: str
) -> None:
    digest = host.shell(f"sha256sum {MOUNT_POINT}/replica")
    disk = host.resize_disk(prepared, LARGE)
    reached = {"before anything grew": SMALL, "half-way": 2 * SMALL, "when all had grown": LARGE}
    put_tool(host, TOOLS[file_system], f"{_growing_to(reached[moment])}kill -9 $PPID\n")
    assert ensure(host, disk, file_system=file_system, path=BIN).status == -9
    host.shell(f"rm {BIN}/{TOOLS[file_system]}")
    seen = check(host, disk, file_system).result
    assert (seen["fileSystemBytes"], seen["canGrow"]) == (reached[moment], moment[0] != "w")

    grow(host, disk, file_system)

    assert check(host, disk, file_system).result["fileSystemBytes"] == LARGE
    assert host.shell(f"sha256sum {MOUNT_POINT}/replica") == digest


def _growing_to(size: int) -> str:
    """A tool that lets the file system have this size; the script calls either as its own."""
    xfs = f'/usr/sbin/xfs_growfs -D {size // 4096} "$2"'
    ext4 = f"""umount {MOUNT_POINT}; /sbin/e2fsck -fp "$1"; /sbin/resize2fs "$1" {size // 1024}K
mount {MOUNT_POINT}"""
    done = "" if size == SMALL else f"case $1 in -d) {xfs} ;; *) {ext4} ;; esac\n"
    return f"#!/bin/sh\nset -e\n{done}"
