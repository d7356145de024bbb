"""`make up` on a stack of the tests, as a process of its own."""

import signal
import subprocess
import sys

from lab.common.paths import PROJECT
from tests.engine.engine import Stack

_SECONDS = 900.0


class UpScreen:
    """A `make up` that is under way, without a terminal."""

    def __init__(self, stack: Stack, name: str) -> None:
        """Begin it.

        Args:
            stack: Of this project's own program.
            name: The stack's.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.up", name, "--yes", "--cwd", str(stack.work_dir)],
            cwd=PROJECT,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def interrupt(self) -> None:
        """What Ctrl-C does to it."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> tuple[int, str]:
        """Its exit status, and everything that it printed."""
        try:
            printed, _ = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            raise
        return self._process.returncode, printed
