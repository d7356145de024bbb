"""A node marked `lost`: nothing runs on its host, and Longhorn is waited for to forget it."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn.disks import lost_node as longhorn_lost_node
from components.longhorn.disks.lost_node import wait_until_forgotten, without_other_replica
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_stack import COMMAND, nodes, run, valid
from tools.offline.recording import Recording

READY = "pulumi-python:dynamic/longhorn:Ready"
DISKS = "pulumi-python:dynamic/longhorn:Disks"
PROPS = {"node_name": "node-2", "timeout_seconds": 60}


def replica(volume: str, node: str, **changes: str) -> dict[str, Any]:
    spec = {"volumeName": volume, "nodeID": node, "healthyAt": "2026-01-01T00:00:00Z"}
    return {"spec": {**spec, "failedAt": "", **changes}}


def test_a_volume_with_an_intact_replica_elsewhere_is_not_lost_with_its_node() -> None:
    assert without_other_replica([replica("a", "node-2"), replica("a", "node-1")], "node-2") == []


@pytest.mark.parametrize(
    "other",
    [{"failedAt": "2026-01-01T00:00:00Z"}, {"healthyAt": ""}, {"nodeID": ""}],
    ids=["failed", "never complete", "not scheduled"],
)
def test_a_volume_whose_other_replica_is_no_good_is_lost_with_its_node(
    other: dict[str, str],
) -> None:
    replicas = [replica("a", "node-2"), replica("a", "node-1") | {}]
    replicas[1]["spec"].update(other)
    assert without_other_replica(replicas, "node-2") == ["a"]


def test_volumes_without_a_replica_on_the_node_are_none_of_its_business() -> None:
    assert without_other_replica([replica("a", "node-1")], "node-2") == []


class FakeCluster:
    """Answers reads of one Kubernetes node, one Longhorn node and the replicas."""

    def __init__(
        self, *, in_kubernetes: bool, longhorn_reads: int, replicas: list[dict[str, Any]]
    ) -> None:
        self._in_kubernetes, self._replicas = in_kubernetes, replicas
        self.longhorn_reads = longhorn_reads
        self.core = self.custom = self

    def read_node(self, name: str) -> object:
        return name if self._in_kubernetes else _not_found()

    def get_namespaced_custom_object(self, *_path: str) -> object:
        self.longhorn_reads -= 1
        return {} if self.longhorn_reads >= 0 else _not_found()

    def list_namespaced_custom_object(self, *_path: str, **_page: Any) -> dict[str, Any]:
        return {"items": self._replicas}


def _not_found() -> object:
    raise ApiError(404)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())


def test_a_node_that_kubernetes_still_has_is_refused_with_both_ways_out() -> None:
    cluster: Any = FakeCluster(in_kubernetes=True, longhorn_reads=0, replicas=[])
    with pytest.raises(RuntimeError, match=r"kubectl delete node node-2.*remove `lost`"):
        wait_until_forgotten(cluster, PROPS)


def test_longhorn_is_waited_for_until_it_has_forgotten_the_node() -> None:
    cluster: Any = FakeCluster(in_kubernetes=False, longhorn_reads=3, replicas=[])
    wait_until_forgotten(cluster, PROPS)
    assert cluster.longhorn_reads < 0


def test_the_volumes_that_the_node_took_with_it_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(longhorn_lost_node, "tell", told.append)
    lost = [replica("database", "node-2"), replica("logs", "node-2"), replica("logs", "node-1")]
    cluster: Any = FakeCluster(in_kubernetes=False, longhorn_reads=0, replicas=lost)
    wait_until_forgotten(cluster, PROPS)
    assert len(told) == 1
    assert "database" in told[0]


@pytest.fixture(scope="module")
def lost_second() -> Recording:
    return run(valid(nodes=nodes({}, {"lost": True}, {"controlPlane": True})))


def test_commands_of_a_lost_host_are_kept_as_they_are_and_forgotten_without_being_run(
    lost_second: Recording,
) -> None:
    inputs = {"connection", "create", "update", "delete", "stdin"}
    commands = lost_second.of_type(COMMAND)
    # Packages and two disks on each of three nodes, and the default class on the control plane.
    assert len(commands) == 10
    assert sum(command.name.startswith("node-2-") for command in commands) == 3
    for command in commands:
        is_lost = command.name.startswith("node-2-")
        assert command.request.retainOnDelete == is_lost
        assert (set(command.request.ignoreChanges) >= inputs) == is_lost
        assert set(command.inputs) & {"triggers", "environment"} == set()


def test_a_lost_node_gets_no_label_and_is_not_waited_for(lost_second: Recording) -> None:
    assert "node-2-labels" not in {resource.name for resource in lost_second.resources}
    (ready,) = lost_second.of_type(READY)
    assert set(ready.inputs["disks_by_node"]) == {"node-1", "node-3"}


def test_longhorns_disks_of_a_lost_node_know_that_it_is_lost(lost_second: Recording) -> None:
    assert {
        each.inputs["node_name"]: each.inputs["lost"] for each in lost_second.of_type(DISKS)
    } == {
        "node-1": False,
        "node-2": True,
        "node-3": False,
    }


def test_a_lost_node_counts_for_no_replica(lost_second: Recording) -> None:
    release = lost_second.named("longhorn-release")
    assert release.inputs["values"]["defaultSettings"]["defaultReplicaCount"] == 2


def test_a_lost_control_plane_node_is_not_untainted() -> None:
    recording = run(
        valid(
            nodes=nodes({"controlPlane": True, "lost": True}, {"controlPlane": True}),
            controlPlane={"scheduling": "untaint"},
        )
    )
    untaints = recording.of_type("pulumi-python:dynamic/node:ControlPlaneUntaint")
    assert [each.inputs["node_name"] for each in untaints] == ["node-2"]


def test_the_frontend_is_not_said_to_be_at_the_address_of_a_lost_node() -> None:
    recording = run(
        valid(
            nodes=nodes({"lost": True}, {}),
            frontend={"type": "NodePort", "nodePort": 30080},
        )
    )
    assert "192.0.2.12" in str(recording.outputs["longhornUrl"])
