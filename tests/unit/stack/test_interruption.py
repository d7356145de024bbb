"""A program that Pulumi's engine interrupts says nothing of its own."""

import signal
import subprocess
import sys

from tools.offline.stack_file import PROJECT

_WAITING = """
from components.stack.interruption import end_quietly

end_quietly()
print("waits", flush=True)
input()
"""


def test_an_interrupted_program_shows_no_call_stack() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", _WAITING],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "waits\n"
    program.send_signal(signal.SIGINT)
    _, said = program.communicate()
    assert said == ""
    assert program.returncode == -signal.SIGINT
