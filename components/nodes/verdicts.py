"""What the scripts of a node say, when asked, of a disk, a control plane or a K3s that they would
take, and which of them lie there."""

from typing import Literal

from pydantic import Field

from components.hosts.facts import AnswerModel

CONTROL_PLANE = "control plane"
"""The key of the answer about the control plane; a disk's is its mount point."""

SCRIPTS = "scripts"
"""The key of the answer about the scripts that lie on the host."""

DEFAULT_CLASS = "default class"
"""The key of the answer about the class that K3s makes the default."""

Content = Literal["blank", "unfinished", "own", "adopted"]


class Verdict(AnswerModel):
    """What the disk's script says of a disk that it would take."""

    content: Content
    """What is on it."""
    mounted: bool
    """Whether this disk, and nothing else, is mounted on its mount point."""
    in_fstab: bool
    """Whether /etc/fstab has the line that the disk is to have, or one of the user's for it."""
    longhorn_disk: str | None = None
    """The number by which a Longhorn knows the disk; None where it has none that can be read."""
    longhorn_replicas: int = 0
    """How many replicas of Longhorn's volumes are on it, as far as they can be read."""
    owner: str | None = None
    """Stack and resource that have the mount; None where this program has not made sure of it."""
    mounted_on: str | None = None
    """Where this program has it mounted now, if that is another mount point."""
    mounted_by: str | None = None
    """Stack and resource that have that mount."""
    exchanged: str | None = None
    """The disk's name now, where the named one is another mount point's."""
    size_bytes: int = 0
    """Of the whole disk."""
    file_system_bytes: int = 0
    """Of the file system on it; 0 where there is none, or nothing told."""
    can_grow: bool = False
    """Whether a run would let the file system have the room that the disk got since."""
    number: str | None = None
    """What the kernel calls the disk, MAJOR:MINOR, by whatever name it was asked for."""
    vanished: bool = False
    """Whether a disk that is gone is still mounted on the mount point; a run ends that mount."""
    world_wide_name: str | None = None
    """What its maker calls it, by whatever path it is reached; None where that tells nothing."""


class ControlPlaneVerdict(AnswerModel):
    """What control-plane-health.sh says of manifests that it would change."""

    kubernetes: str
    """Version of the scheduler, such as 1.21.14."""
    closed: tuple[str, ...] = Field(strict=False)
    """The components that are started with --port=0."""


class DefaultClassVerdict(AnswerModel):
    """What k3s-default-class.sh says of K3s's own StorageClass."""

    manifest: str | None
    """From which K3s makes it the default at each start; None on a host where it does not."""
    skipped: bool
    """Whether something keeps K3s from that."""


class ScriptsVerdict(AnswerModel):
    """Which of the stack's scripts do not lie on the host as they should."""

    missing: tuple[str, ...] = Field(strict=False)
    """Files that are not there."""
    changed: tuple[str, ...] = Field(strict=False)
    """Files with another text than this program's."""
    open: bool
    """Whether somebody else than root may write to their folder."""
