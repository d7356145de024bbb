"""Disks of the stack that a Longhorn has used before, beside what the cluster's own knows. Pure.

Source: longhorn-manager v1.5.3, controller/node_controller.go: a disk is known by the number in its
longhorn-disk.cfg alone, whatever node and path it is on, and its replicas follow it there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.nodes.verdicts import Verdict
from components.preflight.longhorn_disks import KnownDisks, Place
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult, Severity


@dataclass(frozen=True, kw_only=True)
class _Used:
    """A disk of the stack with a number of Longhorn's."""

    node: str
    path: str
    verdict: Verdict

    @property
    def number(self) -> str:
        return str(self.verdict.longhorn_disk)


def check_known_disks(
    nodes: Sequence[NodeToCheck], known: KnownDisks | None
) -> Iterator[CheckResult]:
    """Disks of the stack that are, or were, Longhorn's somewhere else.

    Args:
        nodes: Those that were read.
        known: None where there is no Longhorn to compare with.
    """
    used = [
        _Used(node=node.name, path=path, verdict=verdict)
        for node in nodes
        for path, verdict in node.answer.verdicts.items()
        if isinstance(verdict, Verdict) and verdict.longhorn_disk
    ]
    places: dict[str, list[_Used]] = {}
    for disk in used:
        places.setdefault(disk.number, []).append(disk)
    named = {(node.name, disk.mount_point) for node in nodes for disk in node.disks}
    for disk in used:
        if len(places[disk.number]) > 1:
            yield _repeated(disk, places[disk.number])
        elif known is None:
            yield from _without_longhorn(disk)
        else:
            yield from _compared(disk, known, named)


def _repeated(disk: _Used, all_of_them: Sequence[_Used]) -> CheckResult:
    others = ", ".join(f"{other.node} {other.path}" for other in all_of_them)
    return _result(
        disk,
        "error",
        f"{disk.path} is Longhorn's disk {disk.number}, and so are others: {others}",
        "Longhorn can use one of them. Clear the copies, or leave them out.",
    )


def _without_longhorn(disk: _Used) -> Iterator[CheckResult]:
    """Nothing is there to compare with: only what somebody else made is told."""
    if disk.verdict.content == "adopted" and not disk.verdict.owner:
        yield _result(
            disk,
            "warning",
            f"the file system for {disk.path} is Longhorn's disk {disk.number} already",
            "That is right if it was this node's disk in this cluster. Replicas of another node or "
            "cluster on it are not used, and take its space.",
        )


def _compared(disk: _Used, known: KnownDisks, named: set[tuple[str, str]]) -> Iterator[CheckResult]:
    found = known.places.get(disk.number, ())
    # Where it is to be, or is still mounted until this run moves it.
    right = {(disk.node, disk.path), (disk.node, disk.verdict.mounted_on)}
    if any((place.node, place.path) in right for place in found):
        return
    is_longhorns = f"the disk for {disk.path} is Longhorn's disk {disk.number}"
    if any(place.is_ready for place in found):
        yield _result(
            disk,
            "error",
            f"{is_longhorns}, which is in use on {_listed(found)}",
            "Clear this one, or leave it out, if it is a copy: both would take each other's "
            "replicas. If it was there until a moment ago, run again in a minute.",
        )
    elif still := [place for place in found if (place.node, place.path) in named]:
        yield _result(
            disk,
            "error",
            f"{is_longhorns}, which was on {_listed(still)}, and the stack file still has a disk "
            "there",
            f"Take the disk on {still[0].path} out of node {still[0].node} and run `pulumi up`, "
            "which gives Longhorn this one with its replicas. A new disk may have that mount point "
            "in the run after.",
        )
    elif found or known.replicas.get(disk.number):
        where = f"which was on {_listed(found)}" if found else "which no node has any more"
        yield _result(
            disk, "warning", f"{is_longhorns}, {where}", "Its replicas follow it to this place."
        )
    elif disk.verdict.longhorn_replicas and not disk.verdict.owner:
        yield _of_another_cluster(disk, is_longhorns, deletes=known.deletes_orphans)


def _of_another_cluster(disk: _Used, is_longhorns: str, *, deletes: bool) -> CheckResult:
    fate = (
        "Longhorn's setting orphan-auto-deletion would delete them here: switch it off if they are "
        "still needed"
        if deletes
        else "Here they are not used, and take its space"
    )
    return _result(
        disk,
        "error" if deletes else "warning",
        f"{is_longhorns} with {disk.verdict.longhorn_replicas} replicas on it, and the Longhorn of "
        "this cluster knows neither: they are of another cluster, or of volumes that are gone",
        f"{fate}. Put the disk back where it belongs, or clear it.",
    )


def _listed(places: Sequence[Place]) -> str:
    return ", ".join(str(place) for place in places)


def _result(disk: _Used, severity: Severity, found: str, remedy: str) -> CheckResult:
    return CheckResult(
        node=disk.node, check="diskKnown", severity=severity, found=found, remedy=remedy
    )
