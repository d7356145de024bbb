"""The lab's SSH hosts: minimal servers with blank disks, each in namespaces of its own.

A host is an overlay of the base image, an address on the lab's bridge, an SSH server with a key
of its own, and loop devices that it sees as /dev/sdb, /dev/sdc, … It has no way to the Internet
and no iSCSI or NFS packages until somebody installs them. root and `operator` log in with the
client key (`operator` has sudo without a password); so does `careful`, whose sudo asks for one, and
who logs in with the same one, too.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.common.progress import LabError, say
from lab.hosts import disks as host_disks
from lab.hosts import network as host_network
from lab.hosts import process as host_process
from lab.hosts.access import HostHandle, careful_password, furnish, handle_of
from lab.hosts.base_image import base_image
from lab.hosts.record import (
    DiskRecord,
    HostRecord,
    ensure_record,
    hosts_directory,
    locked,
    read_record,
    read_records,
)

__all__ = [
    "DEFAULT_DISK_BYTES",
    "HostHandle",
    "HostStatus",
    "add_disk",
    "add_host",
    "down",
    "grow_disk",
    "handle",
    "move_disk",
    "power_off",
    "reboot",
    "remove_disk",
    "run",
    "set_reachable",
    "status",
    "up",
]

GIB = 1024**3
# Small enough to make a whole cluster of, large enough for xfs.
DEFAULT_DISK_BYTES = GIB

_FIRST_WORKER = 11
_FIRST_CONTROL_PLANE = 201
_FIRST_OTHER = 231


@dataclass(frozen=True)
class HostStatus:
    """What `status` found: the host, and whether its processes are there."""

    name: str
    address: str
    running: bool
    disks: tuple[str, ...]


def up(
    count: int = 3,
    disks: int = 2,
    disk_bytes: int = DEFAULT_DISK_BYTES,
    control_planes: int = 0,
) -> list[HostHandle]:
    """Start node-1 … node-COUNT and control-plane-1 …, each with so many blank disks.

    Hosts that are there keep their root and their disks; only what is missing is made, and an
    unplugged one is plugged in. Returns the handles of exactly the hosts asked for, workers first.
    """
    wanted = [(f"node-{n}", _FIRST_WORKER + n - 1) for n in range(1, count + 1)]
    wanted += [
        (f"control-plane-{n}", _FIRST_CONTROL_PLANE + n - 1) for n in range(1, control_planes + 1)
    ]
    if count > 180 or control_planes > 20:
        raise LabError("The lab's network has room for 180 nodes and 20 control planes.")
    with locked():
        records = [ensure_record(name, octet, disks, disk_bytes) for name, octet in wanted]
        for record in records:
            if host_process.is_running(record.name):
                host_network.plug(record.address, plugged=True)
        return _boot(records)


def add_host(
    name: str | None = None,
    disks: int = 2,
    disk_bytes: int = DEFAULT_DISK_BYTES,
    binds: dict[str, str] | None = None,
) -> HostHandle:
    """Start one more host; without a name, the next free node-N.

    binds: this machine's path → the host's path, mounted into the host at every boot.
    """
    with locked():
        known = {record.name: record for record in read_records(hosts_directory())}
        if name is None:
            number = next(n for n in range(1, 181) if f"node-{n}" not in known)
            name, octet = f"node-{number}", _FIRST_WORKER + number - 1
        else:
            taken = {int(record.address.rpartition(".")[2]) for record in known.values()}
            octet = next(n for n in range(_FIRST_OTHER, 255) if n not in taken)
        return _boot([ensure_record(name, octet, disks, disk_bytes, binds or {})])[0]


def add_disk(host: str, disk_bytes: int = DEFAULT_DISK_BYTES) -> str:
    """Plug one more blank disk into a running host; return its path there, such as /dev/sdd."""
    with locked():
        disk = read_record(hosts_directory() / host).next_disk(disk_bytes)
        _plug(host, disk)
        return f"/dev/{disk.name}"


def grow_disk(host: str, device: str, disk_bytes: int) -> None:
    """Make a disk of a running host larger, mounted or not."""
    with locked():
        directory = hosts_directory() / host
        record = read_record(directory)
        disk = record.disk(device)
        for loop in host_disks.attached_under(directory):
            if loop.file == directory / disk.file_name:
                host_disks.grow(loop, disk_bytes)
        grown = replace(disk, size_bytes=disk_bytes)
        record.without_disk(disk).with_disk(grown).write(directory)


def remove_disk(host: str, device: str) -> None:
    """Pull a disk out of a host, its contents lost. It must not be mounted there."""
    with locked():
        disk = _pull(host, device)
        (hosts_directory() / host / disk.file_name).unlink(missing_ok=True)


def move_disk(host: str, device: str, other: str) -> str:
    """Pull a disk out of a host and plug it into another, with its contents; both run.

    It must not be mounted. Returns its path on the other host, where /dev/disk/by-id still names it
    as before.
    """
    with locked():
        disk = _pull(host, device)
        record = read_record(hosts_directory() / other)
        moved = replace(disk, name=record.next_disk(disk.size_bytes).name)
        (hosts_directory() / host / disk.file_name).rename(
            hosts_directory() / other / moved.file_name
        )
        _plug(other, moved)
        return f"/dev/{moved.name}"


def run(
    host: str, command: str | Sequence[str], stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the host as root, past SSH; a string goes to the host's shell."""
    return host_process.run(host, command, stdin)


def reboot(host: str) -> None:
    """Shut the host down and boot it from the same root; mounts come back by its fstab alone."""
    with locked():
        host_process.shut_down(host)
        _boot([read_record(hosts_directory() / host)])


def power_off(host: str) -> None:
    """End the host at once, nothing flushed or unmounted; `up` or `reboot` starts it again."""
    with locked():
        host_process.kill(host)


def set_reachable(host: str, reachable: bool) -> None:
    """Plug in or pull out the host's network cable; its processes go on."""
    host_network.plug(read_record(hosts_directory() / host).address, plugged=reachable)


def handle(host: str) -> HostHandle:
    """How to reach a host that is there. Raises LabError when the lab has no such host."""
    return handle_of(read_record(hosts_directory() / host), hosts_directory() / host)


def status() -> list[HostStatus]:
    """Every host that the lab has made, running or not."""
    return [
        HostStatus(
            record.name, record.address, host_process.is_running(record.name), record.devices
        )
        for record in read_records(hosts_directory())
    ]


def down() -> None:
    """Remove every host with its disks, network and files, survivors of a crash too."""
    with locked():
        directories = [path for path in hosts_directory().iterdir() if path.is_dir()]
        for directory in directories:
            host_process.kill(directory.name)
        # Before the disks: this also ends hosts whose pid files were lost, which may hold them.
        host_network.remove_all()
        for disk in host_disks.attached_under(hosts_directory()):
            host_disks.detach(disk)
        shutil.rmtree(hosts_directory())
    if directories:
        say(f"{len(directories)} hosts removed")


def _boot(records: Sequence[HostRecord]) -> list[HostHandle]:
    base = base_image()
    host_network.make_bridge()
    for record in records:
        directory = hosts_directory() / record.name
        if host_process.is_running(record.name):
            continue
        namespace = host_network.connect(record.name, record.address)
        furnish(record, directory, base)
        loops = [
            (disk, host_disks.attach(directory / disk.file_name, disk.size_bytes))
            for disk in record.disks
        ]
        host_process.start(
            host_process.BootPlan(
                name=record.name,
                directory=directory,
                base=base,
                namespace=namespace,
                disks=[(disk.name, loop.number, disk.identity) for disk, loop in loops],
                binds=record.binds,
            )
        )
    for record in records:
        host_process.wait_for_ssh(record.name, record.address)
        _in_host(record.name, ["chpasswd"], f"careful:{careful_password(hosts_directory())}\n")
    say(f"{len(records)} hosts up: {', '.join(record.name for record in records)}")
    return [handle_of(record, hosts_directory() / record.name) for record in records]


def _plug(host: str, disk: DiskRecord) -> None:
    directory = hosts_directory() / host
    loop = host_disks.attach(directory / disk.file_name, disk.size_bytes)
    read_record(directory).with_disk(disk).write(directory)
    _in_host(host, ["/usr/lib/lab/attach-disk", disk.name, loop.number, disk.identity])


def _pull(host: str, device: str) -> DiskRecord:
    """Take a disk out of a running host; the file with its contents stays."""
    directory = hosts_directory() / host
    record = read_record(directory)
    disk = record.disk(device)
    for loop in host_disks.attached_under(directory):
        if loop.file == directory / disk.file_name:
            remove = ["/usr/lib/lab/attach-disk", "--remove", disk.name]
            _in_host(host, [*remove, loop.number, disk.identity])
            host_disks.detach(loop)
    record.without_disk(disk).write(directory)
    return disk


def _in_host(host: str, command: list[str], stdin: str | None = None) -> None:
    done = host_process.run(host, command, stdin)
    if done.returncode != 0:
        raise LabError(f"{host}: {' '.join(command)}: {done.stderr.strip()}")
