"""Starting and ending one lab host: the process tree in its own namespaces.

How such a tree is ended, whatever runs in it, is lab.common.namespaced's affair.
"""

import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.common import daemons, namespaced
from lab.common.progress import LabError
from lab.common.waiting import wait_until
from lab.hosts.files import SCRIPTS

SSH_PORT = 22

_BOOT_SECONDS = 60.0
_SHUTDOWN_SECONDS = 20.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class BootPlan:
    """All that a host needs to start.

    directory: holds the overlay's upper, work and root directories. base: the image's tree.
    namespace: the network namespace's path. disks: (name, MAJOR:MINOR, id) each.
    binds: this machine's path → the host's path, for what the host shares with the machine.
    """

    name: str
    directory: Path
    base: Path
    namespace: Path
    disks: Sequence[tuple[str, str, str]]
    binds: Mapping[str, str]


def start(plan: BootPlan) -> None:
    """Start the host unless it runs; it is still booting when this returns."""
    if is_running(plan.name):
        return
    for part in ("upper", "work", "root"):
        (plan.directory / part).mkdir(parents=True, exist_ok=True)
    (plan.directory / "boot_id").write_text(f"{uuid.uuid4()}\n")
    namespaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
    daemons.start(
        _daemon(plan.name),
        [
            *["nsenter", f"--net={plan.namespace}", "unshare", *namespaces],
            *["sh", SCRIPTS / "assemble.sh", plan.base, plan.directory],
            " ".join(",".join(disk) for disk in plan.disks),
            *(f"{source}:{target}" for source, target in plan.binds.items()),
        ],
    )


def wait_for_ssh(name: str, address: str) -> None:
    """Wait until the host's SSH server greets. Raises LabError with its log when it ends first."""

    def greeted() -> bool:
        daemons.require_running(_daemon(name))
        try:
            with socket.create_connection((address, SSH_PORT), timeout=2) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    wait_until(
        greeted,
        doing=f"the SSH server of {name}",
        seconds=_BOOT_SECONDS,
        hint=f"See {daemons.log_file(_daemon(name))}.",
    )


def is_running(name: str) -> bool:
    """Whether the host's processes are there."""
    return daemons.is_running(_daemon(name))


def shut_down(name: str) -> None:
    """End every process of the host in order and unmount its disks, as `poweroff` would."""
    namespaced.shut_down(_daemon(name), _SHUTDOWN_SECONDS)


def kill(name: str) -> None:
    """End the host at once, as a power cut would."""
    namespaced.kill(_daemon(name))


def first_process(name: str) -> int | None:
    """The machine's number for the host's first process, or None when it does not run."""
    return namespaced.first_process(_daemon(name))


def run(
    name: str, command: str | Sequence[str], stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the host as root, past SSH; a string goes to the host's shell.

    The exit status is the caller's to judge. Raises LabError when the host does not run.
    """
    first = first_process(name)
    if first is None:
        raise LabError(f"the lab host {name} does not run; start it with: python -m lab up")
    words = ["sh", "-c", command] if isinstance(command, str) else list(command)
    enter = ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--net", "--pid"]
    return subprocess.run(
        [*enter, "env", "-i", f"PATH={_PATH}", "HOME=/root", *words],
        check=False,
        capture_output=True,
        text=True,
        input=stdin if stdin is not None else "",
    )


def _daemon(name: str) -> str:
    return f"host-{name}"
