"""What has to move before the host of a node may go down for a while. Pure.

Longhorn goes on with the other replicas of a volume meanwhile, and rebuilds the one of the node
when it is back, so only what has no intact replica elsewhere has to move. Longhorn moves replicas
off a whole node or none (longhorn-manager v1.5.3, controller/replica_controller.go
isEvictionRequested), and only those move for which it finds a place.
"""

from collections.abc import Iterable, Sequence

from components.common.answers import mapped
from components.longhorn.fields import Object, is_intact, is_true, name_of, spec_of, status_of
from components.longhorn.volumes import named


def only_here(node_name: str, nodes: Iterable[Object], replicas: Sequence[Object]) -> list[str]:
    """The volumes with an intact replica on this node, and none on another that stays, sorted.

    Stays: a disk that is Ready, on a node that is Ready and that is not closed itself.

    Args:
        node_name: The node.
        nodes: Every nodes.longhorn.io object.
        replicas: Every replica.
    """
    staying = {
        str(mapped(said).get("diskUUID"))
        for node in nodes
        if name_of(node) != node_name and _stays(node)
        for said in mapped(status_of(node).get("diskStatus")).values()
        if is_true(mapped(said), "Ready")
    }
    here: set[str] = set()
    elsewhere: set[str] = set()
    for replica in replicas:
        spec = spec_of(replica)
        if not is_intact(replica):
            continue
        if spec.get("nodeID") == node_name:
            here.add(str(spec.get("volumeName")))
        elif spec.get("diskID") in staying:
            elsewhere.add(str(spec.get("volumeName")))
    return sorted(here - elsewhere)


def surplus_here(
    node_name: str, volumes: Iterable[Object], replicas: Sequence[Object]
) -> list[str]:
    """The volumes with more intact replicas than they are to have, and one on this node, sorted.

    While eviction is asked for, Longhorn takes away the one here; afterwards it might take any
    (longhorn-manager v1.5.3, controller/volume_controller.go cleanupExtraHealthyReplicas).
    """
    wanted = {
        name_of(volume): int(spec_of(volume).get("numberOfReplicas") or 0) for volume in volumes
    }
    places: dict[str, list[str]] = {}
    for replica in replicas:
        spec = spec_of(replica)
        if is_intact(replica):
            places.setdefault(str(spec.get("volumeName")), []).append(str(spec.get("nodeID")))
    return sorted(
        volume
        for volume, nodes in places.items()
        if node_name in nodes and 0 < wanted.get(volume, 0) < len(nodes)
    )


def not_healthy(volumes: Iterable[Object]) -> list[str]:
    """The attached volumes that are not healthy yet, one line each.

    Longhorn knows of no robustness while a volume is detached.
    """
    lines: list[str] = []
    for volume in volumes:
        status = status_of(volume)
        if status.get("state") == "attached" and status.get("robustness") != "healthy":
            robustness = status.get("robustness") or "of unknown robustness"
            lines.append(f"{named(volume)} is {robustness}")
    return sorted(lines)


def closing_changes(node: Object, *, evicts: bool | None) -> dict[str, bool]:
    """What to write so that the node takes no replicas, and gives its own away or keeps them.

    None leaves an eviction that runs, or does not, as it is.
    """
    spec = spec_of(node)
    is_open, is_evicting = spec.get("allowScheduling") is not False, spec.get("evictionRequested")
    if not is_open and evicts in (None, bool(is_evicting)):
        return {}
    asked = {} if evicts is None else {"evictionRequested": evicts}
    return {"allowScheduling": False, **asked}


def _stays(node: Object) -> bool:
    spec = spec_of(node)
    is_open = spec.get("allowScheduling") is not False and not spec.get("evictionRequested")
    return is_open and is_true(status_of(node), "Ready")
