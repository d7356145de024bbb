"""The lab's background processes by name: where their pid files and logs are, and how they start.

lab.common.processes tells whether a pid still means the process that was started.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.common import processes
from lab.common.paths import PROJECT, STATE
from lab.common.progress import LabError

_TAIL_LINES = 20
_GRACE_SECONDS = 20.0
# By name. Python would warn of processes that it forgot; they outlive it on purpose.
_started_here: dict[str, subprocess.Popen[bytes]] = {}


def start(name: str, command: Sequence[str | Path]) -> bool:
    """Start a process that outlives this one, its output appended to its log; False if it runs.

    Args:
        name: names the pid file and the log file.
        command: the program and its arguments; it runs in the project's folder and, if it is a
            part of the lab itself, finds the same state there.
    """
    if is_running(name):
        return False
    log_file(name).parent.mkdir(parents=True, exist_ok=True)
    _pid_file(name).parent.mkdir(parents=True, exist_ok=True)
    with log_file(name).open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=PROJECT,
            env={
                **os.environ,
                **processes.mark(str(STATE)),
                "LAB_STATE": str(STATE),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started_here[name] = process
    processes.remember(process.pid, _pid_file(name))
    return True


def is_running(name: str) -> bool:
    """Whether the process that was started under this name is alive."""
    return processes.remembered(_pid_file(name)) is not None


def pid(name: str) -> int | None:
    """The process that `start` recorded, or None when it is not running (any more)."""
    return processes.remembered(_pid_file(name))


def exit_status(name: str) -> int | None:
    """How a process ended that this very program started; None if it runs or is a stranger."""
    process = _started_here.get(name)
    return process.poll() if process is not None else None


def running(prefix: str) -> list[str]:
    """The names of the processes that are alive and whose names begin like this."""
    names = [file.stem for file in (STATE / "run").glob(f"{prefix}*.pid")]
    return sorted(name for name in names if is_running(name))


def require_running(name: str) -> None:
    """Raise LabError with the end of its log when a process is not running (any more)."""
    if not is_running(name):
        log = log_file(name)
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:] if log.exists() else []
        raise LabError("\n".join([f"{name} is not running. The end of {log}:", *tail]))


def stop(name: str, grace_seconds: float = _GRACE_SECONDS) -> None:
    """End a process, by force if it does not go in time. Nothing to do when it is gone."""
    processes.end(_pid_file(name), grace_seconds=grace_seconds)


def log_file(name: str) -> Path:
    """Where the output of a process goes."""
    return STATE / "logs" / f"{name}.log"


def _pid_file(name: str) -> Path:
    return STATE / "run" / f"{name}.pid"
