"""What the lab remembers of a host between commands: its address, its disks, what it shares."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lab.common import paths
from lab.common.progress import LabError

_FILE = "record.json"
_DISK_LETTERS = "bcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class DiskRecord:
    """A disk of a host. name: "sdb". identity: its link's name under /dev/disk/by-id."""

    name: str
    identity: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """The sparse file beside the record that holds the disk's bytes."""
        return f"{self.identity}.img"


@dataclass(frozen=True)
class HostRecord:
    """A host as it was asked for. binds: this machine's path → the host's path."""

    name: str
    address: str
    disks: tuple[DiskRecord, ...]
    binds: Mapping[str, str]

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(f"/dev/{disk.name}" for disk in self.disks)

    def next_disk(self, size_bytes: int) -> DiskRecord:
        """A disk under the next free name (the guide's first blank disk is sdb, sda the root)."""
        taken = {disk.name for disk in self.disks}
        letter = next((free for free in _DISK_LETTERS if f"sd{free}" not in taken), None)
        if letter is None:
            raise LabError(f"{self.name} has {len(self.disks)} disks; the lab names no more")
        return DiskRecord(f"sd{letter}", f"lab-{self.name}-sd{letter}", size_bytes)

    def disk(self, device: str) -> DiskRecord:
        """The disk at this path. Raises LabError when the host has none there."""
        for disk in self.disks:
            if f"/dev/{disk.name}" == device:
                return disk
        raise LabError(f"{self.name} has no disk {device}; it has {', '.join(self.devices)}")

    def with_disk(self, disk: DiskRecord) -> "HostRecord":
        return replace(self, disks=(*self.disks, disk))

    def without_disk(self, disk: DiskRecord) -> "HostRecord":
        return replace(self, disks=tuple(kept for kept in self.disks if kept != disk))

    def write(self, directory: Path) -> None:
        """Write the record whole or not at all."""
        unfinished = directory / f"{_FILE}.new"
        unfinished.write_text(json.dumps(asdict(self), indent=2))
        os.replace(unfinished, directory / _FILE)


def read_record(directory: Path) -> HostRecord:
    """Read one host's record. Raises LabError when the lab has no such host."""
    try:
        stored = json.loads((directory / _FILE).read_text())
    except FileNotFoundError as missing:
        raise LabError(f"the lab has no host {directory.name}") from missing
    disks = tuple(DiskRecord(**disk) for disk in stored.pop("disks"))
    return HostRecord(disks=disks, **stored)


def read_records(hosts: Path) -> list[HostRecord]:
    """Read every host's record, in the order of their addresses."""
    records = [read_record(path.parent) for path in hosts.glob(f"*/{_FILE}")]
    return sorted(records, key=lambda record: int(record.address.rpartition(".")[2]))


def ensure_record(
    name: str,
    octet: int,
    disks: int,
    disk_bytes: int,
    binds: dict[str, str] | None = None,
) -> HostRecord:
    """Read a host's record, or make one with so many blank disks.

    octet: the last one of its address in the lab's network.
    """
    directory = hosts_directory() / name
    if (directory / "record.json").exists():
        return read_record(directory)
    address = f"{paths.subnet()}.{octet}"
    record = HostRecord(name, address, (), binds or {})
    for _ in range(disks):
        record = record.with_disk(record.next_disk(disk_bytes))
    directory.mkdir(parents=True, exist_ok=True)
    record.write(directory)
    return record


def hosts_directory() -> Path:
    """Where every host has a directory of its own."""
    return paths.STATE / "hosts"


@contextmanager
def locked() -> Iterator[None]:
    """Let one program at a time change the hosts."""
    hosts_directory().mkdir(parents=True, exist_ok=True)
    with (hosts_directory() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
