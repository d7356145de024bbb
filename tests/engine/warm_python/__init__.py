"""A Python whose imports are behind it, for the processes that Pulumi's engine starts anew each time.

Each operation of Pulumi's engine starts up to four processes of Python: the program, the dynamic
resources, the stand-ins for plugins. What each of them needs most of its processor time for is
importing the same libraries. One process of the tests has imported them and forks:

    client.py  is what is started, with the arguments of `python`: it hands them over, with its
               environment, folder and standard streams, and ends as the other process does.
    server.py  has the imports, and for each client a child that runs what the client was asked to.

A child is a process of its own, with everything as after the imports; nothing that one does is
seen by another. It ends with its client, so that who kills the client has killed it.
"""

import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from lab.common.paths import PROJECT
from lab.common.waiting import wait_until

_HERE = Path(__file__).parent
_READY_SECONDS = 30.0


@cache
def executable(folder: Path) -> Path:
    """A program that takes Python's arguments `-m MODULE …`; ends with this process.

    Args:
        folder: for the program and its socket; its path must be short.
    """
    socket, program = folder / "python.socket", folder / "warm-python"
    # It ends when nobody holds its standard input any more.
    server = subprocess.Popen(
        [sys.executable, "-m", f"{__name__}.server", socket], stdin=subprocess.PIPE, cwd=PROJECT
    )

    def is_ready() -> bool:
        assert server.poll() is None, f"{__name__}.server ended with {server.returncode}"
        return socket.exists()

    wait_until(is_ready, doing="importing what Pulumi's programs need", seconds=_READY_SECONDS)
    words = [sys.executable, "-I", "-S", str(_HERE / "client.py"), str(socket)]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    return program
