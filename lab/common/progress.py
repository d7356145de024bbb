"""Telling the person at the terminal what the lab does, and that it is still alive."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.common.paths import STATE

_STARTED = time.monotonic()
_HEARTBEAT_SECONDS = 15.0
_TAIL_LINES = 20


class LabError(RuntimeError):
    """Something that the lab needs is missing or failed; the message says what to do."""


def say(text: str) -> None:
    """Print one line with the seconds since the program started."""
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    doing: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log_name: str | None = None,
    lines: int | None = None,
) -> Path:
    """Run a long command, its output in a log file, a line every 15 s while it runs.

    Args:
        command, cwd, env: of the process.
        doing: what it does, for the person at the terminal.
        log_name: of its log file.
        lines: about how many lines it will print, which tells how far it is.

    Returns the log's path. Raises LabError with the last lines of output when it fails.
    """
    logs = STATE / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{log_name or doing.replace(' ', '-').replace('/', '-')}.log"
    say(f"{doing} …")
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while True:
            try:
                code = process.wait(timeout=_HEARTBEAT_SECONDS)
                break
            except subprocess.TimeoutExpired:
                say(f"{doing}: {_how_far(log, lines)}{time.monotonic() - started:.0f} s")
            except BaseException:
                process.kill()
                process.wait()
                raise
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise LabError(f"{doing} failed with exit status {code}:\n{tail}\nWhole output: {log}")
    return log


def _how_far(log: Path, lines: int | None) -> str:
    if not lines:
        return "still running after "
    done = log.read_bytes().count(b"\n")
    return f"{min(done * 100 // lines, 99)} % after "
