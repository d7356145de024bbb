"""What disks can still hold, counted as Longhorn's own scheduler counts it."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from components.longhorn.capacity import DiskRoom, disk_rooms, largest_volume, losses

GIB = 2**30
SETTINGS = {
    "storage-over-provisioning-percentage": "200",
    "storage-minimal-available-percentage": "10",
}


def _node(
    *,
    spec: dict[str, Any] | None = None,
    ready: str = "True",
    schedulable: str = "True",
    **disk: Any,
) -> Any:
    said = {
        "storageMaximum": 100 * GIB,
        "storageAvailable": 50 * GIB,
        "storageScheduled": 30 * GIB,
        "conditions": [{"type": "Ready", "status": "True"}],
        **disk.pop("said", {}),
    }
    entry = {"path": "/mnt/a/", "allowScheduling": True, "storageReserved": 20 * GIB, **disk}
    return {
        "spec": {"disks": {"a": entry}, **(spec or {})},
        "status": {
            "conditions": [
                {"type": "Ready", "status": ready},
                {"type": "Schedulable", "status": schedulable},
            ],
            "diskStatus": {"a": said},
        },
    }


def _disk(node: Any) -> DiskRoom:
    (found,) = disk_rooms({"node-1": node}, SETTINGS)
    return found


def test_what_may_be_promised_is_the_size_without_the_reserve_over_provisioned() -> None:
    disk = _disk(_node())
    assert (disk.path, disk.size, disk.free) == ("/mnt/a", 100 * GIB, 50 * GIB)
    assert (disk.promised, disk.limit, disk.room) == (30 * GIB, 160 * GIB, 130 * GIB)


@pytest.mark.parametrize(
    "closed",
    [
        _node(allowScheduling=False),
        _node(evictionRequested=True),
        _node(spec={"allowScheduling": False}),
        _node(spec={"evictionRequested": True}),
        _node(ready="False"),
        _node(schedulable="False"),
        _node(said={"conditions": [{"type": "Ready", "status": "False"}]}),
        _node(said={"storageAvailable": 10 * GIB}),
        _node(said={"storageScheduled": 161 * GIB}),
        _node(said={"storageMaximum": 0, "storageAvailable": 0}),
    ],
)
def test_a_disk_that_longhorn_puts_no_replica_on_has_no_room(closed: Any) -> None:
    assert _disk(closed).room == 0


def _rooms(**rooms: int) -> list[DiskRoom]:
    return [
        DiskRoom(
            node=name.partition("_")[0],
            path=f"/mnt/{name}",
            is_ready=True,
            is_open=True,
            size=room,
            free=room,
            promised=0,
            limit=room,
            tags=frozenset(["ssd"] if name.endswith("ssd") else []),
            node_tags=frozenset(),
        )
        for name, room in rooms.items()
    ]


def test_the_largest_volume_has_each_replica_on_a_node_of_its_own() -> None:
    rooms = _rooms(n1_a=10, n1_b=40, n2_a=30, n3_a=5)
    assert [largest_volume(rooms, count) for count in (1, 2, 3, 4)] == [40, 30, 5, 0]


def _replica(volume: str, node: str, size: int = 10, **spec: Any) -> Any:
    given = {"volumeName": volume, "nodeID": node, "volumeSize": str(size), "healthyAt": "then"}
    return {"spec": {**given, **spec}}


def _volume(name: str, **spec: Any) -> Any:
    return {"metadata": {"name": name}, "spec": spec}


def _lost(rooms: list[DiskRoom], volumes: list[Any], replicas: list[Any], **settings: str) -> Any:
    found = losses(rooms, volumes=volumes, replicas=replicas, settings=settings)
    return {each.node: (list(each.lost), list(each.unplaced)) for each in found}


def test_a_loss_means_nothing_where_every_replica_finds_another_node() -> None:
    rooms = _rooms(n1=10, n2=10, n3=10)
    assert _lost(rooms, [_volume("a")], [_replica("a", "n1"), _replica("a", "n2")]) == {}


def test_a_volume_with_intact_replicas_nowhere_else_is_lost() -> None:
    failed = _replica("a", "n2", failedAt="2024-01-01T00:00:00Z")
    rooms = _rooms(n1=10, n2=10)
    assert _lost(rooms, [_volume("a")], [_replica("a", "n1"), failed]) == {"n1": (["a"], [])}


def test_a_replica_that_is_still_rebuilding_is_no_intact_one_and_keeps_its_node_taken() -> None:
    rebuilding = _replica("a", "n2", healthyAt="")
    rooms = _rooms(n1=10, n2=10)
    found = _lost(rooms, [_volume("a")], [_replica("a", "n1"), rebuilding])
    assert found == {"n1": (["a"], []), "n2": ([], ["a"])}


@pytest.mark.parametrize("path", [None, "/mnt/n2/"])
def test_a_replica_that_longhorn_can_not_reach_now_is_no_intact_one(path: str | None) -> None:
    """A detached volume's keeps healthyAt, and gets no failedAt, while its node is down."""
    one, two = _rooms(n1=10, n2=10)
    replicas = [_replica("a", "n1"), _replica("a", "n2", diskPath=path)]
    assert _lost([one, two], [_volume("a")], replicas)["n1"] == ([], ["a"])
    away = replace(two, is_ready=False, is_open=False)
    assert _lost([one, away], [_volume("a")], replicas)["n1"] == (["a"], [])


def test_of_a_node_with_one_disk_that_longhorn_can_not_read_the_other_counts() -> None:
    one, read, unread = _rooms(n1=10, n2_a=10, n2_b=10)
    rooms = [one, read, replace(unread, is_ready=False)]
    for path, lost in (("/mnt/n2_a/", []), ("/mnt/n2_b/", ["a"])):
        replicas = [_replica("a", "n1"), _replica("a", "n2", diskPath=path)]
        assert _lost(rooms, [_volume("a")], replicas)["n1"][0] == lost


def test_a_volume_whose_every_intact_replica_is_on_a_node_that_is_down_is_lost_with_it() -> None:
    one, two = _rooms(n1=10, n2=10)
    rooms = [one, replace(two, is_ready=False, is_open=False)]
    replicas = [_replica("a", "n1", healthyAt=""), _replica("a", "n2")]
    assert _lost(rooms, [_volume("a")], replicas)["n2"] == (["a"], [])


def test_a_volume_that_was_never_attached_is_lost_with_its_only_replica() -> None:
    rooms = _rooms(n1=10, n2=10)
    both = [_replica("a", node, healthyAt="") for node in ("n1", "n2")]
    assert _lost(rooms, [_volume("a")], both[:1]) == {"n1": (["a"], [])}
    assert [lost for lost, _ in _lost(rooms, [_volume("a")], both).values()] == [[], []]


def test_room_is_used_up_by_one_replica_after_the_other() -> None:
    rooms = _rooms(n1=100, n2=100, n3=15)
    replicas = [_replica(name, node) for name in "ab" for node in ("n1", "n2")]
    found = _lost(rooms, [_volume("a"), _volume("b")], replicas)
    assert {node: len(unplaced) for node, (_, unplaced) in found.items()} == {"n1": 1, "n2": 1}


def test_a_replica_goes_to_no_node_that_has_one_unless_longhorn_may() -> None:
    replicas = [_replica("a", "n1"), _replica("a", "n2")]
    rooms = _rooms(n1=100, n2=100)
    assert _lost(rooms, [_volume("a")], replicas) == {"n1": ([], ["a"]), "n2": ([], ["a"])}
    assert _lost(rooms, [_volume("a")], replicas, **{"replica-soft-anti-affinity": "true"}) == {}


def test_a_volume_that_chooses_disks_by_a_tag_needs_one_with_it() -> None:
    replicas = [_replica("a", "n1"), _replica("a", "n2")]
    volumes = [_volume("a", diskSelector=["ssd"])]
    assert _lost(_rooms(n1_ssd=9, n2_ssd=9, n3=100), volumes, replicas) == {
        "n1": ([], ["a"]),
        "n2": ([], ["a"]),
    }
    assert _lost(_rooms(n1_ssd=9, n2_ssd=9, n3_ssd=100), volumes, replicas) == {}


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("soft", ["true", "false"])
def test_every_replica_is_placed_where_most_room_is_left_for_it(seed: int, soft: str) -> None:
    chance = Random(seed)  # noqa: S311  no secret
    names = [f"n{number}_{kind}" for number in range(6) for kind in ("hdd", "ssd")]
    rooms = _rooms(**{name: chance.randrange(0, 60, 10) for name in names})
    volumes = [_volume(name, diskSelector=chance.choice(([], ["ssd"]))) for name in "abcdefgh"]
    replicas = [
        _replica(each["metadata"]["name"], node, size=chance.choice((10, 20)))
        for each in volumes
        for node in chance.sample([f"n{number}" for number in range(6)], 2)
    ]
    found = _lost(rooms, volumes, replicas, **{"replica-soft-anti-affinity": soft})
    assert found == _placed_one_by_one(rooms, volumes, replicas, is_soft=soft == "true")


def _placed_one_by_one(
    rooms: list[DiskRoom], volumes: list[Any], replicas: list[Any], *, is_soft: bool
) -> dict[str, tuple[list[str], list[str]]]:
    """The same by looking at every disk for every replica; each volume has one elsewhere."""
    selectors = {each["metadata"]["name"]: each["spec"]["diskSelector"] for each in volumes}
    found: dict[str, tuple[list[str], list[str]]] = {}
    for node in sorted({disk.node for disk in rooms}):
        room = {disk.path: disk.room for disk in rooms if disk.node != node}
        nodes_of = {
            name: {r["spec"]["nodeID"] for r in replicas if r["spec"]["volumeName"] == name}
            for name in selectors
        }
        unplaced: set[str] = set()
        there = [each["spec"] for each in replicas if each["spec"]["nodeID"] == node]
        for spec in sorted(there, key=lambda each: -int(each["volumeSize"])):
            name, size = spec["volumeName"], int(spec["volumeSize"])
            fitting = [
                disk
                for disk in rooms
                if disk.node != node
                and room[disk.path] >= size
                and (is_soft or disk.node not in nodes_of[name])
                and disk.tags.issuperset(selectors[name])
            ]
            if not fitting:
                unplaced.add(name)
                continue
            best = max(fitting, key=lambda disk: room[disk.path])
            room[best.path] -= size
            nodes_of[name].add(best.node)
        if unplaced:
            found[node] = ([], sorted(unplaced))
    return found
