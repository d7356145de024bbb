"""What is wrong with storage and no resource can put right is told, once and in words."""

from dataclasses import replace
from typing import Any

from components.preflight.storage_health import check_losses, check_pods, check_storage
from tests.unit.doubles.a_storage import a_storage


def _volume(name: str, robustness: str, claim: str | None = None) -> dict[str, Any]:
    noted = {"namespace": "default", "pvcName": claim} if claim else {}
    return {
        "metadata": {"name": name},
        "status": {"robustness": robustness, "kubernetesStatus": noted},
    }


def _node(
    *, ready: dict[str, str] | None = None, disk: list[dict[str, str]], opened: bool = True
) -> dict[str, Any]:
    return {
        "spec": {"disks": {"a": {"path": "/mnt/a", "allowScheduling": opened}}},
        "status": {
            "conditions": [ready or {"type": "Ready", "status": "True"}],
            "diskStatus": {"a": {"conditions": disk}},
        },
    }


def _said(nodes: dict[str, Any], *volumes: Any, orphans: list[Any] | None = None) -> list[Any]:
    found = check_storage(a_storage(nodes, volumes=volumes, orphans=orphans or []))
    return [(each.check, each.node, each.severity, each.found) for each in found]


def test_healthy_storage_has_nothing_to_tell() -> None:
    node = _node(disk=[{"type": "Ready", "status": "True"}])
    assert _said({"node-1": node}, _volume("a", "healthy"), _volume("b", "unknown")) == []


def test_ill_volumes_are_named_with_their_claims_the_worst_first() -> None:
    volumes = [_volume("b", "degraded", "data"), _volume("c", "faulted"), _volume("a", "degraded")]
    assert _said({}, *volumes) == [
        ("volumeHealth", "the cluster", "warning", "1 faulted volume: c"),
        (
            "volumeHealth",
            "the cluster",
            "warning",
            "2 degraded volumes: a, b (claim default/data)",
        ),
    ]


def test_volumes_with_an_earlier_engine_are_named_with_it() -> None:
    own, former = "longhorn-engine:v1.5.4", "longhorn-engine:v1.5.3"
    volumes = [_volume(name, "healthy") for name in "abcd"]
    for volume, image in zip(volumes, (own, former, former, ""), strict=True):
        volume["status"]["currentImage"] = image
    storage = a_storage({}, volumes=volumes, settings={"default-engine-image": own})
    (result,) = check_storage(storage)
    assert (result.check, result.severity) == ("volumeEngine", "warning")
    assert result.found == f"2 volumes with the engine {former}, not {own}: b, c"
    assert list(check_storage(a_storage({}, volumes=volumes))) == []


def test_of_many_volumes_twenty_are_named() -> None:
    volumes = [_volume(f"v{number:02}", "degraded") for number in range(25)]
    ((*_, found),) = _said({}, *volumes)
    assert found.startswith("25 degraded volumes: v00, ")
    assert found.endswith("v19 and 5 more")


def test_a_disk_that_longhorn_does_not_use_is_told_with_its_reason() -> None:
    refused = {"type": "Ready", "status": "False", "reason": "R", "message": " another disk "}
    full = {"type": "Schedulable", "status": "False", "reason": "DiskPressure"}
    well = {"type": "Ready", "status": "True"}
    assert _said(
        {
            "node-1": _node(disk=[refused, full]),
            "node-2": _node(disk=[well, full]),
            "node-3": _node(disk=[well, full], opened=False),
            "node-4": _node(disk=[]),
        }
    ) == [
        ("longhornDisk", "node-1", "warning", "Longhorn's disk /mnt/a is not Ready (another disk)"),
        (
            "longhornDisk",
            "node-2",
            "warning",
            "Longhorn's disk /mnt/a is not Schedulable (DiskPressure)",
        ),
    ]


def test_a_node_that_is_away_is_told_without_its_disks() -> None:
    away = {"type": "Ready", "status": "False", "message": "manager pod missing"}
    node = _node(ready=away, disk=[{"type": "Ready", "status": "False"}])
    assert _said({"node-1": node}) == [
        ("longhornNode", "node-1", "warning", "Longhorn's node is not Ready (manager pod missing)")
    ]


def test_a_node_that_is_cordoned_is_told_unless_its_maintenance_says_so() -> None:
    node = _node(disk=[{"type": "Ready", "status": "True"}])
    said = {"type": "Schedulable", "status": "False", "message": "Node node-1 is cordoned"}
    node["status"]["conditions"].append(said)
    found = "Longhorn's node is not Schedulable (Node node-1 is cordoned)"
    assert _said({"node-1": node}) == [("longhornNode", "node-1", "warning", found)]
    (result,) = check_storage(a_storage({"node-1": node}))
    assert "kubectl uncordon node-1" in result.remedy
    assert list(check_storage(a_storage({"node-1": node}), ["node-1"])) == []
    node["spec"]["disks"] = {}
    assert _said({"node-1": node}) == [], "it would get no replica anyway"


def test_pods_of_longhorn_that_do_not_run_are_one_warning() -> None:
    snapshot = a_storage().snapshot
    assert list(check_pods(snapshot)) == []
    ill = [replace(each, ready=1) for each in snapshot.deployments if each.name.startswith("csi-")]
    (result,) = check_pods(replace(snapshot, deployments=ill))
    assert (result.check, result.severity) == ("longhornPods", "warning")
    assert "csi-attacher (1 of 2 pods ready), Deployment csi-provisioner" in result.found


def test_what_no_volume_has_is_counted_for_each_node() -> None:
    orphans = [{"spec": {"nodeID": node}} for node in ("node-2", "node-1", "node-2")]
    assert _said({}, orphans=orphans) == [
        ("orphanedReplicas", "node-1", "warning", "1 folder with replica data that no volume has"),
        ("orphanedReplicas", "node-2", "warning", "2 folders with replica data that no volume has"),
    ]


def test_what_the_loss_of_a_node_would_break_is_told_for_each_node() -> None:
    well = [{"type": "Ready", "status": "True"}]
    spec = {"nodeID": "node-1", "volumeName": "a", "volumeSize": "10", "healthyAt": "then"}
    replica = {"spec": spec}
    both = [replica, {"spec": {**replica["spec"], "nodeID": "node-2"}}]
    nodes = {name: _node(disk=well) for name in ("node-1", "node-2")}
    one, two = (
        [
            (each.check, each.node, each.found)
            for each in check_losses(
                a_storage(nodes, volumes=[_volume("a", "healthy")], replicas=replicas)
            )
        ]
        for replicas in ([replica], both)
    )
    assert one == [
        (
            "capacity",
            "node-1",
            "the loss of this node would lose a, which has no intact replica elsewhere that "
            "Longhorn reaches now",
        )
    ]
    assert [node for _, node, _ in two] == ["node-1", "node-2"]
    assert all("after the loss of this node a would stay degraded" in found for *_, found in two)
