"""What is not as wanted of a node's disks in Longhorn. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from components.common.answers import listed
from components.common.names import some_names
from components.longhorn.disks.cordon import CORDON
from components.longhorn.disks.maintenance_rules import only_here
from components.longhorn.disks.owners import other_paths
from components.longhorn.disks.rules import disks_by_path, put_changes
from components.longhorn.fields import is_true, spec_of, status_of
from components.longhorn.findings import line_of

_FIELDS = ("allowScheduling", "evictionRequested", "storageReserved", "tags")


def disks_finding(
    node: Mapping[str, Any] | None,
    wanted: Mapping[str, Mapping[str, Any]],
    *,
    is_closed: bool = False,
    evicts_others: bool = False,
) -> str | None:
    """What is not as wanted of a node's disks in Longhorn.

    Args:
        node: The nodes.longhorn.io object; None where Longhorn does not have it yet.
        wanted: Its disks by mount point (wanted_disks).
        is_closed: Whether it is to take no replicas, for its maintenance.
        evicts_others: Whether disks that nobody lists are to leave.
    """
    present = {} if node is None else disks_by_path(node)
    if node is None or not present:
        # See absent_finding.
        return None
    others = sorted(other_paths(node, wanted)) if evicts_others else []
    return line_of(
        [
            *_access(spec_of(node), is_closed=is_closed),
            *_changed(node, wanted),
            *(f"disk {path} is not in the stack file" for path in others),
        ]
    )


def absent_finding(
    node: Mapping[str, Any] | None, wanted: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """That Longhorn has no disk of a node at all, as after the node has joined the cluster again.

    Apart from the rest, since it holds only where each disk is sure to be mounted before it is
    given to Longhorn: on a host that was set up anew the paths would lead to the root disk.

    Args:
        node: The nodes.longhorn.io object; None where Longhorn does not have it.
        wanted: Its disks by mount point (wanted_disks).
    """
    if node is not None and disks_by_path(node):
        return None
    return line_of(
        [
            *(["the node is not in Longhorn"] if node is None and wanted else []),
            *map(_absence, wanted),
        ]
    )


def absent_paths(finding: str | None, paths: Iterable[str]) -> set[str]:
    """Those of the disks that a finding says Longhorn does not have.

    Args:
        finding: What a preview has found.
        paths: Mount points.
    """
    return {path for path in paths if finding and _absence(path) in finding}


def cordon_finding(
    maintenance: str | None, *, is_cordoned: bool, is_ours: bool = False
) -> str | None:
    """That a node takes pods that is to take none, or none for a maintenance that was given up.

    Args:
        maintenance: How the node is to be closed (NodeSettings.maintained).
        is_cordoned: Whether it takes no pods.
        is_ours: Whether this stack has seen to that.
    """
    if maintenance == CORDON:
        return None if is_cordoned else "not cordoned"
    return "cordoned by an earlier run of this stack" if is_cordoned and is_ours else None


def needed_finding(
    name: str,
    nodes: Mapping[str, Mapping[str, Any]],
    closed: Collection[str],
    replicas: Sequence[Mapping[str, Any]],
) -> str | None:
    """Which volumes have come to need a node under maintenance, so that they have to move.

    None while the node is down, since Longhorn moves nothing off it then.

    Args:
        name: The node's.
        nodes: Every nodes.longhorn.io object, by name.
        closed: The nodes under maintenance.
        replicas: Every replica.
    """
    if name not in closed or not is_true(status_of(nodes.get(name, {})), "Ready"):
        return None
    staying = [node for each, node in nodes.items() if each not in closed]
    volumes = only_here(name, staying, replicas)
    return f"volumes need it: {some_names(volumes)}" if volumes else None


def _access(spec: Mapping[str, Any], *, is_closed: bool) -> Iterator[str]:
    if (spec.get("allowScheduling") is False) != is_closed:
        yield "open to scheduling in Longhorn" if is_closed else "closed to scheduling in Longhorn"
    if spec.get("evictionRequested"):
        yield "eviction of its replicas is asked for in Longhorn"


def _changed(node: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    present = disks_by_path(node)
    changes = put_changes(node, wanted)
    for path in wanted:
        if path not in present:
            yield _absence(path)
            continue
        name, entry = present[path]
        for key in _FIELDS if name in changes else ():
            was, to_be = entry.get(key) or None, changes[name].get(key) or None
            if was != to_be:
                now, then = entry.get(key, False), changes[name][key]
                yield f"disk {path} has {key} {_text(now)}, not {_text(then)}"


def _absence(path: str) -> str:
    return f"disk {path} is not in Longhorn"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, listed(value))) or "empty"
    return str(value).lower()
