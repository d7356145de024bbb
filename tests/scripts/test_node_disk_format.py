"""A blank disk becomes a mounted file system, once; later runs find it so and change nothing."""

from __future__ import annotations

import shutil

import pytest

from tests.scripts.remote import MOUNT_POINT, ensure, fstab, mounted_device, remove, script_text
from tests.scripts.sandbox import FSTAB, MIB, SEARCH_PATH, Sandbox

pytestmark = pytest.mark.disks

# Recent mkfs.xfs makes nothing smaller than 300 MiB.
SIZES = {"ext4": 16 * MIB, "xfs": 320 * MIB}
CHECK_AT_BOOT = {"ext4": "2", "xfs": "0"}
SHELLS = ("sh", "busybox sh", "bash --posix")


def need(tool: str) -> None:
    if shutil.which(tool, path=SEARCH_PATH) is None:
        pytest.skip(f"needs the command {tool}")


@pytest.fixture(params=["ext4", "xfs"])
def file_system(request: pytest.FixtureRequest) -> str:
    need(f"mkfs.{request.param}")
    return request.param


@pytest.mark.parametrize("shell", SHELLS)
def test_a_blank_disk_is_formatted_entered_in_fstab_and_mounted(
    host: Sandbox, file_system: str, shell: str
) -> None:
    need(shell.split()[0])
    disk = host.add_disk("sdb", SIZES[file_system])
    result = ensure(host, disk, file_system=file_system, shell=shell).result

    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()
    assert result == {
        "device": "/dev/sdb",
        "uuid": uuid,
        "fileSystem": file_system,
        "sizeBytes": disk.size,
        "mountPoint": MOUNT_POINT,
        "immutable": True,
        "formatted": True,
    }
    assert host.shell("blkid -p -s TYPE -o value /dev/sdb").strip() == file_system
    assert host.shell("blkid -p -s LABEL -o value /dev/sdb").strip() == "longhorn"
    assert mounted_device(host) == disk.number
    check = CHECK_AT_BOOT[file_system]
    line = f"UUID={uuid} {MOUNT_POINT} {file_system} defaults,nofail 0 {check}\n"
    assert fstab(host) == FSTAB + line
    host.shell(f"echo data >{MOUNT_POINT}/file")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_second_run_changes_no_byte_of_the_disk_and_does_not_rewrite_fstab(
    host: Sandbox, file_system: str, shell: str
) -> None:
    need(shell.split()[0])
    disk = host.add_disk("sdb", SIZES[file_system])
    first = ensure(host, disk, file_system=file_system, shell=shell).result
    if file_system == "ext4":
        # The kernel initialises inode tables in the background; that is not the script's doing.
        host.shell(f"mount -o remount,noinit_itable {MOUNT_POINT}")
    host.shell(f"sync -f {MOUNT_POINT}")
    before = disk.digest()
    inode = host.shell("stat -c '%i %Y' /etc/fstab; cat /etc/fstab")

    second = ensure(host, disk, file_system=file_system, shell=shell).result

    assert second == first | {"formatted": False}
    host.shell(f"sync -f {MOUNT_POINT}")
    assert disk.digest() == before
    assert host.shell("stat -c '%i %Y' /etc/fstab; cat /etc/fstab") == inode


def test_a_disk_that_was_given_back_is_used_again_with_its_data(
    host: Sandbox, file_system: str
) -> None:
    disk = host.add_disk("sdb", SIZES[file_system])
    first = ensure(host, disk, file_system=file_system).result
    host.shell(f"head -c 3000000 /dev/urandom >{MOUNT_POINT}/replica")
    digest = host.shell(f"sha256sum {MOUNT_POINT}/replica")
    remove(host, disk, file_system=file_system)

    again = ensure(host, disk, file_system=file_system).result

    assert again == first | {"formatted": False}
    assert host.shell(f"sha256sum {MOUNT_POINT}/replica") == digest


def test_a_disk_is_found_again_under_another_name(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    host.shell("mkdir -p /dev/disk/by-id; ln -s ../../sdb /dev/disk/by-id/wwn-0x5000")
    by_name = ensure(host, disk).result

    by_id = ensure(host, "/dev/disk/by-id/wwn-0x5000").result

    assert by_id == by_name | {"device": "/dev/disk/by-id/wwn-0x5000", "formatted": False}


def test_a_file_system_of_someone_else_is_adopted_by_its_uuid_with_its_data(
    host: Sandbox, file_system: str
) -> None:
    disk = host.add_disk("sdb", SIZES[file_system])
    host.shell(f"mkfs.{file_system} -q -L data /dev/sdb; mount /dev/sdb /opt/test")
    host.shell("echo precious >/opt/test/file; umount /opt/test")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()

    # However the person typed it.
    result = ensure(host, disk, file_system=file_system, adopt=uuid.upper()).result

    assert (result["uuid"], result["formatted"]) == (uuid, False)
    assert host.read_text(f"{MOUNT_POINT}/file") == "precious\n"


def test_a_disk_that_the_guide_was_followed_on_by_hand_is_adopted_while_mounted(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    host.shell(f"mkfs.ext4 -q /dev/sdb; mkdir {MOUNT_POINT}")
    by_hand = FSTAB + f"/dev/sdb {MOUNT_POINT} ext4 defaults 0 1\n"
    host.write_text("/etc/fstab", by_hand)
    host.shell(f"mount {MOUNT_POINT}; echo precious >{MOUNT_POINT}/file")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdb").strip()

    result = ensure(host, disk, adopt=uuid).result

    assert (result["immutable"], result["formatted"]) == (True, False)
    assert fstab(host) == by_hand
    assert host.read_text(f"{MOUNT_POINT}/file") == "precious\n"
    assert ensure(host, disk, adopt=uuid).result == result
    assert remove(host, disk, adopt=uuid).result == {"removed": True}
    assert (fstab(host), mounted_device(host)) == (by_hand, disk.number)


def test_the_disk_comes_back_by_itself_after_a_restart(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    ensure(host, disk)
    host.shell(f"echo data >{MOUNT_POINT}/file; umount {MOUNT_POINT}")

    host.shell("mount -a -t ext4 -O nofail")

    assert host.read_text(f"{MOUNT_POINT}/file") == "data\n"


def test_two_disks_of_one_host_are_prepared_at_the_same_time(host: Sandbox) -> None:
    disks = [host.add_disk(name, 16 * MIB) for name in ("sdb", "sdc", "sdd")]
    host.write_text("/opt/test/disk.sh", script_text("disk.sh"))
    runs = [
        host.start_process(
            *("sh", "/opt/test/disk.sh"),
            *("ensure", disk.path, f"/mnt/longhorn-{disk.name}", "ext4"),
        )
        for disk in disks
    ]
    complaints = [run.communicate(timeout=60)[1] for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0], complaints
    assert fstab(host).startswith(FSTAB)
    assert fstab(host).count("UUID=") == FSTAB.count("UUID=") + 3
    for disk in disks:
        assert mounted_device(host, f"/mnt/longhorn-{disk.name}") == disk.number
