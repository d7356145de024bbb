"""Before a run: check tells what ensure would find, refuses as it would, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripts.foreign_content import SIGNATURES
from tests.scripts.remote import (
    MOUNT_POINT,
    disk_script,
    ensure,
    fstab,
    outcome,
    remove,
    script_text,
)
from tests.scripts.sandbox import MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

# Everything a run may write to, but for libblkid's own cache.
LISTING = "ls -lAR --time-style=full-iso /etc /mnt /var/lib /run/longhorn-rancher 2>/dev/null || :"
# Without what the kernel writes by itself: inode tables yet to be initialised, times of access.
QUIET = "remount,noinit_itable,noatime"


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def state(host: Sandbox, disk: Disk) -> tuple[str, str, str]:
    return disk.digest(), host.shell(LISTING), host.read_text("/proc/self/mounts")


def check(host: Sandbox, disk: Disk, **options: str) -> dict[str, Any]:
    """What check says, after seeing that it changed nothing."""
    host.shell("sync")
    before = state(host, disk)
    result = disk_script(host, "check", disk, **options).result
    assert state(host, disk) == before
    return result


def test_a_blank_disk_is_told_from_all_others(host: Sandbox, disk: Disk) -> None:
    assert check(host, disk) == {
        "device": "/dev/sdb",
        "content": "blank",
        "uuid": None,
        "sizeBytes": disk.size,
        "inFstab": False,
        "mounted": False,
        "immutable": False,
        "longhornDisk": None,
        "longhornReplicas": 0,
        "owner": None,
        "mountedOn": None,
        "mountedBy": None,
        "exchanged": None,
        "fileSystemBytes": 0,
        "canGrow": False,
        "number": disk.number,
        "worldWideName": None,
        "vanished": False,
    }


def test_a_prepared_disk_shows_nothing_left_to_do(host: Sandbox, disk: Disk) -> None:
    uuid = ensure(host, disk, owner="demo/a node-1-sdb").result["uuid"]
    host.shell(f"mount -o {QUIET} {MOUNT_POINT}")
    assert check(host, disk) == {
        "device": "/dev/sdb",
        "content": "own",
        "uuid": uuid,
        "sizeBytes": disk.size,
        "inFstab": True,
        "mounted": True,
        "immutable": True,
        "longhornDisk": None,
        "longhornReplicas": 0,
        "owner": "demo/a node-1-sdb",
        "mountedOn": None,
        "mountedBy": None,
        "exchanged": None,
        "fileSystemBytes": disk.size,
        "canGrow": False,
        "number": disk.number,
        "worldWideName": None,
        "vanished": False,
    }


@pytest.mark.parametrize(
    ("lost", "command"),
    [
        ("inFstab", "sed -i '/longhorn-sdb ext4/d' /etc/fstab"),
        ("mounted", f"umount {MOUNT_POINT}"),
        ("immutable", f"umount {MOUNT_POINT}; chattr -i {MOUNT_POINT}; mount {MOUNT_POINT}"),
    ],
)
def test_what_someone_undid_shows(host: Sandbox, disk: Disk, lost: str, command: str) -> None:
    ensure(host, disk)
    host.shell(command)
    host.shell(f"mount -o {QUIET} {MOUNT_POINT} 2>/dev/null || :")
    result = check(host, disk)
    left = {name: result[name] for name in ("inFstab", "mounted", "immutable")}
    assert left == {"inFstab": True, "mounted": True, "immutable": True} | {lost: False}


def test_a_given_back_disk_shows_as_our_own(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    remove(host, disk)
    assert check(host, disk)["content"] == "own"


def test_a_disk_to_be_adopted_shows_as_such(host: Sandbox, disk: Disk) -> None:
    host.shell("mkfs.ext4 -q -L data /dev/sdb")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()
    assert check(host, disk, adopt=uuid)["content"] == "adopted"


@pytest.mark.parametrize("kind", ["ntfs", "LVM2_member", "a gpt partition table"])
def test_it_refuses_in_the_words_of_ensure(host: Sandbox, disk: Disk, kind: str) -> None:
    SIGNATURES[kind](disk)
    before = state(host, disk)
    found = disk_script(host, "check", disk).found
    assert state(host, disk) == before
    refusal = ensure(host, disk).refusal
    assert refusal == f"node-1: {found['found']}. Nothing was changed. {found['remedy']}"
    assert kind in refusal
    assert found["missingCommand"] is None


def test_a_missing_command_is_named_apart_from_what_is_found(host: Sandbox, disk: Disk) -> None:
    host.shell(
        "mkdir /opt/empty; for name in uname id tr od awk cat; do ln -s /usr/bin/$name /opt/empty; "
        "done"
    )
    text = script_text("disk-look").replace(
        ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ""
    )
    words = ("check", disk.path, MOUNT_POINT, "ext4")
    done = outcome(host.call("env", "PATH=/opt/empty", "/bin/sh", "-s", "--", *words, stdin=text))
    assert done.found["missingCommand"] == "wipefs"


def test_a_line_of_fstab_in_the_way_is_refused(host: Sandbox, disk: Disk) -> None:
    host.write_text("/etc/fstab", f"tmpfs {MOUNT_POINT} tmpfs defaults 0 0\n")
    assert "/etc/fstab already has" in disk_script(host, "check", disk).found["found"]
    assert fstab(host) == f"tmpfs {MOUNT_POINT} tmpfs defaults 0 0\n"


@pytest.mark.parametrize("mounted", [True, False])
def test_what_longhorn_has_left_on_a_disk_is_told(host: Sandbox, disk: Disk, mounted: bool) -> None:
    ensure(host, disk)
    host.shell(
        f"mount -o {QUIET} {MOUNT_POINT}; cd {MOUNT_POINT}; mkdir -p replicas/a-1 replicas/b-2; "
        """echo '{"diskUUID":"d-1"}' > longhorn-disk.cfg; sync"""
    )
    if not mounted:
        host.shell(f"umount {MOUNT_POINT}")
    result = check(host, disk)
    assert (result["longhornDisk"], result["longhornReplicas"]) == ("d-1", 2)
