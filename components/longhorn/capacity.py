"""What Longhorn's disks can still hold, and whether that is enough when a node is lost. Pure.

Source: longhorn-manager v1.5.3, scheduler/replica_scheduler.go, IsSchedulableToDisk: what is
promised on a disk stays below its over-provisioned size, and some of it stays free.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from components.common.answers import listed, mapped
from components.longhorn.fields import (
    Object,
    disk_status,
    is_false,
    is_intact,
    is_true,
    name_of,
    spec_of,
    status_of,
)

_OVER_PROVISIONING = "storage-over-provisioning-percentage"
_MINIMAL_AVAILABLE = "storage-minimal-available-percentage"
_SOFT = "replica-soft-anti-affinity"
# What Longhorn 1.5.3 takes where it has no such setting yet.
_DEFAULTS: Mapping[str, str] = {_OVER_PROVISIONING: "100", _MINIMAL_AVAILABLE: "25"}


@dataclass(frozen=True, kw_only=True)
class DiskRoom:
    """One disk of Longhorn's, in bytes."""

    node: str
    path: str
    is_ready: bool
    """Whether Longhorn calls it Ready."""
    is_open: bool
    """Whether Longhorn puts replicas there: Ready, Schedulable, and not closed."""
    size: int
    free: int
    promised: int
    """The sum of the replicas' nominal sizes."""
    limit: int
    """What may be promised in all."""
    tags: frozenset[str]
    """The disk's."""
    node_tags: frozenset[str]

    @property
    def room(self) -> int:
        """How large a replica may be that is still put there."""
        return max(0, self.limit - self.promised) if self.is_open else 0


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What the loss of one node means."""

    node: str
    unplaced: Sequence[str]
    """Volumes whose replicas there find no other place, so that they stay degraded."""
    lost: Sequence[str]
    """Volumes without an intact replica elsewhere that Longhorn reaches now."""


def disk_rooms(nodes: Mapping[str, Object], settings: Mapping[str, str]) -> list[DiskRoom]:
    """Every disk that Longhorn has, by node and path.

    Args:
        nodes: nodes.longhorn.io by name.
        settings: Values of Longhorn's settings by name.
    """
    over, minimal = (_percentage(settings, key) for key in (_OVER_PROVISIONING, _MINIMAL_AVAILABLE))
    return [
        _room(name, node, key, over=over, minimal=minimal)
        for name, node in sorted(nodes.items())
        for key in sorted(mapped(spec_of(node).get("disks")))
    ]


def largest_volume(rooms: Iterable[DiskRoom], replicas: int) -> int:
    """Bytes of the largest new volume with this many replicas, each on a node of its own."""
    best: dict[str, int] = {}
    for disk in rooms:
        best[disk.node] = max(best.get(disk.node, 0), disk.room)
    largest = sorted(best.values(), reverse=True)
    return largest[replicas - 1] if 0 < replicas <= len(largest) else 0


def losses(
    rooms: Sequence[DiskRoom],
    *,
    volumes: Iterable[Object],
    replicas: Sequence[Object],
    settings: Mapping[str, str],
) -> list[Loss]:
    """What the loss of each node by itself means, for those where it means something.

    Replicas are placed one after the other, the largest first, where most room is: another order
    may find a place for one more.
    """
    known = {name_of(volume): volume for volume in volumes}
    standing = [each for each in replicas if _stands(each)]
    held: dict[str, list[tuple[str, int]]] = {}
    for spec in map(spec_of, standing):
        entry = (str(spec.get("volumeName")), int(spec.get("volumeSize") or 0))
        held.setdefault(str(spec["nodeID"]), []).append(entry)
    taken = _nodes_of(standing)
    # Where none is reached, those that come next: of a volume that was never attached, all.
    data = {
        **taken,
        **_nodes_of(filter(is_intact, standing)),
        **_nodes_of(reachable(replicas, rooms)),
    }
    places = _Places(rooms)
    is_soft = settings.get(_SOFT) == "true"
    found = [
        _loss(name, held.get(name, ()), taken, data, known, places, is_soft=is_soft)
        for name in sorted({disk.node for disk in rooms})
    ]
    return [each for each in found if each.unplaced or each.lost]


class _Places:
    """Every disk, those with most room first: with many, each loss looks at few of them."""

    def __init__(self, rooms: Sequence[DiskRoom]) -> None:
        self.rooms = rooms
        self._room = [disk.room for disk in rooms]
        self._order = sorted(range(len(rooms)), key=lambda index: -self._room[index])

    def best(
        self, volume: Object, size: int, taken: Collection[str], more: Mapping[int, int]
    ) -> int | None:
        """The disk with most room that may have this replica, by its place in the list.

        Args:
            volume: The volumes.longhorn.io object.
            size: The replica's, in bytes.
            taken: Nodes that may not have it.
            more: What is promised since, in bytes, by the disks' places.
        """

        def fits(index: int) -> bool:
            left = self._room[index] - more.get(index, 0)
            return left >= size and _may_have(self.rooms[index], volume, taken)

        untouched = (index for index in self._order if index not in more and fits(index))
        candidates = [*filter(fits, more), *islice(untouched, 1)]
        return max(
            candidates,
            key=lambda index: (self._room[index] - more.get(index, 0), -index),
            default=None,
        )


def _loss(
    node: str,
    there: Sequence[tuple[str, int]],
    taken_by: Mapping[str, Collection[str]],
    data_of: Mapping[str, Collection[str]],
    volumes: Mapping[str, Object],
    places: _Places,
    *,
    is_soft: bool,
) -> Loss:
    lost = {volume for volume, _ in there if set(data_of[volume]) == {node}}
    unplaced: set[str] = set()
    more: dict[int, int] = {}
    taken: dict[str, set[str]] = {}
    for volume, size in sorted(there, key=lambda each: -each[1]):
        if volume in lost or volume not in volumes:
            continue
        others = taken.setdefault(volume, {node} if is_soft else {node, *taken_by[volume]})
        place = places.best(volumes[volume], size, others, more)
        if place is None:
            unplaced.add(volume)
            continue
        if not is_soft:
            others.add(places.rooms[place].node)
        more[place] = more.get(place, 0) + size
    return Loss(node=node, unplaced=sorted(unplaced), lost=sorted(lost & set(volumes)))


def reachable(replicas: Iterable[Object], rooms: Iterable[DiskRoom]) -> list[Object]:
    """The intact replicas on disks that Longhorn calls Ready now, on nodes that are.

    The replica of a detached volume stays intact by its own fields while its node is down.
    """
    ready = {(disk.node, disk.path) for disk in rooms if disk.is_ready}
    nodes = {node for node, _ in ready}

    def is_reached(spec: Object) -> bool:
        node, path = spec.get("nodeID"), str(spec.get("diskPath") or "").rstrip("/")
        return (node, path) in ready if path else node in nodes

    return [each for each in replicas if is_intact(each) and is_reached(spec_of(each))]


def _stands(replica: Object) -> bool:
    """Whether a replica has a place and has not failed; it may still be rebuilding."""
    spec = spec_of(replica)
    return bool(spec.get("nodeID")) and not spec.get("failedAt")


def _nodes_of(replicas: Iterable[Object]) -> dict[str, set[str]]:
    """The nodes with these replicas, by volume."""
    found: dict[str, set[str]] = {}
    for spec in map(spec_of, replicas):
        found.setdefault(str(spec.get("volumeName")), set()).add(str(spec.get("nodeID")))
    return found


def takers(rooms: Iterable[DiskRoom], volume: Object, taken: Collection[str]) -> list[str]:
    """The nodes that take another replica of a volume.

    Args:
        rooms: Every disk.
        volume: The volumes.longhorn.io object.
        taken: Nodes that may not.
    """
    size = int(spec_of(volume).get("size") or 0)
    return sorted(
        {disk.node for disk in rooms if disk.room >= size and _may_have(disk, volume, taken)}
    )


def _may_have(disk: DiskRoom, volume: Object, taken: Collection[str]) -> bool:
    spec = spec_of(volume)
    return (
        disk.node not in taken
        and disk.tags.issuperset(listed(spec.get("diskSelector")))
        and disk.node_tags.issuperset(listed(spec.get("nodeSelector")))
    )


def _room(name: str, node: Object, key: str, *, over: float, minimal: float) -> DiskRoom:
    spec, status = spec_of(node), status_of(node)
    entry = mapped(mapped(spec.get("disks"))[key])
    said = disk_status(node, key)
    size, free = int(said.get("storageMaximum") or 0), int(said.get("storageAvailable") or 0)
    reserved = int(entry.get("storageReserved") or 0)
    is_node_open = (
        spec.get("allowScheduling") is not False
        and not spec.get("evictionRequested")
        # While Kubernetes' node is cordoned.
        and not is_false(status, "Schedulable")
    )
    is_disk_open = bool(entry.get("allowScheduling")) and not entry.get("evictionRequested")
    is_ready = is_true(status, "Ready") and is_true(said, "Ready")
    has_room = free > size * minimal / 100
    return DiskRoom(
        node=name,
        path=str(entry.get("path")).rstrip("/"),
        is_ready=is_ready,
        is_open=is_ready and is_node_open and is_disk_open and has_room,
        size=size,
        free=free,
        promised=int(said.get("storageScheduled") or 0),
        limit=int((size - reserved) * over / 100),
        tags=frozenset(map(str, listed(entry.get("tags")))),
        node_tags=frozenset(map(str, listed(spec.get("tags")))),
    )


def _percentage(settings: Mapping[str, str], key: str) -> float:
    return float(settings.get(key) or _DEFAULTS[key])
