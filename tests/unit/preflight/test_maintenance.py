"""A preview says whether the host of a node under maintenance may go down, or what keeps it."""

from collections.abc import Collection, Sequence
from typing import Any

import pytest

from components.preflight.maintenance import check_maintenance
from tests.unit.doubles.a_storage import a_storage

READY = [{"type": "Ready", "status": "True"}]
GIB = 2**30


def _node(name: str, **spec: Any) -> Any:
    said = {
        "diskUUID": f"d-{name}",
        "storageMaximum": 100 * GIB,
        "storageAvailable": 50 * GIB,
        "conditions": READY,
    }
    entry = {"path": "/mnt/a", "allowScheduling": True}
    return {
        "metadata": {"name": name},
        "spec": {"allowScheduling": True, "disks": {"a": entry}, **spec},
        "status": {"conditions": READY, "diskStatus": {"a": said}},
    }


def _replica(node: str, **more: str) -> Any:
    spec = {"volumeName": "data", "nodeID": node, "diskID": f"d-{node}", "healthyAt": "then"}
    return {"metadata": {"name": f"data-{node}"}, "spec": {**spec, **more}}


def _found(
    *replicas: str,
    closed: Collection[str] = ("one",),
    size: int = GIB,
    nodes: Any = None,
    more: Sequence[Any] = (),
) -> list[tuple[str, str, str]]:
    status = {"kubernetesStatus": {"namespace": "shop", "pvcName": "orders"}}
    storage = a_storage(
        nodes or {name: _node(name) for name in ("one", "two")},
        replicas=[*(_replica(node) for node in replicas), *more],
        volumes=[{"metadata": {"name": "data"}, "spec": {"size": str(size)}, "status": status}],
    )
    found = list(check_maintenance(storage, closed))
    assert {each.check for each in found} <= {"maintenance"}
    return [(each.node, each.severity, each.found) for each in found]


def test_a_volume_that_would_lose_its_last_healthy_replica_and_has_no_room_is_refused() -> None:
    ((node, severity, found),) = _found("one", size=101 * GIB)
    assert (node, severity) == ("one", "error")
    assert found == (
        "volumes have their last healthy replica here, and none of the 1 nodes that stay takes "
        "another one: data (claim shop/orders)"
    )


def test_a_volume_that_has_to_move_and_can_is_told() -> None:
    ((node, severity, found),) = _found("one")
    assert (node, severity) == ("one", "warning")
    assert "may not go down yet" in found
    assert "data (claim shop/orders)" in found


@pytest.mark.parametrize(
    ("other", "severity"), [({"failedAt": "then"}, "warning"), ({"healthyAt": ""}, "error")]
)
def test_a_node_with_a_failed_replica_takes_another_and_one_where_it_rebuilds_does_not(
    other: dict[str, str], severity: str
) -> None:
    """Anti-affinity leaves out those that failed (scheduler/replica_scheduler.go, v1.5.3)."""
    ((node, found, _),) = _found("one", more=[_replica("two", **other)])
    assert (node, found) == ("one", severity)


def test_a_replica_elsewhere_is_enough_and_the_host_may_go_down_once_the_node_is_closed() -> None:
    assert _found("one", "two") == []
    nodes = {"one": _node("one", allowScheduling=False), "two": _node("two")}
    ((node, severity, found),) = _found("one", "two", nodes=nodes)
    assert (node, severity) == ("one", "warning")
    assert "the host may go down once its pods are gone" in found


def test_nodes_that_are_closed_in_the_same_run_do_not_stay() -> None:
    found = _found("one", "two", closed=("one", "two"))
    assert [(node, severity) for node, severity, _ in found] == [("one", "error"), ("two", "error")]
    nodes = {name: _node(name) for name in ("one", "two", "three")}
    found = _found("one", "two", closed=("one", "two"), nodes=nodes)
    assert [severity for _, severity, _ in found] == ["warning", "warning"]


def test_a_policy_that_keeps_the_drain_from_ending_is_told() -> None:
    nodes = {"one": _node("one", allowScheduling=False), "two": _node("two")}

    def remedy(policy: str) -> str:
        storage = a_storage(nodes, settings={"node-drain-policy": policy})
        (result,) = check_maintenance(storage, ["one"])
        return result.remedy

    assert "waits until every replica has left" in remedy("block-for-eviction")
    assert "drain" not in remedy("block-if-contains-last-replica")


def test_a_stack_without_maintenance_hears_nothing_of_it() -> None:
    assert _found("one", closed=()) == []
