"""Volumes whose last intact replica went with a disk that was replaced. Pure.

This look comes before the new disk is even formatted, and in a preview. The same is asked again
where Longhorn's entry of the disk leaves (components/longhorn/disks/renewal.py).
"""

from collections.abc import Iterator, Mapping, Sequence

from components.longhorn.disks.renewal_rules import (
    known_uuids,
    lost_volumes,
    put_elsewhere,
    replicas_on,
)
from components.longhorn.storage import Storage
from components.longhorn.volumes import with_claims
from components.nodes.verdicts import Verdict
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult


def check_lost_volumes(
    nodes: Sequence[NodeToCheck], storage: Storage | None, given_up: Sequence[str]
) -> Iterator[CheckResult]:
    """What each replaced disk took with it; an error, and a warning for volumes that are given up.

    Args:
        nodes: Those that were read.
        storage: Longhorn; None where there is none, or it was not read.
        given_up: longhorn.lostVolumes.
    """
    if storage is None or _may_have_moved(nodes):
        return
    there = {
        verdict.longhorn_disk
        for node in nodes
        for verdict in node.answer.verdicts.values()
        if isinstance(verdict, Verdict)
    }
    gone = {
        node.name: {uuid: path for uuid, path in _gone(node, storage).items() if uuid not in there}
        for node in nodes
    }
    all_gone = {uuid for uuids in gone.values() for uuid in uuids}
    lost = lost_volumes(all_gone, storage.replicas, storage.snapshot.nodes.values())
    for name, uuids in gone.items():
        here = set(replicas_on(set(uuids), storage.replicas).values()) & set(lost)
        paths = ", ".join(sorted(set(uuids.values())))
        if refused := sorted(here - set(given_up)):
            yield CheckResult(
                node=name,
                check="lostVolumes",
                severity="error",
                found=f"another disk is on {paths} now, and no intact replica is left of "
                f"{with_claims(refused, storage.volumes)}",
                remedy="If the former disk still works, put it back; else bring the node or disk "
                "back that has another replica. To go on without these volumes, name them: "
                f"longhorn.lostVolumes: [{', '.join(refused)}]",
            )
        if accepted := sorted(here & set(given_up)):
            yield CheckResult(
                node=name,
                check="lostVolumes",
                severity="warning",
                found=f"another disk is on {paths} now, and longhorn.lostVolumes gives up "
                f"{with_claims(accepted, storage.volumes)}",
                remedy="They stay in Longhorn without an intact replica: restore them from a "
                "backup, or delete them, and take them out of longhorn.lostVolumes.",
            )


def _gone(node: NodeToCheck, storage: Storage) -> Mapping[str, str]:
    """Mount point of each disk that Longhorn has on record there and that is another one now."""
    entry = storage.snapshot.nodes.get(node.name)
    if entry is None:
        return {}
    found: dict[str, str] = {}
    for path, verdict in node.answer.verdicts.items():
        for uuid in known_uuids(entry, [path]):
            if isinstance(verdict, Verdict) and _is_another(verdict, uuid):
                found[uuid] = path
    elsewhere = put_elsewhere(
        found, storage.snapshot.nodes.values(), node.name, set(found.values())
    )
    return {uuid: path for uuid, path in found.items() if uuid not in elsewhere}


def _is_another(verdict: Verdict, uuid: str) -> bool:
    if verdict.content in ("blank", "unfinished"):
        return True
    # What Longhorn may have written into the new file system by now is another number.
    is_read = verdict.mounted and verdict.longhorn_disk != uuid
    return is_read and verdict.longhorn_replicas == 0


def _may_have_moved(nodes: Sequence[NodeToCheck]) -> bool:
    """Whether a disk that was read could be the missing one at a new place, and none can tell."""
    return any(
        isinstance(verdict, Verdict)
        and verdict.content in ("own", "adopted")
        and not verdict.mounted
        and not verdict.longhorn_disk
        for node in nodes
        for verdict in node.answer.verdicts.values()
    )
