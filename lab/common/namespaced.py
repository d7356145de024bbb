"""Daemons that run as the first process of a pid namespace made by `unshare --fork --kill-child`.

The lab remembers unshare; its child is the first process inside. When that one ends, the kernel
ends everything in the namespace, and with the last process goes every mount made there.
"""

import os
import signal
from pathlib import Path

from lab.common import daemons, processes
from lab.common.progress import LabError, say
from lab.common.waiting import wait_until

_KILL_SECONDS = 20.0


def first_process(name: str) -> int | None:
    """This machine's number for the first process inside, or None when it does not run."""
    parent = daemons.pid(name)
    if parent is None:
        return None
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except FileNotFoundError:
        return None
    return int(children[0]) if children else None


def shut_down(name: str, seconds: float) -> None:
    """Ask the first process inside to end, and end everything by force after `seconds`."""
    first = first_process(name)
    if first is not None:
        os.kill(first, signal.SIGTERM)
        try:
            wait_until(
                lambda: not daemons.is_running(name), doing=f"shutting {name} down", seconds=seconds
            )
        except LabError:
            say(f"{name} did not shut down in {seconds:.0f} s; ending it by force")
    kill(name)


def kill(name: str) -> None:
    """End everything inside at once, as a power cut would."""
    first = first_process(name)
    # unshare keeps SIGTERM from itself, so there is no use in being polite to it.
    daemons.stop(name, grace_seconds=0)
    if first is not None:
        # It outlives its parent for a moment, until the kernel has ended all that is inside.
        wait_until(
            lambda: processes.start_time(first) is None,
            doing=f"ending the processes of {name}",
            seconds=_KILL_SECONDS,
        )
