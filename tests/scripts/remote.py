"""Runs the project's remote scripts in a sandbox the way the program does: over standard input."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.script_text import script_text as joined
from components.hosts.question import NODE_FACTS
from components.nodes.script_parts import (
    CONTROL_PLANE_HEALTH,
    CONTROL_PLANE_LOOK,
    DISK,
    DISK_LOOK,
    K3S_CLASS,
    K3S_CLASS_LOOK,
    PACKAGES,
)
from tests.scripts.sandbox import Disk, Sandbox

COMPONENTS = Path(__file__).parents[2] / "components"
MOUNT_POINT = "/mnt/longhorn-sdb"


_SCRIPTS = {
    "disk.sh": DISK,
    "disk-look": DISK_LOOK,
    "packages.sh": PACKAGES,
    "control-plane-health.sh": CONTROL_PLANE_HEALTH,
    "control-plane-look": CONTROL_PLANE_LOOK,
    "k3s-default-class.sh": K3S_CLASS,
    "k3s-default-class-look": K3S_CLASS_LOOK,
    "node-facts.sh": NODE_FACTS,
}


def script_text(name: str) -> str:
    """The whole text of a script, as the program sends it."""
    if name in _SCRIPTS:
        return joined(*_SCRIPTS[name])
    (found,) = COMPONENTS.rglob(name)
    return found.read_text()


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit status, what it said, and its last line of complaint."""

    status: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The one line of JSON that a run that went well prints."""
        assert self.status == 0, self.stderr
        (line,) = self.stdout.splitlines()
        return json.loads(line)

    @property
    def found(self) -> dict[str, Any]:
        """What a look found in the way; a refusal is its answer, and no failure."""
        assert set(self.result) == {"found", "remedy", "missingCommand", "isAsked"}
        return self.result

    @property
    def refusal(self) -> str:
        """The last line of stderr of a run that failed, as it must, without a result."""
        assert self.status != 0, f"expected a refusal, got {self.stdout}"
        assert self.stdout == ""
        return self.stderr.splitlines()[-1]


def run_script(
    host: Sandbox, name: str, *arguments: str, shell: str = "sh", path: str = ""
) -> Outcome:
    """Runs the script `name`; `path` is searched before the host's own programs."""
    search = (f"PATH={path}:/usr/sbin:/usr/bin:/sbin:/bin",) if path else ()
    command = ("env", *search, *shell.split(), "-s", "--", *arguments)
    return outcome(host.call(*command, stdin=script_text(name)))


def outcome(done: subprocess.CompletedProcess[str]) -> Outcome:
    return Outcome(done.returncode, done.stdout, done.stderr)


def disk_script(
    host: Sandbox,
    action: str,
    disk: Disk | str,
    *,
    mount_point: str = MOUNT_POINT,
    file_system: str = "ext4",
    adopt: str = "",
    owner: str = "",
    mount_options: str = "",
    mkfs_options: str = "",
    shell: str = "sh",
    path: str = "",
) -> Outcome:
    device = disk if isinstance(disk, str) else disk.path
    arguments = (
        action,
        device,
        mount_point,
        file_system,
        adopt,
        owner,
        mount_options,
        mkfs_options,
    )
    name = "disk-look" if action == "check" else "disk.sh"
    return run_script(host, name, *arguments, shell=shell, path=path)


def ensure(host: Sandbox, disk: Disk | str, **options: str) -> Outcome:
    return disk_script(host, "ensure", disk, **options)


def remove(host: Sandbox, disk: Disk | str, **options: str) -> Outcome:
    return disk_script(host, "remove", disk, **options)


def vanish(host: Sandbox, disk: Disk) -> None:
    """Takes a disk away as if it were pulled while it is mounted; the kernel knows it no more."""
    host.shell(
        f"""
        rm {disk.path}; rm -rf /run/blkid /run/numbers; mkdir /run/numbers
        cp -P /sys/dev/block/* /run/numbers; rm /run/numbers/{disk.number}
        mount --bind /run/numbers /sys/dev/block
        """
    )


def fstab(host: Sandbox) -> str:
    return host.read_text("/etc/fstab")


def mounted_device(host: Sandbox, mount_point: str = MOUNT_POINT) -> str:
    """MAJOR:MINOR of what is mounted on `mount_point`; empty for nothing."""
    done = host.call("findmnt", "-rno", "MAJ:MIN", "--mountpoint", mount_point)
    return done.stdout.strip()
