"""What a reading of the hosts found to be other than the program leaves it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class NodeFindings:
    """What is wrong on one node right now; empty for a healthy one and for one not read."""

    packages: str | None = None
    """Packages or services that are missing, in one line."""
    disks: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is wrong with a disk, in one line, by its mount point."""
    control_plane: str | None = None
    """Which health ports are closed again, in one line."""
