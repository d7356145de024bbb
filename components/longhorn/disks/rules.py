"""What has to change in a node's disks in Longhorn. Pure: looks at objects, returns objects.

Source: longhorn-manager v1.5.3, webhook/resources/node: a disk may be removed only when its
scheduling is off and nothing is scheduled on it (validator.go), and its tags are kept in order,
each once (mutator.go).
"""

from collections.abc import Collection, Mapping
from typing import Any, cast

from components.common.answers import listed, mapped
from components.longhorn.fields import disk_status, spec_of

_EDITABLE: Mapping[str, Any] = {"allowScheduling": True, "storageReserved": 0, "tags": []}


def described(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A wanted disk with every field that this program keeps, as Longhorn has it then.

    Defaults are written out, and tags are in order, each once.
    """
    fields = {field: wanted.get(field, default) for field, default in _EDITABLE.items()}
    return {**fields, "tags": sorted(set(listed(fields["tags"])))}


def disks_by_path(node: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The disks in a nodes.longhorn.io object: name and entry by path."""
    disks: Mapping[str, dict[str, Any]] = mapped(spec_of(node).get("disks"))
    return {str(entry["path"]).rstrip("/"): (name, entry) for name, entry in disks.items()}


def no_longer_prepared(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Mount points of disks that stay, and that the stack has mounted and is about to give up.

    A disk without a UUID is mounted by somebody else; one that is still to be computed is prepared.

    Args:
        old: By mount point: the disk with its `uuid`, as at the last run.
        new: The same now.
    """
    return sorted(
        path
        for path, disk in new.items()
        if isinstance(disk, Mapping)
        and cast("Mapping[str, Any]", disk).get("uuid") is None
        and mapped(old.get(path)).get("uuid") is not None
    )


def put_changes(
    node: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Entries to write so that every wanted disk is there and as described; by disk name.

    Args:
        node: The nodes.longhorn.io object.
        wanted: By mount point: name, allowScheduling, storageReserved in bytes, tags.
    """
    present = disks_by_path(node)
    changes: dict[str, dict[str, Any]] = {}
    for path, description in wanted.items():
        fields = described(description)
        if path not in present:
            changes[str(description["name"])] = {
                "path": path,
                "diskType": "filesystem",
                "evictionRequested": False,
                **fields,
            }
            continue
        name, entry = present[path]
        found = {field: entry.get(field) or default for field, default in _EDITABLE.items()}
        kept = described({**found, "allowScheduling": bool(entry.get("allowScheduling"))})
        if kept != fields or entry.get("evictionRequested"):
            changes[name] = {**entry, **fields, "evictionRequested": False}
    return changes


def opening_changes(node: Mapping[str, Any]) -> dict[str, bool]:
    """What to write so that the node itself takes replicas and gives none of its own away."""
    spec = spec_of(node)
    is_closed = spec.get("allowScheduling") is False or spec.get("evictionRequested")
    return {"allowScheduling": True, "evictionRequested": False} if is_closed else {}


def drain_changes(
    node: Mapping[str, Any], paths: Collection[str], *, evicts: bool = True
) -> dict[str, dict[str, Any]]:
    """Entries to write so that the disks at these paths take no replicas.

    Args:
        node: Longhorn's node.
        paths: Mount points.
        evicts: Whether they give up those that they have; else none is moved.
    """
    return {
        name: {**entry, "allowScheduling": False, "evictionRequested": evicts}
        for path, (name, entry) in disks_by_path(node).items()
        if path in paths
        and (entry.get("allowScheduling") or bool(entry.get("evictionRequested")) != evicts)
    }


def removal_changes(node: Mapping[str, Any], paths: set[str]) -> dict[str, dict[str, Any] | None]:
    """Entries to write so that the disks at these paths are gone; None removes one.

    A disk that Longhorn made again meanwhile is closed to replicas first, as every one has to be.
    """
    draining = drain_changes(node, paths)
    present = disks_by_path(node)
    return {present[path][0]: draining.get(present[path][0]) for path in paths if path in present}


def is_emptied(node: Mapping[str, Any], paths: set[str]) -> bool:
    """Whether the node is without any disk once those at these paths are gone."""
    return set(disks_by_path(node)) <= paths


def still_used(node: Mapping[str, Any], paths: set[str]) -> list[str]:
    """What keeps the disks at these paths from being removed, one line each."""
    lines: list[str] = []
    for path, (name, _) in disks_by_path(node).items():
        if path not in paths:
            continue
        found = disk_status(node, name)
        replicas: Mapping[str, int] = mapped(found.get("scheduledReplica"))
        if replicas or found.get("storageScheduled"):
            lines.append(f"{path} still holds {', '.join(sorted(replicas)) or 'scheduled storage'}")
    return lines
