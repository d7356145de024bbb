"""Processes that outlive the program that started them, remembered safely.

A pid file here holds the pid and the process's start time (field 22 of /proc/PID/stat), because
the kernel gives a pid to somebody else sooner or later.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.common.progress import LabError

_KILL_SECONDS = 15.0
_MARK = "LAB_PROCESS_OF"


def start_time(pid: int) -> str | None:
    """Clock ticks after boot at which the process started; None if it is gone or a zombie."""
    try:
        # The name, in parentheses, may itself hold blanks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def remember(pid: int, pid_file: Path) -> None:
    """Write a pid file for a running process. Raises LabError if it has already ended."""
    started = start_time(pid)
    if started is None:
        raise LabError(f"process {pid} ended before {pid_file} was written")
    pid_file.write_text(f"{pid} {started}\n")


def remembered(pid_file: Path) -> int | None:
    """The pid that the file names, if exactly that process still runs."""
    try:
        pid, started = pid_file.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == started else None


def end(pid_file: Path, *, grace_seconds: float) -> None:
    """Ask the process to end, kill it after the grace, and remove the pid file.

    grace_seconds: 0 kills at once. Raises LabError when the process survives even that.
    """
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _KILL_SECONDS)):
        if seconds > 0:
            _signal(pid_file, number)
            _wait_until_gone(pid_file, seconds)
    if (pid := remembered(pid_file)) is not None:
        raise LabError(f"process {pid} ({pid_file}) does not end even when killed")
    pid_file.unlink(missing_ok=True)


def mark(owner: str) -> dict[str, str]:
    """Environment by which a process, and what it starts, is known to be this owner's."""
    return {_MARK: owner}


def end_marked(owner: str) -> int:
    """Kill every process with this mark, whatever has become of its pid file; how many there were.

    For what is left when a lab is removed: a killed program could not remember all it had started.
    """
    found = list(_marked(owner))
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def _marked(owner: str) -> Iterator[int]:
    wanted = f"{_MARK}={owner}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        # A process may end at any point of this.
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)


def _signal(pid_file: Path, number: signal.Signals) -> None:
    pid = remembered(pid_file)
    if pid is None:
        return
    try:
        # The descriptor stays with this process, whoever gets its number next.
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if remembered(pid_file) == pid:
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def _wait_until_gone(pid_file: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while remembered(pid_file) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
