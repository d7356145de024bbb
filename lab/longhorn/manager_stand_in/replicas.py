"""Where the replicas of a volume go, and which of them goes, without any effect.

Source: Longhorn manager 1.5.3, scheduler/replica_scheduler.go (nodes, anti-affinity, room, tags)
and controller/volume_controller.go (EvictReplicas, cleanupEvictionRequestedReplicas): a replica
that is to leave a disk gets a successor elsewhere first, and goes when that is complete. The
replicas of a disk that was put elsewhere follow it there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.longhorn.manager_stand_in.disks import has_room, is_met

Object = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A disk of a node."""

    node: str
    disk_uuid: str
    path: str


@dataclass(frozen=True)
class Step:
    """What to do about a volume's replicas now: at most one of both."""

    add: Place | None = None
    remove: Object | None = None
    is_without_place: bool = False
    """Whether a replica is wanted that no disk takes."""


def next_step(
    volume: Mapping[str, Any],
    replicas: Sequence[Object],
    nodes: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, str],
) -> Step:
    """The next step for one volume.

    Args:
        volume: the volume.
        replicas: those of its own.
        nodes: Longhorn's nodes by name.
        settings: Longhorn's settings.
    """
    wanted = int(volume["spec"].get("numberOfReplicas") or 3)
    leaving = [replica for replica in replicas if is_leaving(replica, nodes)]
    staying = [replica for replica in replicas if is_intact(replica) and replica not in leaving]
    if leaving and len(staying) >= wanted:
        return Step(remove=leaving[0])
    if len(staying) >= wanted:
        return Step()
    place = _place(volume, replicas, leaving, nodes, settings)
    return Step(add=place, is_without_place=place is None)


def is_leaving(replica: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether eviction is asked for its disk or node; never off a node that is down."""
    node = nodes.get(replica["spec"].get("nodeID", ""))
    if node is None or not is_met(node.get("status", {}), "Ready"):
        return False
    if node["spec"].get("evictionRequested"):
        return True
    return any(
        status.get("diskUUID") == replica["spec"].get("diskID")
        and node["spec"].get("disks", {}).get(name, {}).get("evictionRequested", False)
        for name, status in _disk_status(node).items()
    )


def followed(nodes: Mapping[str, Mapping[str, Any]], replicas: Iterable[Object]) -> list[Object]:
    """The replicas whose disk is Ready at another place than theirs, as they are to be there.

    Source: controller/node_controller.go, updateDiskStatusSchedulableCondition: whatever has the
    disk's UUID gets the node and the path at which the disk is.

    Args:
        nodes: Longhorn's nodes by name, those alone whose manager looks.
        replicas: every replica.
    """
    places = {
        status["diskUUID"]: {"nodeID": name, "diskPath": node["spec"]["disks"][disk]["path"]}
        for name, node in nodes.items()
        for disk, status in _disk_status(node).items()
        if disk in (node["spec"].get("disks") or {}) and is_met(status, "Ready")
    }
    moved: list[Object] = []
    for replica in replicas:
        spec = {**replica["spec"], **places.get(replica["spec"].get("diskID", ""), {})}
        if spec != replica["spec"]:
            moved.append({**replica, "spec": spec})
    return moved


def is_intact(replica: Mapping[str, Any]) -> bool:
    """Whether it has been complete and has not failed since."""
    return bool(replica["spec"].get("healthyAt")) and not replica["spec"].get("failedAt")


def _place(
    volume: Mapping[str, Any],
    replicas: Sequence[Object],
    leaving: Sequence[Object],
    nodes: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, str],
) -> Place | None:
    open_nodes = {name: node for name, node in nodes.items() if _takes_replicas(volume, node)}
    count: dict[str, int] = {}
    for replica in replicas:
        count[replica["spec"]["nodeID"]] = count.get(replica["spec"]["nodeID"], 0) + 1
    unused = [name for name in open_nodes if name not in count]
    sources = {replica["spec"]["nodeID"] for replica in leaving}
    if settings["replica-soft-anti-affinity"] == "true":
        used = [name for name in open_nodes if name in count]
    else:
        used = [name for name in open_nodes if name in sources and count[name] < 2]
    for names in (unused, used):
        places = [
            found for name in names for found in _places(volume, name, open_nodes[name], settings)
        ]
        if places:
            return max(places)[1]
    return None


def _places(
    volume: Mapping[str, Any], name: str, node: Mapping[str, Any], settings: Mapping[str, str]
) -> Iterable[tuple[tuple[int, str, str], Place]]:
    """The disks of a node that take the replica, with the free space that they are compared by."""
    for disk, status in _disk_status(node).items():
        spec = node["spec"].get("disks", {}).get(disk)
        if spec is None or not spec.get("allowScheduling") or spec.get("evictionRequested"):
            continue
        tags = set(volume["spec"].get("diskSelector") or [])
        if (
            is_met(status, "Schedulable")
            and tags <= set(spec.get("tags") or [])
            and has_room(spec, status, settings, int(volume["spec"]["size"]))
        ):
            free = status["storageAvailable"] - spec.get("storageReserved", 0)
            yield (free, name, disk), Place(name, status["diskUUID"], spec["path"])


def _takes_replicas(volume: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    tags = set(volume["spec"].get("nodeSelector") or [])
    return (
        bool(node["spec"].get("allowScheduling"))
        and tags <= set(node["spec"].get("tags") or [])
        and is_met(node.get("status", {}), "Ready")
        and is_met(node.get("status", {}), "Schedulable")
    )


def _disk_status(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return (node.get("status") or {}).get("diskStatus") or {}
