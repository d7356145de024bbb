"""A Python whose imports are behind it, for what Pulumi's engine starts anew each time.

Each operation of Pulumi's engine starts up to four processes of Python: the program, the dynamic
resources, the stand-ins for plugins. What each of them needs most of its processor time for is
importing the same libraries. One process of the tests has imported them and forks:

    client.py  is what is started, with the arguments of `python`: it hands them over, with its
               environment, folder and standard streams, and ends as the other process does.
    server.py  has the imports, and for each client a child that runs what the client was asked to.

A child is a process of its own, with everything as after the imports; nothing that one does is
seen by another. It ends with its client, so that who kills the client has killed it.
"""

import fcntl
import os
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from lab.common.paths import PROJECT
from lab.common.waiting import wait_until

FOLDER = "LAB_TESTS_FOLDER"
"""Where it is, for all processes that run a part of the tests (tests/conftest.py)."""
RUN = "LAB_TESTS_RUN"
"""The process with which it ends, by its id."""
_HERE = Path(__file__).parent
_READY_SECONDS = 180.0


@cache
def executable() -> Path:
    """A program that takes Python's arguments `-m MODULE …`; one for the whole run of the tests."""
    folder = Path(os.environ[FOLDER])
    program = folder / "warm-python"
    with (folder / "warm-python.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _start(folder / "warm-python.socket", program)
    return program


def _start(socket: Path, program: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", f"{__name__}.server", socket, os.environ[RUN]],
        stdin=subprocess.DEVNULL,
        cwd=PROJECT,
        start_new_session=True,
    )

    def is_ready() -> bool:
        assert server.poll() is None, f"{__name__}.server ended with {server.returncode}"
        return socket.exists()

    wait_until(is_ready, doing="importing what Pulumi's programs need", seconds=_READY_SECONDS)
    words = [sys.executable, "-I", "-S", str(_HERE / "client.py"), str(socket)]
    program.touch(mode=0o700)
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
