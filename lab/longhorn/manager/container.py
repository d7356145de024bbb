"""One real container of a pod, run on a lab host in a root of its own (container.sh).

Owns its process and its files under STATE/pods; which pods run is lab.longhorn.manager.pods'.
"""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.common import daemons, namespaced, paths
from lab.common.progress import LabError, say
from lab.common.waiting import wait_until
from lab.hosts import process as host_process
from lab.hosts.base_image import base_image

_SCRIPT = Path(__file__).parent / "container.sh"
_PREFIX = "pod-"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GRACE_SECONDS = 5.0
_KILL_SECONDS = 15.0


@dataclass(frozen=True)
class Container:
    """All that a container needs to run.

    Args:
        pod: the pod's name.
        node: the node's name, which is a lab host's.
        program: this machine's path of the program that the command begins with.
        command: the command and its arguments.
        environment: its variables.
        account: the files of the pod's service account, by name.
    """

    pod: str
    node: str
    program: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    account: Mapping[str, str]


def start(container: Container) -> None:
    """Start it unless it runs. Raises LabError when its host does not run."""
    host = host_process.first_process(container.node)
    if host is None:
        raise LabError(f"pod {container.pod}: the lab host {container.node} does not run")
    folder = _folder(container.pod)
    shutil.rmtree(folder, ignore_errors=True)
    account = folder / "account"
    account.mkdir(parents=True, mode=0o700)
    for name, text in container.account.items():
        (account / name).touch(mode=0o600)
        (account / name).write_text(text)
    variables = {"PATH": _PATH, "HOME": "/root", **container.environment}
    daemons.start(
        _PREFIX + container.pod,
        [
            *["nsenter", f"--target={host}", "--net", "--uts", "--ipc", "--pid"],
            *["unshare", "--mount", "sh", _SCRIPT, base_image(), folder, container.program],
            *["env", "-i", *(f"{name}={value}" for name, value in variables.items())],
            *container.command,
        ],
    )


def stop(pod: str) -> None:
    """End the pod's container, by force if it does not go in time, and remove its files."""
    first = namespaced.first_process(_PREFIX + pod)
    for number, seconds in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        if first is None or not is_running(pod):
            break
        os.kill(first, number)
        try:
            wait_until(lambda: not is_running(pod), doing=f"ending pod {pod}", seconds=seconds)
        except LabError:
            say(f"pod {pod} did not end on {number.name}")
    daemons.stop(_PREFIX + pod)
    shutil.rmtree(_folder(pod), ignore_errors=True)


def is_running(pod: str) -> bool:
    """Whether the pod's container runs."""
    return daemons.is_running(_PREFIX + pod)


def running() -> list[str]:
    """The names of the pods whose containers run."""
    return [name.removeprefix(_PREFIX) for name in daemons.running(_PREFIX)]


def exit_status(pod: str) -> int | None:
    """How the pod's container ended; None while it runs, or if another program started it."""
    return daemons.exit_status(_PREFIX + pod)


def log(pod: str) -> str:
    """All that the pod's container has said."""
    return daemons.log_file(_PREFIX + pod).read_text(errors="replace")


def _folder(pod: str) -> Path:
    return paths.STATE / "pods" / pod
