"""The lab's hosts behave as servers do, and leave nothing behind on the machine that lent them."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan
from components.hosts.connection import HostCredentials
from lab.common import daemons, paths, processes, progress
from lab.hosts import disks as host_disks
from lab.hosts import hosts
from lab.hosts import process as host_process
from lab.hosts.hosts import HostHandle
from tools.new.disks import read_disks
from tools.new.host_keys import host_keys

# Of this process alone, so that two runs of the tests do not meet.
_NAME = f"th{os.getpid() % 100_000}"
_SUBNET = f"10.{100 + os.getpid() % 20}.{os.getpid() // 20 % 256}"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="loop devices and namespaces need root"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="the base image needs apt"),
]


@contextmanager
def _own_lab(state: Path) -> Iterator[Path]:
    """A lab beside any other: its own directory, names and network; removed at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_NAME", _NAME)
        patch.setenv("LAB_SUBNET", _SUBNET)
        for module in (paths, daemons, progress):
            patch.setattr(module, "STATE", state)
        try:
            yield state
        finally:
            hosts.down()


@pytest.fixture(scope="module")
def three_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[HostHandle]]:
    with _own_lab(tmp_path_factory.mktemp("lab")):
        yield hosts.up(3)


def _ssh(
    host: HostHandle, command: str, *, user: str = "root", key: str | None = None, stdin: str = ""
) -> asyncssh.SSHCompletedProcess:
    """Run a command over SSH; the server must show `key`, by default the one of the handle."""

    async def run() -> asyncssh.SSHCompletedProcess:
        pinned = asyncssh.import_public_key(key or host.host_key)
        async with asyncssh.connect(
            host.address,
            host.ssh_port,
            username=user,
            client_keys=[str(host.client_key_path)],
            known_hosts=([pinned], [], []),
            config=None,
            connect_timeout=15,
        ) as connection:
            return await connection.run(command, input=stdin)

    return asyncio.run(run())


def _ok(host: HostHandle, command: str) -> str:
    done = _ssh(host, command)
    assert done.exit_status == 0, f"{host.name}: {command}: {done.stderr}"
    return str(done.stdout).strip()


def test_every_host_answers_over_ssh_under_its_own_name_and_pinned_key(
    three_hosts: list[HostHandle],
) -> None:
    assert [_ok(host, "hostname") for host in three_hosts] == ["node-1", "node-2", "node-3"]
    assert len({host.host_key for host in three_hosts}) == 3, "hosts share a host key"
    assert len({_ok(host, "cat /etc/machine-id") for host in three_hosts}) == 3


def test_a_host_is_refused_when_it_shows_another_key_than_the_pinned_one(
    three_hosts: list[HostHandle],
) -> None:
    first, second, _ = three_hosts
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        _ssh(first, "true", key=second.host_key)


def test_a_host_sees_its_two_blank_disks_and_no_other(three_hosts: list[HostHandle]) -> None:
    for host in three_hosts:
        seen = json.loads(_ok(host, "lsblk --json --bytes --output PATH,TYPE,SIZE"))
        expected = [
            {"path": device, "type": "disk", "size": hosts.DEFAULT_DISK_BYTES}
            for device in ("/dev/sdb", "/dev/sdc")
        ]
        assert seen["blockdevices"] == expected, "the machine's own disks must stay hidden"
        assert _ok(host, "wipefs --no-act /dev/sdc") == "", "a new disk carries a signature"
        link = f"/dev/disk/by-id/lab-{host.name}-sdb"
        assert _ok(host, f"readlink -f {link}") == "/dev/sdb"


def test_a_new_stack_is_offered_the_blank_disks_of_hosts_and_leaves_them_as_they_are(
    three_hosts: list[HostHandle],
) -> None:
    _ok(three_hosts[0], "printf data | dd of=/dev/sdc conv=notrunc status=none")
    addresses = [
        HostAddress(
            name=host.name,
            host=host.address,
            port=host.ssh_port,
            user="root",
            host_key=shown.key,
        )
        for host in three_hosts
        for shown in host_keys([(host.address, host.ssh_port)], Path("/absent")).values()
    ]
    assert [each.host_key for each in addresses] == [host.host_key for host in three_hosts]
    key = three_hosts[0].client_key_path.read_text()
    found = read_disks(addresses, ReadingPlan(credentials=HostCredentials(private_key=key)))
    _ok(three_hosts[0], "dd if=/dev/zero of=/dev/sdc bs=4 count=1 conv=notrunc status=none")
    free = {name: [(disk.device, disk.name) for disk in host.free] for name, host in found.items()}
    assert free == {
        host.name: [
            (f"/dev/{disk}", f"/dev/disk/by-id/lab-{host.name}-{disk}")
            for disk in (("sdb",) if host is three_hosts[0] else ("sdb", "sdc"))
        ]
        for host in three_hosts
    }
    (refused,) = (disk for disk in found[three_hosts[0].name].disks if disk.refused)
    assert "data" in str(refused.refused)
    for host in three_hosts:
        assert _ok(host, "wipefs --no-act /dev/sdb /dev/sdc; ls /mnt") == ""


def test_the_root_shows_nothing_of_the_machine_that_it_runs_on(
    three_hosts: list[HostHandle],
) -> None:
    mounts = _ok(three_hosts[0], "cut -d' ' -f2 /proc/mounts").splitlines()
    assert "/" in mounts
    assert not [point for point in mounts if "old" in point or str(paths.PROJECT) in point]
    assert _ok(three_hosts[0], "cat /proc/1/comm") == "init"


@pytest.mark.parametrize(
    ("host_index", "make"), [(0, "mkfs.ext4 -q"), (1, "mkfs.xfs -q")], ids=["ext4", "xfs"]
)
def test_a_disk_mounted_by_its_uuid_comes_back_with_its_data_after_a_reboot(
    three_hosts: list[HostHandle], host_index: int, make: str
) -> None:
    host = three_hosts[host_index]
    _ok(host, f"{make} -L longhorn /dev/sdb && mkdir /mnt/data && chattr +i /mnt/data")
    uuid = _ok(host, "blkid --probe --match-tag UUID --output value /dev/sdb")
    assert _ok(host, "lsblk --noheadings --output UUID /dev/sdb") == uuid
    _ok(host, f"echo 'UUID={uuid} /mnt/data auto defaults,nofail 0 2' >>/etc/fstab")
    _ok(host, "mount /mnt/data && echo kept >/mnt/data/file")
    boot = _ok(host, "cat /proc/sys/kernel/random/boot_id")

    hosts.reboot(host.name)

    assert _ok(host, "cat /proc/sys/kernel/random/boot_id") != boot, "the host did not boot"
    assert _ok(host, "findmnt --noheadings --output SOURCE,UUID /mnt/data").split() == [
        "/dev/sdb",
        uuid,
    ]
    assert _ok(host, "cat /mnt/data/file") == "kept"
    _ok(host, "umount /mnt/data")
    assert _ssh(host, "touch /mnt/data/x").exit_status != 0, "the empty directory is not immutable"


def test_open_iscsi_installs_from_the_host_s_own_packages_and_its_daemon_starts(
    three_hosts: list[HostHandle],
) -> None:
    host = three_hosts[2]
    assert _ssh(host, "command -v iscsiadm").exit_status != 0, "a minimal server has no iscsiadm"
    install = "DEBIAN_FRONTEND=noninteractive apt-get install --yes open-iscsi nfs-common"
    _ok(host, f"apt-get update && {install}")
    assert _ok(host, "iscsiadm --version").startswith("iscsiadm version 2.")
    _ok(host, "systemctl enable --now iscsid")
    assert _ok(host, "systemctl is-active iscsid") == "active"
    hosts.reboot(host.name)
    assert _ok(host, "systemctl is-active iscsid") == "active", "an enabled service did not start"
    _ok(host, "systemctl stop iscsid.service")
    assert _ssh(host, "systemctl is-active iscsid").exit_status == 3


def test_sudo_asks_careful_for_a_password_and_operator_for_none(
    three_hosts: list[HostHandle],
) -> None:
    host = three_hosts[0]
    assert _ssh(host, "sudo -n id -u", user="operator").stdout == "0\n"
    assert _ssh(host, "sudo -n id -u", user="careful").exit_status != 0
    asked = _ssh(host, "sudo -S id -u", user="careful", stdin=f"{host.careful_password}\n")
    assert asked.stdout == "0\n"
    refused = _ssh(host, "sudo -S id -u", user="careful", stdin="wrong\n")
    assert refused.exit_status != 0


def test_an_unplugged_host_does_not_answer_until_it_is_plugged_in_again(
    three_hosts: list[HostHandle],
) -> None:
    host = three_hosts[1]
    hosts.set_reachable(host.name, False)
    try:
        with pytest.raises(OSError):  # noqa: PT011 - which error depends on the kernel's ARP state
            _ssh(host, "true")
        assert hosts.run(host.name, "hostname").stdout == "node-2\n", "its processes should go on"
    finally:
        hosts.set_reachable(host.name, True)
    host_process.wait_for_ssh(host.name, host.address)
    assert _ok(host, "hostname") == "node-2"


def test_disks_can_be_added_to_and_pulled_from_a_running_host(
    three_hosts: list[HostHandle],
) -> None:
    host = three_hosts[2]
    added = hosts.add_disk(host.name, 64 * 1024 * 1024)
    assert added == "/dev/sdd"
    assert _ok(host, "blockdev --getsize64 /dev/sdd") == str(64 * 1024 * 1024)
    hosts.remove_disk(host.name, "/dev/sdd")
    assert _ssh(host, "test -e /dev/sdd").exit_status == 1
    assert "sdd" not in _ok(host, "lsblk")


def test_a_disk_moves_to_another_host_with_what_is_on_it(three_hosts: list[HostHandle]) -> None:
    one, other = three_hosts[1], three_hosts[2]
    added = hosts.add_disk(one.name, 64 * 1024 * 1024)
    _ok(one, f"mkfs.ext4 -q {added}")
    uuid = _ok(one, f"blkid -p -s UUID -o value {added}")
    link = _ok(one, f"cd /dev/disk/by-id && ls -l | grep -o 'lab.* -> ../../{added[5:]}'").split()[
        0
    ]
    moved = hosts.move_disk(one.name, added, other.name)
    assert _ssh(one, f"test -e {added}").exit_status == 1
    assert _ok(other, f"blkid -p -s UUID -o value {moved}") == uuid
    assert _ok(other, f"readlink -f /dev/disk/by-id/{link}") == moved
    hosts.reboot(other.name)
    assert _ok(other, f"blkid -p -s UUID -o value {moved}") == uuid
    hosts.remove_disk(other.name, moved)
    assert _ssh(other, f"test -e {moved}").exit_status == 1


def test_up_keeps_the_hosts_that_are_there(three_hosts: list[HostHandle]) -> None:
    _ok(three_hosts[0], "echo mine >/root/mark")
    assert hosts.up(3) == three_hosts
    assert _ok(three_hosts[0], "cat /root/mark") == "mine"


def _processes_in(host: HostHandle) -> dict[int, str]:
    """The host's processes, seen from this machine: pid and start time."""
    namespace = os.readlink(f"/proc/{host_process.first_process(host.name)}/ns/pid")
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        pid = int(process.name)
        try:
            inside = os.readlink(process / "ns/pid") == namespace
        except OSError:
            continue
        if inside and (start := processes.start_time(pid)) is not None:
            found[pid] = start
    return found


def _left_behind(state: Path, started: dict[int, str]) -> list[str]:
    """Everything on this machine that a lab in this directory could have left."""
    left = [f"loop {disk.device}" for disk in host_disks.attached_under(state)]
    left += [f"link {link.name}" for link in Path("/sys/class/net").glob(f"{_NAME}*")]
    left += [f"netns {path.name}" for path in Path("/run/netns").glob(f"{_NAME}-*")]
    left += [
        f"mount {line}"
        for line in Path("/proc/mounts").read_text().splitlines()
        if str(state) in line or f"/{_NAME}-" in line
    ]
    left += [
        f"process {pid}" for pid, start in started.items() if processes.start_time(pid) == start
    ]
    left += [f"file {path}" for path in (state / "hosts").glob("node-*")]
    left += [f"pid file {path}" for path in (state / "run").glob("host-*")]
    return left


@pytest.mark.usefixtures("three_hosts")
def test_down_also_removes_hosts_whose_records_were_lost(tmp_path: Path) -> None:
    # From here on the module's lab is down, so that names and network are free.
    hosts.down()
    with _own_lab(tmp_path):
        (host,) = hosts.up(1)
        _ok(host, "mkfs.ext4 -q /dev/sdb && mount /dev/sdb /mnt && echo busy >/mnt/file")
        started = _processes_in(host)
        for folder in ("run", "hosts"):
            shutil.rmtree(tmp_path / folder)

        hosts.down()

        assert _left_behind(tmp_path, started) == []


@pytest.mark.usefixtures("three_hosts")
def test_down_leaves_nothing_even_with_mounted_disks_and_a_crashed_host(tmp_path: Path) -> None:
    hosts.down()
    with _own_lab(tmp_path):
        first, second = hosts.up(2)
        _ok(first, "mkfs.ext4 -q /dev/sdb && mount /dev/sdb /mnt && echo busy >/mnt/file")
        started = _processes_in(first) | _processes_in(second)
        hosts.power_off(second.name)
        found = {line.split()[0] for line in _left_behind(tmp_path, started)}
        assert {"loop", "link", "netns", "process", "file"} <= found, "the check sees too little"

        hosts.down()

        assert _left_behind(tmp_path, started) == []
