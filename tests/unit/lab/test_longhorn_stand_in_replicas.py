"""The stand-in places and moves replicas as Longhorn 1.5.3 does."""

from typing import Any

import pytest

from lab.longhorn.manager_stand_in import settings
from lab.longhorn.manager_stand_in.replicas import Place, Step, followed, next_step

GIB = 1024**3
MET = [{"type": kind, "status": "True"} for kind in ("Ready", "Schedulable")]
SOFT = {**settings.DEFAULTS, "replica-soft-anti-affinity": "true"}


def disk(**changes: Any) -> dict[str, Any]:
    return {"path": "/mnt/x", "allowScheduling": True, "evictionRequested": False, **changes}


def node(name: str, *disks: dict[str, Any], free: int = GIB, **spec: Any) -> dict[str, Any]:
    keys = [f"{name}-{number}" for number in range(len(disks))]
    return {
        "spec": {"allowScheduling": True, "disks": dict(zip(keys, disks, strict=True)), **spec},
        "status": {
            "conditions": MET,
            "diskStatus": {
                key: {
                    "diskUUID": key,
                    "conditions": MET,
                    "storageMaximum": GIB,
                    "storageAvailable": free,
                    "storageScheduled": 0,
                }
                for key in keys
            },
        },
    }


def replica(uuid: str, **spec: Any) -> dict[str, Any]:
    on_node = uuid.rpartition("-")[0]
    return {"spec": {"nodeID": on_node, "diskID": uuid, "healthyAt": "then", **spec}}


def step(
    nodes: dict[str, Any],
    *replicas: dict[str, Any],
    count: int = 1,
    values: dict[str, str] = settings.DEFAULTS,
    **volume: Any,
) -> Step:
    spec = {"size": str(10 * 2**20), "numberOfReplicas": count, **volume}
    return next_step({"spec": spec}, list(replicas), nodes, values)


LEAVING = disk(allowScheduling=False, evictionRequested=True)


def test_a_new_volume_gets_a_replica_on_the_disk_with_most_space() -> None:
    nodes = {"a": node("a", disk(), free=GIB // 2), "b": node("b", disk())}
    assert step(nodes).add == Place("b", "b-0", "/mnt/x")


def test_replicas_of_a_volume_are_on_different_nodes() -> None:
    nodes = {"a": node("a", disk(), disk())}
    assert step(nodes, replica("a-0"), count=2) == Step(is_without_place=True)
    assert step(nodes, replica("a-0"), count=2, values=SOFT).add is not None


def test_enough_replicas_need_nothing() -> None:
    assert step({"a": node("a", disk())}, replica("a-0")) == Step()


def test_a_replica_that_is_to_leave_gets_a_successor_before_it_goes() -> None:
    nodes = {"a": node("a", LEAVING), "b": node("b", disk())}
    assert step(nodes, replica("a-0")) == Step(add=Place("b", "b-0", "/mnt/x"))
    leaving = replica("a-0")
    assert step(nodes, leaving, replica("b-0")) == Step(remove=leaving)


def test_a_replica_that_is_to_leave_may_go_to_another_disk_of_its_node() -> None:
    nodes = {"a": node("a", LEAVING, disk())}
    assert step(nodes, replica("a-0")).add == Place("a", "a-1", "/mnt/x")


def test_a_replica_without_another_place_stays() -> None:
    assert step({"a": node("a", LEAVING)}, replica("a-0")) == Step(is_without_place=True)


@pytest.mark.parametrize(
    ("other", "volume"),
    [
        (disk(allowScheduling=False), {}),
        (LEAVING, {}),
        (disk(tags=["slow"]), {"diskSelector": ["fast"]}),
        (disk(storageReserved=GIB), {}),
    ],
    ids=["closed", "leaving too", "without the tag", "no room"],
)
def test_a_disk_is_no_place_for_a_replica(other: dict[str, Any], volume: dict[str, Any]) -> None:
    assert step({"b": node("b", other)}, **volume) == Step(is_without_place=True)


def test_a_node_that_takes_no_replicas_is_no_place() -> None:
    assert step({"b": node("b", disk(), allowScheduling=False)}).add is None


def test_nothing_is_moved_off_a_node_that_is_down() -> None:
    down = node("a", LEAVING)
    down["status"]["conditions"] = []
    assert step({"a": down, "b": node("b", disk())}, replica("a-0")) == Step()


def test_a_replica_that_has_failed_is_replaced() -> None:
    nodes = {"a": node("a", disk()), "b": node("b", disk())}
    assert step(nodes, replica("a-0", failedAt="later")).add == Place("b", "b-0", "/mnt/x")


def test_replicas_follow_a_disk_that_is_ready_elsewhere() -> None:
    moved = node("b", disk())
    moved["status"]["diskStatus"]["b-0"]["diskUUID"] = "a-0"
    left = node("a", disk())
    left["status"]["diskStatus"]["a-0"]["conditions"] = []
    (found,) = followed({"a": left, "b": moved}, [replica("a-0"), replica("c-0")])
    assert (found["spec"]["nodeID"], found["spec"]["diskPath"]) == ("b", "/mnt/x")
    assert followed({"a": left, "b": moved}, [found]) == []


def test_no_replica_follows_a_disk_that_nobody_has_seen() -> None:
    unseen = node("b", disk())
    unseen["status"]["diskStatus"]["b-0"].update(diskUUID="", conditions=[])
    assert followed({"b": unseen}, [replica("a-0"), replica("", nodeID="")]) == []
