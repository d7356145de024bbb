"""Whose a mount is: what another resource or stack has taken over since is never taken away."""

from __future__ import annotations

import pytest

from tests.scripts.remote import MOUNT_POINT, disk_script, ensure, fstab, mounted_device, remove
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

OLD, NEW = "demo/a node-3-sdb", "demo/a node-three-sdb"


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def assert_kept(host: Sandbox, disk: Disk, line: str) -> None:
    assert mounted_device(host) == disk.number
    assert fstab(host) == line


def test_the_old_name_of_a_resource_leaves_the_mount_to_the_new_one_and_back(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk, owner=OLD)
    line = fstab(host)
    for name, successor in ((OLD, NEW), (NEW, OLD)):
        ensure(host, disk, owner=successor)
        done = remove(host, disk, owner=name)
        assert done.result == {"removed": False, "owner": successor}
        assert f"stay, since {successor} has them now" in done.stderr
        assert_kept(host, disk, line)
    assert remove(host, disk, owner=OLD).result == {"removed": True}
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


def test_an_old_name_that_is_removed_twice_leaves_it_twice(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, owner=OLD)
    ensure(host, disk, owner=NEW)
    line = fstab(host)
    for _ in range(2):
        remove(host, disk, owner=OLD)
        assert_kept(host, disk, line)


def test_another_stack_that_took_the_node_over_keeps_it(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, owner="demo/a node-1-sdb")
    ensure(host, disk, owner="demo/b node-1-sdb")
    line = fstab(host)
    assert remove(host, disk, owner="demo/a node-1-sdb").result["removed"] is False
    assert_kept(host, disk, line)


def test_a_restart_of_the_host_changes_no_owner(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, owner=OLD)
    ensure(host, disk, owner=NEW)
    host.shell(f"umount {MOUNT_POINT}; rm -rf /run/longhorn-rancher /run/blkid; mount -a")
    line = fstab(host)
    assert remove(host, disk, owner=OLD).result["removed"] is False
    assert_kept(host, disk, line)


def test_a_host_that_an_earlier_version_prepared_is_given_back_as_before(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk, owner=OLD)
    host.shell("rm /var/lib/longhorn-rancher/mount-*")
    assert remove(host, disk, owner=OLD).result == {"removed": True}
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


def test_an_earlier_version_that_names_nobody_leaves_what_has_an_owner(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk, owner=NEW)
    line = fstab(host)
    assert remove(host, disk).result["removed"] is False
    assert_kept(host, disk, line)


def test_a_run_that_is_refused_takes_nothing_over(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, owner=OLD)
    other = host.add_disk("sdc", 16 * MIB)
    assert "not /dev/sdc" in ensure(host, other, owner=NEW).refusal
    assert remove(host, disk, owner=OLD).result == {"removed": True}


def test_a_moved_mount_point_is_refused_with_the_two_runs_that_move_it(
    host: Sandbox, disk: Disk
) -> None:
    ensure(host, disk, owner=OLD)
    line = fstab(host)
    refusal = ensure(host, disk, mount_point="/mnt/moved", owner=NEW).refusal
    assert "take the disk out of the stack file and run pulumi up, then add it" in refusal
    assert_kept(host, disk, line)
    remove(host, disk, owner=OLD)
    assert ensure(host, disk, mount_point="/mnt/moved", owner=NEW).result["formatted"] is False


def test_the_owner_of_one_mount_point_says_nothing_about_another(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, owner=OLD)
    host.shell(f"umount {MOUNT_POINT}")
    ensure(host, disk, mount_point="/mnt/moved", owner=NEW)
    line = fstab(host)
    assert remove(host, disk, owner=OLD).result == {"removed": True}
    assert mounted_device(host, "/mnt/moved") == disk.number
    assert fstab(host) == line


# ---- what was there before ------------------------------------------------------------------


@pytest.fixture
def users_uuid(host: Sandbox, disk: Disk) -> str:
    """The UUID of a file system that the user made, with data on it."""
    host.shell(f"mkfs.ext4 -q {disk.path}; mkdir {MOUNT_POINT}")
    return host.shell(f"blkid -p -s UUID -o value {disk.path}").strip()


@pytest.mark.parametrize(
    "line",
    [
        "UUID=THE_UUID /mnt/longhorn-sdb ext4 noatime 0 2",
        "/dev/sdb  /mnt/longhorn-sdb/  ext4  defaults,x-systemd.before=a.service  0 1",
        'UUID="THE_UUID" /mnt/longhorn-sdb ext4 noatime,nofail 0 2',
    ],
)
@pytest.mark.parametrize("mounted", [True, False])
@pytest.mark.parametrize("label", ["", "longhorn"])
def test_the_users_own_line_and_mount_stay_as_they_were(
    host: Sandbox, disk: Disk, users_uuid: str, line: str, mounted: bool, label: str
) -> None:
    host.shell(f"e2label {disk.path} '{label}'")
    before = FSTAB + line.replace("THE_UUID", users_uuid) + "\n# the end\n"
    host.write_text("/etc/fstab", before)
    if mounted:
        host.shell("mount /mnt/longhorn-sdb")
    for _ in range(2):
        assert ensure(host, disk, adopt=users_uuid, owner=OLD).result["formatted"] is False
        assert_kept(host, disk, before)
    assert remove(host, disk, adopt=users_uuid, owner=OLD).result == {"removed": True}
    assert_kept(host, disk, before)


def test_the_users_line_and_other_options_are_refused_with_both_lines(
    host: Sandbox, disk: Disk, users_uuid: str
) -> None:
    line = f"UUID={users_uuid} {MOUNT_POINT} ext4 noatime 0 2"
    host.write_text("/etc/fstab", FSTAB + line + "\n")
    refusal = ensure(host, disk, adopt=users_uuid, mount_options="discard").refusal
    assert line in refusal
    assert f"UUID={users_uuid} {MOUNT_POINT} ext4 discard,nofail 0 2" in refusal
    assert fstab(host) == FSTAB + line + "\n"


def test_a_users_line_that_mounts_the_disk_elsewhere_is_refused(
    host: Sandbox, disk: Disk, users_uuid: str
) -> None:
    line = f"UUID={users_uuid} /srv/data ext4 noatime 0 2"
    host.write_text("/etc/fstab", FSTAB + line + "\n")
    assert line in ensure(host, disk, adopt=users_uuid).refusal
    assert fstab(host) == FSTAB + line + "\n"


def test_an_adopted_disk_without_a_line_gets_ours_and_loses_it_again(
    host: Sandbox, disk: Disk, users_uuid: str
) -> None:
    ensure(host, disk, adopt=users_uuid, owner=OLD, mount_options="noatime")
    line = f"UUID={users_uuid} {MOUNT_POINT} ext4 noatime,nofail 0 2\n"
    assert fstab(host) == FSTAB + line
    ensure(host, disk, adopt=users_uuid, owner=OLD, mount_options="discard")
    assert fstab(host) == FSTAB + line.replace("noatime", "discard")
    remove(host, disk, adopt=users_uuid, owner=OLD, mount_options="discard")
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


@pytest.mark.parametrize(
    "line", ["", "LABEL=data /mnt/longhorn-sdb ext4 noatime 0 2\n"], ids=["ours", "the user's"]
)
@pytest.mark.parametrize("mounted", [True, False])
def test_an_adopted_disk_stays_so_when_its_uuid_leaves_the_stack_file(
    host: Sandbox, disk: Disk, users_uuid: str, line: str, mounted: bool
) -> None:
    host.shell(f"e2label {disk.path} data")
    host.write_text("/etc/fstab", FSTAB + line)
    ensure(host, disk, adopt=users_uuid, owner=OLD)
    after = fstab(host)
    if not mounted:
        host.shell(f"umount {MOUNT_POINT}")
    assert disk_script(host, "check", disk).result["content"] == "adopted"
    assert ensure(host, disk, owner=OLD).result["uuid"] == users_uuid
    assert_kept(host, disk, after)


def test_a_line_of_the_user_stays_when_the_uuid_of_a_disk_labelled_longhorn_leaves_the_stack_file(
    host: Sandbox, disk: Disk, users_uuid: str
) -> None:
    host.shell(f"e2label {disk.path} longhorn")
    before = f"{FSTAB}LABEL=longhorn {MOUNT_POINT} ext4 noatime 0 2\n"
    host.write_text("/etc/fstab", before)
    ensure(host, disk, adopt=users_uuid, owner=OLD)
    ensure(host, disk, owner=OLD)
    assert_kept(host, disk, before)
    remove(host, disk, owner=OLD)
    assert_kept(host, disk, before)


def test_a_line_of_ours_stays_ours_when_the_stack_file_names_the_uuid(
    host: Sandbox, disk: Disk
) -> None:
    uuid = ensure(host, disk, owner=OLD, mount_options="noatime").result["uuid"]
    line = fstab(host)
    ensure(host, disk, adopt=uuid, owner=OLD, mount_options="noatime")
    assert_kept(host, disk, line)
    ensure(host, disk, adopt=uuid, owner=OLD, mount_options="discard")
    assert_kept(host, disk, line.replace("noatime", "discard"))
    remove(host, disk, adopt=uuid, owner=OLD)
    assert (mounted_device(host), fstab(host)) == ("", FSTAB)


def test_a_file_system_without_a_uuid_is_not_adopted_unasked(host: Sandbox, disk: Disk) -> None:
    host.shell(f"mkfs.ext4 -q -L data {disk.path}; tune2fs -U clear {disk.path}")
    before = disk.digest()
    assert "is not blank: it holds ext4" in ensure(host, disk, owner=OLD).refusal
    assert disk.digest() == before


def test_another_file_system_at_an_adopted_ones_place_is_not_taken_with_it(
    host: Sandbox, disk: Disk, users_uuid: str
) -> None:
    ensure(host, disk, adopt=users_uuid, owner=OLD)
    host.shell(f"umount {MOUNT_POINT}; mkfs.ext4 -q -F {disk.path}")
    before = disk.digest()
    assert "is not blank: it holds ext4" in ensure(host, disk, owner=OLD).refusal
    assert disk.digest() == before


def test_options_of_mount_and_format_are_used(host: Sandbox, disk: Disk) -> None:
    ensure(host, disk, mount_options="noatime,nofail", mkfs_options="-m 0 -E lazy_itable_init=0")
    assert " ext4 noatime,nofail 0 2\n" in fstab(host)
    assert "noatime" in host.shell(f"findmnt -no OPTIONS {MOUNT_POINT}")
    assert "Reserved block count:     0" in host.shell("dumpe2fs -h /dev/sdb 2>/dev/null")
