"""What node-facts tells about a node is what is so there, in JSON that any text survives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripts.package_managers import TOOLS, become, have_installed
from tests.scripts.remote import MOUNT_POINT, ensure, fstab, run_script
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks


@pytest.fixture
def disk(host: Sandbox) -> Disk:
    return host.add_disk("sdb", 16 * MIB)


def facts(host: Sandbox, *pairs: str, path: str = "", shell: str = "sh") -> dict[str, Any]:
    return run_script(host, "node-facts.sh", *pairs, path=path, shell=shell).result


def disk_facts(host: Sandbox, device: str = "/dev/sdb", **options: str) -> dict[str, Any]:
    (found,) = facts(host, f"{device}:{MOUNT_POINT}", **options)["disks"]
    return found


BLANK = {
    "device": "/dev/sdb",
    "mountPoint": MOUNT_POINT,
    "is": "disk",
    "uuid": None,
    "fileSystem": None,
    "fstabLine": None,
    "mounted": False,
    "onRoot": True,
    "writable": None,
    "immutable": None,
}


@pytest.mark.parametrize("shell", ["sh", "busybox sh", "bash --posix"])
@pytest.mark.usefixtures("disk")
def test_a_blank_disk_has_nothing_on_it(host: Sandbox, shell: str) -> None:
    if host.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    assert disk_facts(host, shell=shell) == BLANK


@pytest.mark.parametrize("shell", ["sh", "busybox sh", "bash --posix"])
def test_a_prepared_disk_is_told_in_full(host: Sandbox, disk: Disk, shell: str) -> None:
    if host.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    uuid = ensure(host, disk).result["uuid"]
    assert disk_facts(host, shell=shell) == BLANK | {
        "uuid": uuid,
        "fileSystem": "ext4",
        "fstabLine": f"UUID={uuid} {MOUNT_POINT} ext4 defaults,nofail 0 2",
        "mounted": True,
        "onRoot": False,
        "writable": True,
        "immutable": True,
    }


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (f"umount {MOUNT_POINT}", {"mounted": False, "onRoot": True, "writable": None}),
        (f"mount -o remount,ro {MOUNT_POINT}", {"writable": False}),
        ("sed -i '/nofail/d' /etc/fstab", {"fstabLine": None}),
        (
            f"umount {MOUNT_POINT}; chattr -i {MOUNT_POINT}; mount {MOUNT_POINT}",
            {"immutable": False},
        ),
        (
            f"umount {MOUNT_POINT}; chattr -i {MOUNT_POINT}; rmdir {MOUNT_POINT}",
            {"immutable": None},
        ),
    ],
)
def test_each_thing_undone_shows(
    host: Sandbox, disk: Disk, command: str, changed: dict[str, Any]
) -> None:
    ensure(host, disk)
    before = disk_facts(host)
    host.shell(command)
    after = disk_facts(host)
    assert {name: after[name] for name in changed} == changed
    assert before != after


@pytest.mark.parametrize(
    ("commands", "on_root"),
    [
        ("mkdir -p /mnt/here", True),
        ("true", True),
        ("mount -t tmpfs tmpfs /mnt", False),
        ("ln -s /run/elsewhere /mnt/here; mkdir /run/elsewhere", False),
    ],
    ids=["a directory", "nothing there yet", "below another mount", "a link to another"],
)
def test_what_would_fill_the_root_file_system_is_told(
    host: Sandbox, commands: str, on_root: bool
) -> None:
    host.shell(commands)
    (found,) = facts(host, "/dev/sdz:/mnt/here")["disks"]
    assert found["onRoot"] is on_root


@pytest.mark.parametrize(
    ("commands", "manager"),
    [
        ("", "image"),
        ("echo >/opt/test/bin/transactional-update", "transactional-update"),
        ("echo >/opt/test/bin/rpm-ostree; : >/run/ostree-booted", "rpm-ostree"),
        (": >/run/ostree-booted", "bootc"),
        ("echo 'echo rw' >/opt/test/bin/findmnt", None),
        ("echo 'echo rw' >/opt/test/bin/findmnt; echo >/opt/test/bin/rpm-ostree", None),
    ],
)
def test_an_image_based_system_is_told_from_an_ordinary_one(
    host: Sandbox, commands: str, manager: str | None
) -> None:
    host.shell(f"mkdir -p {TOOLS}; {commands}\nchmod +x {TOOLS}/* 2>/dev/null || :")
    assert facts(host, path=TOOLS)["imageManager"] == manager


@pytest.mark.parametrize(("enforce", "mode"), [("1", "enforcing"), ("0", "permissive")])
def test_the_mode_of_selinux_is_told(host: Sandbox, enforce: str, mode: str) -> None:
    assert facts(host)["selinux"] is None
    host.shell(f"mkdir /run/fs; mkdir /run/fs/selinux; echo {enforce} >/run/fs/selinux/enforce")
    host.shell("mount --bind /run/fs /sys/fs")
    assert facts(host)["selinux"] == mode


@pytest.mark.parametrize(("device", "kind"), [("/dev/sdz", "missing"), ("/dev/null", "other")])
def test_what_is_no_disk_is_told_apart(host: Sandbox, device: str, kind: str) -> None:
    assert disk_facts(host, device) == BLANK | {"device": device, "is": kind}


@pytest.mark.usefixtures("disk")
def test_a_device_path_may_have_colons_of_its_own(host: Sandbox) -> None:
    device = "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0"
    host.shell(f"mkdir -p /dev/disk/by-path; ln -s /dev/sdb {device}")
    assert disk_facts(host, device) == BLANK | {"device": device}


def test_several_disks_come_in_the_order_asked_for(host: Sandbox, disk: Disk) -> None:
    host.add_disk("sdc", 16 * MIB)
    found = facts(host, "/dev/sdc:/mnt/c", f"{disk.path}:/mnt/b")["disks"]
    assert [(each["device"], each["mountPoint"]) for each in found] == [
        ("/dev/sdc", "/mnt/c"),
        ("/dev/sdb", "/mnt/b"),
    ]


def test_nothing_is_changed_by_asking(host: Sandbox, disk: Disk) -> None:
    listing = "ls -lAR --time-style=full-iso /etc /mnt /var; cat /proc/self/mounts"
    host.shell("sync")
    before = (disk.digest(), host.shell(listing))
    disk_facts(host)
    assert (disk.digest(), host.shell(listing)) == before
    assert fstab(host) == FSTAB


def test_the_system_is_told(host: Sandbox) -> None:
    become(host, "Rocky Linux 9")
    told = facts(host)
    assert told["hostname"] == "node-1"
    assert told["kernel"] == host.shell("uname -r").strip()
    assert told["os"] == {"id": "rocky", "idLike": "rhel centos fedora"}
    assert told["disks"] == []


def test_installed_packages_are_told_with_their_versions(host: Sandbox) -> None:
    become(host, "Debian 12")
    have_installed(host, "open-iscsi", "nfs-common", "vim", version="1:2.6-4")
    told = facts(host, path=TOOLS)
    assert told["packages"] == {"open-iscsi": "1:2.6-4", "nfs-common": "1:2.6-4"}


def test_daemons_are_told_by_service_or_socket(host: Sandbox) -> None:
    become(host, "Debian 12")
    told = facts(host, path=TOOLS)
    assert (told["iscsid"], told["multipathd"], told["iscsiadm"]) == (False, False, True)
    host.shell(": >/run/active/iscsid.socket; : >/run/active/multipathd.service")
    host.shell(": >/run/broken-iscsiadm")
    told = facts(host, path=TOOLS)
    assert (told["iscsid"], told["multipathd"], told["iscsiadm"]) == (True, True, False)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("CONFIG_NFS_V4=y\n", "y"),
        ("CONFIG_NFS_V4=m\nCONFIG_NFS_V4_1=y\n", "y"),
        ("CONFIG_NFS_V4=m\n# CONFIG_NFS_V4_2 is not set\n", "m"),
        ("CONFIG_NFS_V3=y\n# CONFIG_NFS_V4 is not set\nCONFIG_NFS_V4_SECURITY_LABEL=y\n", "n"),
    ],
)
def test_nfs_4_is_read_from_the_kernels_configuration(
    host: Sandbox, config: str, told: str
) -> None:
    kernel = host.shell("uname -r").strip()
    host.write_text(f"/boot/config-{kernel}", config)
    assert facts(host)["nfs4InKernel"] == told


def modules_of(host: Sandbox) -> str:
    """An empty directory of the kernel's modules: the machine's, read-only here, is laid over."""
    over = "lowerdir=/usr/lib,upperdir=/run/upper,workdir=/run/work"
    host.shell("mkdir /run/upper /run/work")
    if host.call("mount", "-t", "overlay", "-o", over, "overlay", "/usr/lib").returncode != 0:
        pytest.skip("this kernel has no overlay file system")
    directory = f"/usr/lib/modules/{host.shell('uname -r').strip()}"
    host.shell(f"rm -rf {directory}; mkdir -p {directory}")
    return directory


def test_the_kernels_configuration_is_found_beside_its_modules(host: Sandbox) -> None:
    host.write_text(f"{modules_of(host)}/config", "CONFIG_NFS_V4=m\n")
    assert facts(host)["nfs4InKernel"] == "m"


@pytest.mark.parametrize("propagation", ["shared", "private"])
def test_mount_propagation_of_the_root_is_told(host: Sandbox, propagation: str) -> None:
    host.shell(f"mount --make-{propagation} /")
    assert facts(host)["mountPropagation"] == propagation


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('Linux \\\\ \\"quoted\\"', 'Linux \\\\ \\"quoted\\"'),
        ("tab\there, \x01 and \x7f", "tab\there, \x01 and \x7f"),
        ("ü", "\ufffd\ufffd"),
        ("%s %d $HOME `id` &<>'", "%s %d $HOME `id` &<>'"),
        ("", None),
    ],
)
def test_any_text_makes_valid_json(host: Sandbox, text: str, told: str | None) -> None:
    host.shell("rm /etc/os-release")
    host.write_text("/etc/os-release", f'ID_LIKE="{text}"\n')
    assert facts(host)["os"]["idLike"] == told


def test_a_long_text_comes_whole(host: Sandbox) -> None:
    host.shell("rm /etc/os-release")
    host.write_text("/etc/os-release", "ID_LIKE=" + "0123456789" * 50 + "\n")
    assert facts(host)["os"]["idLike"] == "0123456789" * 50


@pytest.mark.parametrize("pair", ["/dev/sdb", "sdb:/mnt/x", ":/mnt/x"])
def test_a_wrong_pair_is_explained(host: Sandbox, pair: str) -> None:
    refusal = run_script(host, "node-facts.sh", pair).refusal
    assert f"{pair} is not DEVICE:MOUNT_POINT" in refusal


def test_an_iscsid_that_would_not_start_at_boot_is_told(host: Sandbox) -> None:
    become(host, "Debian 12")
    assert facts(host, path=TOOLS)["iscsidEnabled"] is False
    host.shell(": >/run/enabled/iscsid.socket")
    assert facts(host, path=TOOLS)["iscsidEnabled"] is True


@pytest.mark.parametrize(
    ("content", "named"),
    [("InitiatorName=iqn.mine\n", True), ("# none\n", False), ("InitiatorName=\n", False)],
)
def test_the_initiator_name_of_the_node_is_looked_for(
    host: Sandbox, content: str, named: bool
) -> None:
    assert facts(host)["initiatorName"] is False
    host.write_text("/etc/iscsi/initiatorname.iscsi", content)
    assert facts(host)["initiatorName"] is named


def test_commands_that_longhorn_calls_are_looked_for(host: Sandbox) -> None:
    tools = facts(host)["tools"]
    assert (tools["grep"], tools["findmnt"]) == (True, True)
    host.write_text("/opt/test/cryptsetup", "#!/bin/sh\n")
    host.shell("chmod +x /opt/test/cryptsetup")
    assert facts(host, path="/opt/test")["tools"] == tools | {"cryptsetup": True}


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("modules.dep: kernel/drivers/scsi/iscsi_tcp.ko.xz: kernel/libiscsi.ko", "available"),
        ("modules.builtin: kernel/drivers/scsi/iscsi_tcp.ko", "builtin"),
        ("modules.dep: kernel/drivers/scsi/iscsi-tcp.ko.zst: kernel/libiscsi.ko", "available"),
        ("modules.builtin: kernel/drivers/scsi/iscsi-tcp.ko", "builtin"),
        ("modules.dep: kernel/drivers/scsi/other.ko: kernel/iscsi_tcp.ko", "missing"),
        ("", "unknown"),
    ],
)
def test_the_kernels_modules_are_looked_up(host: Sandbox, listed: str, told: str) -> None:
    if host.call("test", "-d", "/sys/module/iscsi_tcp").returncode == 0:
        pytest.skip("this kernel has iscsi_tcp loaded")
    directory = modules_of(host)
    if listed:
        name, _, line = listed.partition(": ")
        host.write_text(f"{directory}/{name}", line + "\n")
    assert facts(host)["modules"]["iscsi_tcp"] == told


def test_the_default_version_of_nfs_is_read_from_all_its_files(host: Sandbox) -> None:
    assert facts(host)["nfsDefaultVersion"] is None
    host.write_text("/etc/nfsmount.conf", "[ NFSMount_Global_Options ]\n# Defaultvers=3\n")
    assert facts(host)["nfsDefaultVersion"] is None
    host.write_text("/etc/nfsmount.conf.d/ours.conf", "Defaultvers = 4.1\n")
    assert facts(host)["nfsDefaultVersion"] == "4.1"


@pytest.mark.parametrize("line", ["nfsvers=3", "  Nfsvers = 3", "vers=3", 'defaultvers="3"'])
def test_every_spelling_of_the_version_of_nfs_is_read(host: Sandbox, line: str) -> None:
    host.write_text("/etc/nfsmount.conf", f"[ NFSMount_Global_Options ]\n{line}\n")
    assert facts(host)["nfsDefaultVersion"] == "3"


@pytest.mark.parametrize(
    ("commands", "forbidden"),
    [
        ("true", False),
        ("mkdir -p /var/lib/longhorn; mount -t tmpfs tmpfs /var/lib/longhorn", False),
        ("mount -t tmpfs -o noexec tmpfs /var", True),
        (
            "mkdir -p /var/lib/longhorn/engine-binaries; "
            "mount -t tmpfs -o noexec tmpfs /var/lib/longhorn",
            True,
        ),
        (
            "mount -t tmpfs -o noexec tmpfs /var; mkdir -p /var/lib/longhorn; "
            "mount -t tmpfs tmpfs /var/lib/longhorn",
            False,
        ),
    ],
    ids=["nothing there", "a disk", "a hardened /var", "a hardened disk", "a disk in between"],
)
def test_where_longhorns_engines_could_not_run_is_told(
    host: Sandbox, commands: str, forbidden: bool
) -> None:
    host.shell(commands)
    assert facts(host)["enginesNoexec"] is forbidden
