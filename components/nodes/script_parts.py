"""Which files each script of a node is joined from, and what it is given. Changes nothing.

A preview sends the scripts that look; only a run sends those that write.
"""

import re
from collections.abc import Sequence

from components.common.script_text import BENEATH, PRELUDE, script_text
from components.hosts.host_script import LOOK, HostScript, folder_of, looking
from components.hosts.question import SYSTEM, Part
from components.nodes.verdicts import (
    CONTROL_PLANE,
    DEFAULT_CLASS,
    SCRIPTS,
    ControlPlaneVerdict,
    DefaultClassVerdict,
    ScriptsVerdict,
    Verdict,
)
from configuration.hosts import DiskSettings

_KERNEL_NAME = re.compile(r"/dev/((s|v|xv|h)d[a-z]+|nvme[0-9]+n[0-9]+)")
_DISK = "nodes/scripts/disk"
_HEALTH = "nodes/scripts/control-plane"
_CLASS = "nodes/scripts/k3s-default-class"
DISK_LOOK = (PRELUDE, BENEATH, f"{_DISK}-look.sh", f"{_DISK}-size.sh", f"{_DISK}.sh")
DISK = (
    *DISK_LOOK[:-1],
    *(f"{_DISK}-{name}.sh" for name in ("write", "grow", "ensure", "remove")),
    DISK_LOOK[-1],
)
CONTROL_PLANE_LOOK = (PRELUDE, f"{_HEALTH}-look.sh", f"{_HEALTH}-health.sh")
CONTROL_PLANE_HEALTH = (*CONTROL_PLANE_LOOK[:-1], f"{_HEALTH}-write.sh", CONTROL_PLANE_LOOK[-1])
K3S_CLASS_LOOK = (PRELUDE, f"{_CLASS}-look.sh", f"{_CLASS}.sh")
K3S_CLASS = (*K3S_CLASS_LOOK[:-1], f"{_CLASS}-write.sh", K3S_CLASS_LOOK[-1])
PACKAGES = (PRELUDE, SYSTEM, "nodes/scripts/packages.sh")
NODE_DISK = HostScript(name="node-disk", parts=DISK)
NODE_PACKAGES = HostScript(name="node-packages", parts=PACKAGES)
NODE_HEALTH = HostScript(name="control-plane-health", parts=CONTROL_PLANE_HEALTH)
NODE_K3S_CLASS = HostScript(name="k3s-default-class", parts=K3S_CLASS)
ON_HOSTS = (NODE_PACKAGES, NODE_DISK, NODE_HEALTH, NODE_K3S_CLASS)
"""What a run puts on every host; their names and the order of their arguments stay the same, since
states have them."""


def arguments(disk: DiskSettings, owner: str = "") -> tuple[str, ...]:
    """What the script of a disk gets behind its action.

    Args:
        owner: Stack and resource that are to have the mount; nobody in a question.
    """
    words = (
        *(disk.device, disk.mount_point, disk.file_system, disk.adopt_uuid or ""),
        *(owner, disk.mount_options or "", disk.mkfs_options or ""),
    )
    while words and not words[-1]:
        words = words[:-1]
    return words


def beside_action(devices: Sequence[str]) -> str | None:
    """The action for a disk that must not be one of these; None where there are none.

    It stands in the `create` line alone, which is run once and whose change runs nothing: what is
    said there need not be true for the life of the disk.
    """
    return " ".join(["ensure", "beside", *devices]) if devices else None


def possible_twins(disk: DiskSettings, disks: Sequence[DiskSettings]) -> list[str]:
    """The devices of the node's other disks that may mean the same disk; kernel names never do."""
    return [
        other.device
        for other in disks
        if other.device != disk.device
        and not (_KERNEL_NAME.fullmatch(disk.device) and _KERNEL_NAME.fullmatch(other.device))
    ]


def questions(
    disks: Sequence[DiskSettings],
    *,
    control_plane: bool = False,
    default_class: bool = False,
    stack: str | None = None,
) -> list[Part]:
    """What a host is asked beyond its facts.

    Args:
        disks: The disks of which it is asked what `ensure` would find.
        stack: The stack whose scripts are to lie there; None where none do.
        control_plane: Whether the manifests of scheduler and controller manager are asked about.
        default_class: Whether it is asked if K3s makes its own class the default.
    """
    look = script_text(*DISK_LOOK)
    parts = [
        Part(key=each.mount_point, text=look, words=("check", *arguments(each)), model=Verdict)
        for each in disks
    ]
    if control_plane:
        look = script_text(*CONTROL_PLANE_LOOK)
        parts.append(
            Part(key=CONTROL_PLANE, text=look, words=("check",), model=ControlPlaneVerdict)
        )
    if default_class:
        look = script_text(*K3S_CLASS_LOOK)
        parts.append(
            Part(key=DEFAULT_CLASS, text=look, words=("check",), model=DefaultClassVerdict)
        )
    if stack is not None:
        words = looking(folder_of(stack), ON_HOSTS)
        parts.append(Part(key=SCRIPTS, text=script_text(*LOOK), words=words, model=ScriptsVerdict))
    return parts
