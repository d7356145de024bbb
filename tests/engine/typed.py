"""Typing answers at a program in a pseudo terminal, as a person would."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """What came of it."""

    shown: str
    """Everything on the terminal."""
    status: int
    """The program's exit status."""


def type_at(
    command: Sequence[str],
    answers: Sequence[tuple[str, str]],
    environment: Mapping[str, str],
    *,
    seconds: float = 300,
) -> Typed:
    """Run the command to its end, and type each answer once its question is shown.

    Args:
        command: The program and its arguments.
        answers: Words of each question, in order, and what is typed there.
        environment: The program's own.
        seconds: How long all of it may take; an AssertionError with what was shown after that.
    """
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    shown, read, left = "", 0, list(answers)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            said = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        shown += said.decode(errors="replace")
        if left and left[0][0] in shown[read:]:
            read = len(shown)
            os.write(terminal, f"{left.pop(0)[1]}\n".encode())
    else:
        process.kill()
    os.close(terminal)
    status = process.wait()
    assert time.monotonic() < deadline, f"it did not end: {shown}"
    assert not left, f"it did not ask for {left[0][0]}: {shown}"
    return Typed(shown.replace("\r\n", "\n"), status)
