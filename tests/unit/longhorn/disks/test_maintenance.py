"""A node is closed for maintenance only once no volume needs it, and open once all are healthy."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.common import waiting
from components.common.waiting import Clock
from components.longhorn.disks import disks as longhorn_disks
from components.longhorn.disks.disks import LonghornDisksProvider
from components.longhorn.disks.maintenance_rules import not_healthy, only_here
from tests.unit.doubles.a_cluster import ACluster, Object, volume

READY = [{"type": "Ready", "status": "True"}]
DISK = {"name": "a", "allowScheduling": True, "storageReserved": 0, "tags": []}
PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "node_name": "one",
    "disks": {"/mnt/a": DISK},
    "owner": "project/one",
    "lost": False,
    "maintenance": None,
    "timeout_seconds": 60,
    "eviction_timeout_seconds": 300,
}
CLOSED = {**PROPS, "maintenance": "closed"}
CORDONED = {**PROPS, "maintenance": "cordon"}
OURS = "longhorn-rancher/project/one"


def _node(name: str, *, ready: Any = READY, disk: Any = READY, **spec: Any) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {
            "allowScheduling": True,
            "evictionRequested": False,
            "disks": {"a": {"path": "/mnt/a", "evictionRequested": False, **DISK}},
            **spec,
        },
        "status": {
            "conditions": ready,
            "diskStatus": {"a": {"diskUUID": f"d-{name}", "conditions": disk}},
        },
    }


def _replica(node: str, name: str = "data", **spec: str) -> Object:
    given = {"volumeName": name, "nodeID": node, "diskID": f"d-{node}", "healthyAt": "then"}
    return {"metadata": {"name": f"{name}-{node}"}, "spec": {**given, **spec}}


class Evicting(ACluster):
    """Two nodes; a replica moves off the one once eviction was asked for and a minute passed."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.asked: list[tuple[bool, bool]] = []
        self.cordoned: dict[str, str | None] = {}
        self.has_place = True
        for name in ("one", "two"):
            self.objects["nodes"][name] = _node(name)
        self.after_write = lambda: self.asked.append(self.access())

    def access(self) -> tuple[bool, bool]:
        spec = self.objects["nodes"]["one"]["spec"]
        return spec["allowScheduling"], spec["evictionRequested"]

    def put(self, *replicas: Object) -> None:
        for replica in replicas:
            self.objects["replicas"][replica["metadata"]["name"]] = replica

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self.access()[1] and self.has_place and self.seconds > 60:
            self.objects["replicas"].clear()
            self.put(_replica("two"))

    def read_node(self, name: str) -> Any:
        manager = self.cordoned.get(name)
        fields = {"f:spec": {"f:unschedulable": {}}} if manager else {"f:spec": {"f:podCIDR": {}}}
        entry = SimpleNamespace(manager=manager or "kubelet", fields_v1=fields)
        return SimpleNamespace(
            metadata=SimpleNamespace(managed_fields=[entry]),
            spec=SimpleNamespace(unschedulable=True if manager else None),
        )

    def patch_node(self, name: str, patch: Object, field_manager: str = "") -> None:
        self.cordoned[name] = field_manager if patch["spec"]["unschedulable"] else None


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Evicting:
    made = Evicting()
    monkeypatch.setattr(
        waiting, "SYSTEM_CLOCK", Clock(now=lambda: made.seconds, sleep=lambda s: made.sleep(s))
    )
    monkeypatch.setattr(longhorn_disks, "open_cluster", lambda _props: made)
    return made


def _change(old: Any, new: Any) -> None:
    LonghornDisksProvider().update("id", old, new)


def test_a_node_that_no_volume_needs_is_closed_and_keeps_its_replicas(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(_replica("one"), _replica("two"))
    _change(PROPS, CLOSED)
    assert set(cluster.asked) == {(False, False)}
    assert set(cluster.objects["replicas"]) == {"data-one", "data-two"}
    assert "the host may go down" in capsys.readouterr().err


def test_what_has_its_last_healthy_replica_there_is_moved_first(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(_replica("one"), _replica("two", failedAt="now"))
    _change(PROPS, CLOSED)
    assert (False, True) in cluster.asked
    assert cluster.access() == (False, False)
    assert set(cluster.objects["replicas"]) == {"data-two"}
    assert "the host may go down" in capsys.readouterr().err


def test_the_former_replica_has_gone_before_eviction_ends(cluster: Evicting) -> None:
    """With both, Longhorn might take the new one away as surplus."""
    cluster.objects["nodes"]["one"] = _node("one", allowScheduling=False, evictionRequested=True)
    cluster.objects["volumes"]["data"] = volume("data")
    cluster.objects["volumes"]["data"]["spec"]["numberOfReplicas"] = 1
    cluster.put(_replica("one"), _replica("two"))
    _change(PROPS, CLOSED)
    assert cluster.asked == [(False, True), (False, False)], "the claim of its disks, and the end"
    assert set(cluster.objects["replicas"]) == {"data-two"}


def test_a_replica_too_many_moves_no_other_one(cluster: Evicting) -> None:
    """Longhorn moves those of a whole node or none, and this one has intact ones elsewhere."""
    cluster.objects["volumes"]["data"] = volume("data")
    cluster.objects["volumes"]["data"]["spec"]["numberOfReplicas"] = 1
    cluster.put(_replica("one"), _replica("two"))
    _change(PROPS, CLOSED)
    assert set(cluster.asked) == {(False, False)}
    assert set(cluster.objects["replicas"]) == {"data-one", "data-two"}


def test_nodes_that_close_beside_each_other_do_not_count_for_each_other(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(_replica("one"), _replica("two"))
    cluster.has_place = False
    cluster.after_write = lambda: cluster.objects["nodes"].update(
        two=_node("two", allowScheduling=False)
    )
    with pytest.raises(TimeoutError, match="data has no intact replica on another node"):
        _change(PROPS, CLOSED)
    assert cluster.access() == (False, True)
    assert "may go down" not in capsys.readouterr().err


def test_what_comes_to_need_a_closed_node_is_moved_by_the_next_up(cluster: Evicting) -> None:
    cluster.put(_replica("one"), _replica("two"))
    _change(PROPS, CLOSED)
    cluster.put(_replica("two", failedAt="now"))
    _change(CLOSED, {**CLOSED, "finding": "volumes need it: data"})
    assert set(cluster.objects["replicas"]) == {"data-two"}
    assert cluster.access() == (False, False)


def test_a_volume_that_finds_no_place_ends_it_with_its_name(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(_replica("one"))
    cluster.has_place = False
    with pytest.raises(TimeoutError, match="data has no intact replica on another node"):
        _change(PROPS, CLOSED)
    assert cluster.access() == (False, True), "Longhorn goes on for the next run"
    assert "may go down" not in capsys.readouterr().err


def test_taking_the_line_away_opens_it_and_waits_for_every_attached_volume(
    cluster: Evicting,
) -> None:
    _change(PROPS, CLOSED)
    cluster.objects["volumes"]["data"] = volume("data")
    cluster.objects["volumes"]["data"]["status"]["robustness"] = "degraded"
    with pytest.raises(TimeoutError, match="Not healthy: data is degraded"):
        _change(CLOSED, PROPS)
    assert cluster.access() == (True, False)
    cluster.objects["volumes"]["data"]["status"]["robustness"] = "healthy"
    _change(CLOSED, PROPS)


def test_a_cordon_that_keeps_volumes_from_becoming_healthy_is_named(cluster: Evicting) -> None:
    """With `maintenance: true` that of the drain is the user's, and no other waits for it."""
    _change(PROPS, CLOSED)
    cluster.objects["nodes"]["one"]["status"]["conditions"] = [
        *READY,
        {"type": "Schedulable", "status": "False", "reason": "KubernetesNodeCordoned"},
    ]
    cluster.objects["volumes"]["data"] = volume("data")
    cluster.objects["volumes"]["data"]["status"]["robustness"] = "degraded"
    said = "one is cordoned.*kubectl uncordon one; data is degraded"
    with pytest.raises(TimeoutError, match=said):
        _change(CLOSED, PROPS)
    cluster.objects["volumes"]["data"]["status"]["robustness"] = "healthy"
    _change(CLOSED, PROPS)


def test_a_node_that_is_used_all_the_time_waits_for_no_volume(cluster: Evicting) -> None:
    cluster.objects["volumes"]["data"] = volume("data")
    cluster.objects["volumes"]["data"]["status"]["robustness"] = "degraded"
    _change(PROPS, PROPS)
    written = cluster.seconds
    _change(PROPS, PROPS)
    assert cluster.seconds == written


def test_it_is_cordoned_where_the_stack_file_says_so_and_only_then(cluster: Evicting) -> None:
    _change(PROPS, CLOSED)
    _change(CLOSED, PROPS)
    assert cluster.cordoned == {}
    _change(PROPS, CORDONED)
    assert cluster.cordoned == {"one": OURS}
    _change(CORDONED, PROPS)
    assert cluster.cordoned == {"one": None}


def test_a_node_that_is_no_longer_to_be_cordoned_takes_pods_again_while_it_stays_closed(
    cluster: Evicting,
) -> None:
    _change(PROPS, CORDONED)
    _change(CORDONED, CLOSED)
    assert cluster.cordoned == {"one": None}
    assert cluster.access() == (False, False)


def test_a_node_that_somebody_uncordoned_is_cordoned_again(cluster: Evicting) -> None:
    _change(PROPS, CORDONED)
    cluster.cordoned["one"] = None
    _change(CORDONED, {**CORDONED, "finding": "not cordoned"})
    assert cluster.cordoned == {"one": OURS}


@pytest.mark.parametrize("by_us", [True, False])
def test_a_destroyed_stack_leaves_no_node_cordoned_that_it_cordoned_itself(
    cluster: Evicting, monkeypatch: pytest.MonkeyPatch, by_us: bool
) -> None:
    monkeypatch.setattr(longhorn_disks, "open_for_removal", lambda _props: cluster)
    monkeypatch.setattr(longhorn_disks, "removal_is_confirmed", lambda _cluster: True)
    cluster.cordoned["one"] = None if by_us else "kubectl-cordon"
    _change(PROPS, CORDONED)
    LonghornDisksProvider().delete("id", CORDONED)
    assert cluster.cordoned == {"one": None if by_us else "kubectl-cordon"}


def test_a_cordon_of_somebody_else_outlives_the_maintenance_and_is_told(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.cordoned["one"] = "kubectl-cordon"
    _change(PROPS, CORDONED)
    _change(CORDONED, PROPS)
    assert cluster.cordoned == {"one": "kubectl-cordon"}
    assert "kubectl uncordon one" in capsys.readouterr().err


def _give_up(cluster: Evicting) -> None:
    """A run that cordons the node and fails, so that the state says nothing of a maintenance."""
    cluster.put(_replica("one"))
    cluster.has_place = False
    with pytest.raises(TimeoutError):
        _change(PROPS, CORDONED)
    assert cluster.cordoned == {"one": OURS}


def test_a_maintenance_that_was_given_up_leaves_the_node_open_to_pods(cluster: Evicting) -> None:
    _give_up(cluster)
    _change(PROPS, PROPS)
    assert cluster.cordoned == {"one": None}


def test_a_stack_that_is_made_again_or_destroyed_opens_what_a_failed_run_cordoned(
    cluster: Evicting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longhorn_disks, "open_for_removal", lambda _props: cluster)
    monkeypatch.setattr(longhorn_disks, "removal_is_confirmed", lambda _cluster: True)
    _give_up(cluster)
    LonghornDisksProvider().create(PROPS)
    assert cluster.cordoned == {"one": None}
    _give_up(cluster)
    LonghornDisksProvider().delete("id", PROPS)
    assert cluster.cordoned == {"one": None}


def test_a_cordon_of_somebody_else_is_told_only_at_the_end_of_a_maintenance(
    cluster: Evicting, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.cordoned["one"] = "kubectl-cordon"
    _change(PROPS, PROPS)
    assert cluster.cordoned == {"one": "kubectl-cordon"}
    assert "uncordon" not in capsys.readouterr().err


def test_a_stack_that_was_renamed_opens_what_it_cordoned_under_its_old_name(
    cluster: Evicting,
) -> None:
    _change(PROPS, CORDONED)
    _change(CORDONED, {**PROPS, "owner": "project/two"})
    assert cluster.cordoned == {"one": None}


@pytest.mark.parametrize(
    ("other", "replica"),
    [
        (_node("two"), _replica("two", healthyAt="")),
        (_node("two"), _replica("two", failedAt="now")),
        (_node("two"), _replica("two", diskID="gone")),
        (_node("two", disk=[]), _replica("two")),
        (_node("two", ready=[]), _replica("two")),
        (_node("two", allowScheduling=False), _replica("two")),
    ],
    ids=["incomplete", "failed", "no disk", "disk not Ready", "node not Ready", "closed itself"],
)
def test_only_an_intact_replica_on_a_disk_that_stays_counts(other: Object, replica: Object) -> None:
    nodes = [_node("one"), _node("two")]
    assert only_here("one", nodes, [_replica("one"), _replica("two")]) == []
    assert only_here("one", [_node("one"), other], [_replica("one"), replica]) == ["data"]


def test_a_volume_without_an_intact_replica_here_loses_nothing() -> None:
    assert only_here("one", [_node("one")], [_replica("one", failedAt="now")]) == []


def test_detached_volumes_are_not_waited_for() -> None:
    ill = [{**volume("b"), "status": {"state": "attached", "robustness": "degraded"}}]
    away = [{**volume("c"), "status": {"state": "detached", "robustness": "unknown"}}]
    assert not_healthy([volume("a"), *ill, *away]) == ["b is degraded"]
