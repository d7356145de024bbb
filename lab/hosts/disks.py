"""Blank disks for lab hosts: loop devices over sparse files under the lab's own directory.

What belongs to the lab is told by the backing file alone, as the kernel reports it, never by a
number that was noted earlier: a loop device can have another owner by now.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.common.progress import LabError

_DETACH_SECONDS = 15.0


@dataclass(frozen=True)
class LoopDisk:
    """A loop device of the lab and the file that holds its bytes."""

    device: Path
    file: Path

    @property
    def number(self) -> str:
        """The kernel's MAJOR:MINOR."""
        status = self.device.stat()
        return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def attach(file: Path, size_bytes: int) -> LoopDisk:
    """Make the sparse file if it is missing and give it a loop device, once.

    Raises LabError when the machine has no loop device to give.
    """
    for disk in attached_under(file.parent):
        if disk.file == file:
            return disk
    if not file.exists():
        with file.open("wb") as content:
            content.truncate(size_bytes)
    done = subprocess.run(
        ["losetup", "--find", "--show", file], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise LabError(
            f"no loop device for {file}: {done.stderr.strip()}. The lab's disks need loop devices "
            "(/dev/loop-control), which containers often lack: run the lab on a real or virtual "
            "machine."
        )
    return LoopDisk(Path(done.stdout.strip()), file)


def grow(disk: LoopDisk, size_bytes: int) -> None:
    """Make a disk larger while it is in use, as a hypervisor does; what is on it stays."""
    os.truncate(disk.file, size_bytes)
    subprocess.run(["losetup", "--set-capacity", disk.device], check=True)


def attached_under(directory: Path) -> list[LoopDisk]:
    """The loop devices whose backing file is, or was, under this directory."""
    return [disk for disk in _all_loops() if disk.file.is_relative_to(directory)]


def detach(disk: LoopDisk) -> None:
    """Give the loop device back; the file stays.

    Raises LabError when something still holds the device after 15 s.
    """
    deadline = time.monotonic() + _DETACH_SECONDS
    while disk in _all_loops():
        # In use, the kernel only marks it for release; that is why the loop looks again.
        subprocess.run(["losetup", "--detach", disk.device], check=False, capture_output=True)
        if disk not in _all_loops():
            return
        if time.monotonic() > deadline:
            raise LabError(
                f"{disk.device} ({disk.file}) is still in use after {_DETACH_SECONDS:.0f} s: "
                "see what holds it with lsblk and fuser, end that, and run down again."
            )
        time.sleep(0.1)


def _all_loops() -> Iterator[LoopDisk]:
    listed = subprocess.run(
        ["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    if not listed.strip():
        return
    for entry in json.loads(listed)["loopdevices"]:
        file = str(entry["back-file"] or "").removesuffix(" (deleted)")
        if file:
            yield LoopDisk(Path(entry["name"]), Path(file))
