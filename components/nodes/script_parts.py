"""Which files each script of a node is joined from, and what it is given. Changes nothing.

A preview sends the scripts that look; only a run sends those that write.
"""

from collections.abc import Sequence

from components.common.script_text import BENEATH, PRELUDE, script_text
from components.hosts.question import SYSTEM, Part
from components.nodes.verdicts import CONTROL_PLANE, ControlPlaneVerdict, Verdict
from configuration.hosts import DiskSettings

_DISK = "nodes/scripts/disk"
_HEALTH = "nodes/scripts/control-plane"
DISK_LOOK = (PRELUDE, BENEATH, f"{_DISK}-look.sh", f"{_DISK}.sh")
DISK = (
    *DISK_LOOK[:-1],
    *(f"{_DISK}-{name}.sh" for name in ("write", "ensure", "remove")),
    DISK_LOOK[-1],
)
CONTROL_PLANE_LOOK = (PRELUDE, f"{_HEALTH}-look.sh", f"{_HEALTH}-health.sh")
CONTROL_PLANE_HEALTH = (*CONTROL_PLANE_LOOK[:-1], f"{_HEALTH}-write.sh", CONTROL_PLANE_LOOK[-1])
PACKAGES = (PRELUDE, SYSTEM, "nodes/scripts/packages.sh")


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


def questions(disks: Sequence[DiskSettings], *, control_plane: bool = False) -> list[Part]:
    """What a host is asked beyond its facts.

    Args:
        disks: The disks of which it is asked what `ensure` would find.
        control_plane: Whether the manifests of scheduler and controller manager are asked about.
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
    return parts
