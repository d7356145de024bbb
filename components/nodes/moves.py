"""A disk that gets another mount point on its node: what one run may do about it. Pure."""

from collections.abc import Mapping, Sequence

from components.hosts.facts import HostAnswer
from components.nodes.verdicts import Verdict
from configuration.hosts import DiskSettings


def moved_disks(answer: HostAnswer, disks: Sequence[DiskSettings], owner: str) -> dict[str, str]:
    """The former mount point of each disk that this stack has mounted elsewhere, by the new one.

    Left out is what one run can't bring about: a former mount point that another disk of the node
    is to have, and one that lies above or beneath the new one.

    Args:
        answer: What the host said.
        disks: The node's disks as the stack file has them.
        owner: What marks this stack's things (components/common/owner.py).
    """
    wanted = {disk.mount_point for disk in disks}
    found: dict[str, str] = {}
    for path, former in mounted_elsewhere(answer).items():
        by = mounted_by(answer, path)
        if by.startswith(f"{owner} ") and former not in wanted and not _is_nested(path, former):
            found[path] = former
    return found


def mounted_elsewhere(answer: HostAnswer) -> Mapping[str, str]:
    """Where this program has each disk mounted now, by the mount point that it is to have."""
    return {
        path: verdict.mounted_on
        for path, verdict in answer.verdicts.items()
        if isinstance(verdict, Verdict) and verdict.mounted_on
    }


def mounted_by(answer: HostAnswer, mount_point: str) -> str:
    """Stack and resource that have mounted that disk elsewhere; empty where none says so."""
    verdict = answer.verdicts.get(mount_point)
    return (verdict.mounted_by or "") if isinstance(verdict, Verdict) else ""


def _is_nested(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
