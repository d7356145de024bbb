"""One operation of the `pulumi` on PATH, its events as they come.

`--json` is the way that Pulumi's CLI has for programs (pulumi 3.259, pkg/backend/display/json.go),
and what the CLI refuses it says on standard error, which is left to it. The Automation API runs the
same CLI, and keeps from its caller what `make up` passes on: the exit status and a Ctrl-C. It also
makes the stack the selected one, and reads every secret output.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pulumi.automation import EngineEvent

_STREAM = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_operation(words: Sequence[str], folder: Path, take: Callable[[EngineEvent], None]) -> int:
    """Run it to its end, and return Pulumi's exit status.

    A Ctrl-C reaches Pulumi once for each time that it is pressed: the first lets the steps under
    way finish and gives the lock back, the second ends it at once.

    Args:
        words: The operation and its flags; nobody is asked anything.
        folder: Where Pulumi.yaml is.
        take: Receives each event.
    """
    with (
        subprocess.Popen(
            ["pulumi", *words, "--json", "--color", "never", "--non-interactive"],
            cwd=folder,
            env={**os.environ, **_STREAM},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            # Out of the terminal's reach, whose Ctrl-C would come a second time.
            process_group=0,
        ) as pulumi,
        _passing_on(pulumi),
    ):
        assert pulumi.stdout is not None
        for line in pulumi.stdout:
            event = _event(line)
            if event is not None:
                take(event)
    return pulumi.returncode


@contextmanager
def _passing_on(pulumi: subprocess.Popen[str]) -> Iterator[None]:
    def pass_on(number: int, _frame: FrameType | None) -> None:
        pulumi.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
        pulumi.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _event(line: str) -> EngineEvent | None:
    """The event; None for a kind of which this SDK does not know."""
    try:
        return EngineEvent.from_json(json.loads(line))
    except (ValueError, TypeError):
        return None
