"""One line of /etc/fstab is ours; every other byte of it belongs to someone else."""

from __future__ import annotations

import pytest

from tests.scripts.remote import MOUNT_POINT, ensure, fstab, mounted_device, remove
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def our_line(uuid: str) -> str:
    return f"UUID={uuid} {MOUNT_POINT} ext4 defaults,nofail 0 2\n"


def prepared(host: Sandbox, disk: Disk) -> str:
    """The UUID of the disk, formatted and given back: blank no more, with no line in fstab."""
    uuid = ensure(host, disk).result["uuid"]
    remove(host, disk)
    return uuid


@pytest.mark.parametrize(
    "line",
    [
        f"/dev/sdb {MOUNT_POINT} ext4 defaults 0 1",
        f"/dev/sdb\t{MOUNT_POINT}/\text4\tdefaults\t0 1",
        f"  /dev/disk/by-id/scsi-1 {MOUNT_POINT} ext4 defaults 0 1",
        f"/dev/gone {MOUNT_POINT} ext4 defaults 0 1",
        f"UUID=99999999-2222-3333-4444-555555555555 {MOUNT_POINT} ext4 defaults 0 1",
        f'UUID="UUID_OF_DISK" {MOUNT_POINT} ext4 noatime 0 1',
        "UUID=UUID_OF_DISK /mnt/where-it-was-before ext4 defaults 0 2",
        f"LABEL=longhorn {MOUNT_POINT} ext4 defaults 0 1",
    ],
)
def test_a_line_for_this_disk_or_a_vanished_one_is_replaced_where_it_stands(
    host: Sandbox, disk: Disk, line: str
) -> None:
    uuid = prepared(host, disk)
    host.shell("mkdir -p /dev/disk/by-id; ln -s ../../sdb /dev/disk/by-id/scsi-1")
    after = "# the end\nserver:/share /srv nfs defaults 0 0\n"
    host.write_text("/etc/fstab", FSTAB + line.replace("UUID_OF_DISK", uuid) + "\n" + after)

    ensure(host, disk)

    assert fstab(host) == FSTAB + our_line(uuid) + after
    assert mounted_device(host) == disk.number


def test_several_lines_for_this_disk_become_one(host: Sandbox, disk: Disk) -> None:
    uuid = prepared(host, disk)
    by_hand = f"/dev/sdb {MOUNT_POINT} ext4 defaults 0 1\n"
    host.write_text("/etc/fstab", by_hand + FSTAB + our_line(uuid) + by_hand + our_line(uuid))

    ensure(host, disk)

    assert fstab(host) == our_line(uuid) + FSTAB


@pytest.mark.parametrize(
    "others",
    [
        FSTAB,
        FSTAB.rstrip("\n"),
        "",
        "\n\n",
        "# only a comment",
        "proc /proc proc defaults 0 0\r\n# umlaut \udcfc and back\\slash \\040 %s $HOME `id`\n",
        f"# /dev/sdb {MOUNT_POINT} ext4 defaults 0 1\n/dev/sdbx {MOUNT_POINT}x ext4 defaults 0 1\n",
        "-n\n-e text\n*\n?\n",
    ],
)
def test_all_other_lines_stay_byte_for_byte(host: Sandbox, disk: Disk, others: str) -> None:
    quoted = "".join(f"\\{byte:03o}" for byte in others.encode(errors="surrogateescape"))
    host.shell(f"printf '{quoted}' >/etc/fstab; cp /etc/fstab /etc/fstab.before")

    uuid = ensure(host, disk).result["uuid"]

    # Our line starts on a line of its own: a missing last line break is the one byte to be added.
    separator = "" if others.endswith("\n") or not others else "echo;"
    wanted = f"cat /etc/fstab.before; {separator} printf '%s' '{our_line(uuid)}'"
    host.shell(f"{{ {wanted}; }} >/etc/fstab.wanted")
    host.shell("cmp /etc/fstab.wanted /etc/fstab")

    remove(host, disk)
    host.shell(f"{{ cat /etc/fstab.before; {separator} }} >/etc/fstab.wanted")
    host.shell("cmp /etc/fstab.wanted /etc/fstab")


def test_a_last_line_without_line_break_stays_without(host: Sandbox, disk: Disk) -> None:
    uuid = prepared(host, disk)
    host.write_text("/etc/fstab", f"/dev/sdb {MOUNT_POINT} ext4 defaults 0 1\n# the end")

    ensure(host, disk)

    assert fstab(host) == our_line(uuid) + "# the end"


@pytest.mark.parametrize(
    "line",
    [
        f"/dev/sdc {MOUNT_POINT} ext4 defaults 0 1",
        f"UUID=UUID_OF_OTHER {MOUNT_POINT} ext4 defaults 0 1",
        f"server:/share {MOUNT_POINT} nfs defaults 0 0",
        f"tmpfs {MOUNT_POINT} tmpfs defaults 0 0",
        "/dev/sdb /srv/data ext4 defaults 0 1",
    ],
)
def test_a_line_that_gives_the_mount_point_or_the_disk_to_another_is_refused_before_formatting(
    host: Sandbox, disk: Disk, line: str
) -> None:
    other = host.add_disk("sdc", 16 * MIB)
    host.shell("mkfs.ext4 -q /dev/sdc")
    uuid = host.shell("blkid -p -s UUID -o value /dev/sdc").strip()
    content = FSTAB + line.replace("UUID_OF_OTHER", uuid) + "\n"
    host.write_text("/etc/fstab", content)
    before = (disk.digest(), other.digest())

    refusal = ensure(host, disk).refusal

    assert "/etc/fstab already has: " in refusal
    assert line.replace("UUID_OF_OTHER", uuid) in refusal
    assert fstab(host) == content
    assert (disk.digest(), other.digest()) == before


def test_mode_and_owner_of_fstab_are_kept(host: Sandbox, disk: Disk) -> None:
    host.shell("chmod 640 /etc/fstab; chown 7:8 /etc/fstab")
    ensure(host, disk)
    assert host.shell("stat -c '%a %u:%g' /etc/fstab") == "640 7:8\n"


def test_a_symbolic_link_to_fstab_stays_one(host: Sandbox, disk: Disk) -> None:
    host.shell("mkdir /etc/real; mv /etc/fstab /etc/real/table; ln -s real/table /etc/fstab")
    uuid = ensure(host, disk).result["uuid"]
    assert host.shell("readlink /etc/fstab") == "real/table\n"
    assert host.read_text("/etc/real/table") == FSTAB + our_line(uuid)


def test_a_host_without_fstab_gets_one(host: Sandbox, disk: Disk) -> None:
    host.shell("rm /etc/fstab")
    uuid = ensure(host, disk).result["uuid"]
    assert fstab(host) == our_line(uuid)
    assert host.shell("stat -c %a /etc/fstab") == "644\n"


def test_an_fstab_that_cannot_be_replaced_is_said_and_left(host: Sandbox, disk: Disk) -> None:
    host.shell("mount --bind /etc/fstab /etc/fstab")
    assert "/etc/fstab cannot be replaced" in ensure(host, disk).refusal
    assert fstab(host) == FSTAB


def test_nothing_is_left_beside_fstab(host: Sandbox, disk: Disk) -> None:
    before = host.shell("ls -A /etc")
    host.shell("echo half >/etc/.fstab.longhorn-rancher")
    ensure(host, disk)
    assert host.shell("ls -A /etc") == before


def test_systemd_is_told_after_fstab_changed_and_before_the_mount(
    host: Sandbox, disk: Disk
) -> None:
    host.shell("mkdir -p /run/systemd/system /opt/test/bin")
    record = f'#!/bin/sh\necho "$*"; grep -c {MOUNT_POINT} /proc/self/mounts /etc/fstab\n'
    host.write_text("/opt/test/bin/systemctl", record + ":\n")
    host.shell("sed -i 's/^echo/exec >>\\/run\\/told; echo/' /opt/test/bin/systemctl")
    host.shell("chmod +x /opt/test/bin/systemctl")

    ensure(host, disk, path="/opt/test/bin")

    told = host.read_text("/run/told").split()
    # fstab has the comment that every sandbox starts with, and our line.
    assert told[:3] == ["daemon-reload", "/proc/self/mounts:0", "/etc/fstab:2"]


def options_in_force(host: Sandbox) -> list[str]:
    return host.shell(f"findmnt -no OPTIONS {MOUNT_POINT}").strip().split(",")


def test_changed_options_of_a_mounted_disk_are_in_force_at_once(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    assert "noatime" not in options_in_force(host)
    with host.bystander(f"exec 3>{MOUNT_POINT}/file"):
        ensure(host, disk, mount_options="noatime")
    assert "noatime" in options_in_force(host)
    assert " ext4 noatime,nofail 0 2\n" in fstab(host)


@pytest.mark.parametrize("options", ["noatme", "noatime,data=journal"])
def test_options_that_a_mounted_disk_does_not_take_are_refused_and_change_nothing(
    host: Sandbox, disk: Disk, options: str
) -> None:
    ensure(host, disk)
    before = (fstab(host), options_in_force(host))
    refusal = ensure(host, disk, mount_options=options).refusal
    assert f"{MOUNT_POINT} cannot be mounted with the options {options},nofail" in refusal
    assert "Correct mountOptions" in refusal
    assert "take the disk out of the stack file and run pulumi up, then add it" in refusal
    assert (fstab(host), options_in_force(host)) == before
    assert ensure(host, disk).result["formatted"] is False


def test_a_mounted_disk_on_a_host_that_lost_its_fstab_gets_its_line_again(
    host: Sandbox, disk: Disk
) -> None:
    uuid = ensure(host, disk).result["uuid"]
    host.shell("rm /etc/fstab")
    ensure(host, disk, mount_options="noatime")
    assert fstab(host) == our_line(uuid).replace("defaults", "noatime")
    assert "noatime" in options_in_force(host)


def test_the_two_runs_that_are_named_give_a_disk_any_options(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk)
    remove(host, disk)
    ensure(host, disk, mount_options="data=journal")
    assert "data=journal" in options_in_force(host)


def test_new_options_make_nothing_writable_that_the_kernel_made_read_only(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk)
    host.shell(f"mount -o remount,ro {MOUNT_POINT}")
    assert "is mounted read-only" in ensure(host, disk, mount_options="noatime").refusal
    assert "ro" in options_in_force(host)
