"""Which of Longhorn's disks are refused for their file system, and what that costs. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from components.common.answers import mapped
from components.longhorn.disks.rules import disks_by_path
from components.longhorn.fields import (
    Object,
    condition,
    disk_status,
    is_intact,
    is_true,
    name_of,
    spec_of,
    status_of,
)

CHANGED = "DiskFilesystemChanged"
"""Longhorn's reason for a disk that is not the one on record."""


@dataclass(frozen=True, kw_only=True)
class DiskVerdict:
    """What Longhorn says of one disk."""

    is_ready: bool
    """Ready, on a node whose manager is there to say so."""
    is_refused: bool
    """Not the file system that is on record."""
    said: str
    """In Longhorn's words."""


def verdicts(node: Object, paths: Iterable[str]) -> dict[str, DiskVerdict]:
    """Longhorn's word on the disks at these paths, by path; those that it does not have left out.

    Args:
        node: The nodes.longhorn.io object.
        paths: Mount points.
    """
    present = disks_by_path(node)
    is_manned = is_true(status_of(node), "Ready")
    found: dict[str, DiskVerdict] = {}
    for path in sorted(set(paths) & set(present)):
        ready = condition(disk_status(node, present[path][0]), "Ready")
        found[path] = DiskVerdict(
            is_ready=ready.get("status") == "True" and is_manned,
            is_refused=ready.get("status") == "False" and ready.get("reason") == CHANGED,
            said=str(ready.get("message") or ready.get("reason") or "not looked at yet").strip(),
        )
    return found


def known_uuids(node: Object, paths: Iterable[str]) -> set[str]:
    """The UUIDs that Longhorn has on record for the disks at these paths."""
    present = disks_by_path(node)
    uuids = {
        str(disk_status(node, present[path][0]).get("diskUUID") or "")
        for path in set(paths) & set(present)
    }
    return uuids - {""}


def put_elsewhere(
    uuids: Collection[str], nodes: Iterable[Object], node_name: str, paths: Collection[str]
) -> set[str]:
    """Those of the disks that are Ready at another place, so that their replicas are there.

    Args:
        uuids: Longhorn's UUIDs of disks that were at these paths of the node.
        nodes: Every nodes.longhorn.io object.
        node_name: The node.
        paths: Their mount points.
    """
    return set(uuids) & {
        uuid
        for node in nodes
        for path, uuid in _ready_disks(node)
        if name_of(node) != node_name or path not in paths
    }


def _ready_disks(node: Object) -> Iterator[tuple[str, str]]:
    """Path and UUID of each disk that is Ready, on a node that is Ready.

    Only a node's own manager writes what is said of its disks, so those of a node that is down stay
    Ready (longhorn-manager v1.5.3, controller/node_controller.go syncDiskStatus).
    """
    if not is_true(status_of(node), "Ready"):
        return
    for path, (name, _) in disks_by_path(node).items():
        status = disk_status(node, name)
        if is_true(status, "Ready"):
            yield path, str(status.get("diskUUID"))


def lost_volumes(
    uuids: Collection[str], replicas: Sequence[Object], nodes: Iterable[Object]
) -> list[str]:
    """The volumes with a replica on these disks and none intact on a disk that is Ready, sorted.

    Args:
        uuids: Longhorn's UUIDs of disks that are gone.
        replicas: Every replica.
        nodes: Every nodes.longhorn.io object.
    """
    ready = {uuid for node in nodes for _, uuid in _ready_disks(node)} - set(uuids)
    kept = {
        spec_of(replica).get("volumeName")
        for replica in replicas
        if is_intact(replica) and spec_of(replica).get("diskID") in ready
    }
    return sorted(
        {volume for volume in replicas_on(uuids, replicas).values() if volume not in kept}
    )


def replicas_on(uuids: Collection[str], replicas: Iterable[Object]) -> dict[str, str]:
    """The volume of each replica on these disks, by the replica's name."""
    return {
        name_of(replica): str(spec_of(replica).get("volumeName"))
        for replica in replicas
        if spec_of(replica).get("diskID") in uuids
    }


def leaving_changes(node: Object, paths: Iterable[str]) -> dict[str, None]:
    """Entries to write so that the disks at these paths are gone: None for each."""
    present = disks_by_path(node)
    return {present[path][0]: None for path in set(paths) & set(present)}


def still_in_status(node: Object, names: Iterable[str]) -> list[str]:
    """Those of the disks that Longhorn's status has not forgotten, one line each.

    A disk that is in the spec again was made from the node's annotation, and is no old one.
    """
    spec = mapped(spec_of(node).get("disks"))
    status = mapped(status_of(node).get("diskStatus"))
    return [f"disk {name}" for name in sorted(names) if name in status and name not in spec]
