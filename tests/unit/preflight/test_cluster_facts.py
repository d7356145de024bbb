"""What is read of the Nodes of Kubernetes."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from components.preflight.cluster_facts import ClusterNode, cordoned_by, cordoned_of, read_nodes

_CORDON = {"f:spec": {"f:unschedulable": {}}}


def _nodes(*nodes: dict[str, Any]) -> dict[str, ClusterNode]:
    answer = SimpleNamespace(data=json.dumps({"metadata": {}, "items": nodes}))
    api: Any = SimpleNamespace(core=SimpleNamespace(list_node=lambda **_options: answer))
    return read_nodes(api)


def _node(
    name: str, *, ready: str = "True", managers: Sequence[str] = (), **spec: Any
) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "message": "container runtime\n is down"}
    return {
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/os": "linux"},
            "managedFields": [
                {"manager": "kubelet", "fieldsV1": {"f:spec": {"f:podCIDR": {}}}},
                *({"manager": each, "fieldsV1": _CORDON} for each in managers),
            ],
        },
        "spec": spec,
        "status": {"conditions": [condition], "nodeInfo": {"bootID": "b0"}},
    }


def test_a_node_is_read_with_what_the_checks_compare() -> None:
    taint = {"key": "dedicated", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"}
    assert _nodes(_node("node-1", taints=[taint])) == {
        "node-1": ClusterNode(
            taints=[{"key": "dedicated", "effect": "NoSchedule"}],
            boot_id="b0",
            labels={"kubernetes.io/os": "linux"},
        )
    }


def test_a_node_that_takes_no_pods_counts_as_cordoned() -> None:
    nodes = _nodes(_node("node-1", unschedulable=True), _node("node-2"))
    assert cordoned_of(nodes) == ["node-1"]


def test_who_cordoned_a_node_is_told_as_long_as_it_takes_no_pods() -> None:
    nodes = _nodes(
        _node("node-1", managers=["ours"], unschedulable=True),
        _node("node-2", managers=["kubectl-cordon"], unschedulable=True),
        _node("node-3", managers=["ours"]),
    )
    assert cordoned_by(nodes, "ours") == ["node-1"]


def test_a_node_that_is_not_ready_is_told_with_its_kubelets_words() -> None:
    nodes = _nodes(_node("node-1", ready="Unknown"), {"metadata": {"name": "node-2"}})
    assert nodes["node-1"].unready == "container runtime is down"
    assert nodes["node-2"].unready == "its kubelet has never reported"
