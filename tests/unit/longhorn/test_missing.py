"""What counts as missing while Longhorn starts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.longhorn.missing import (
    gone_parts,
    is_newer,
    missing_parts,
    stopped,
    unready_workloads,
)
from components.longhorn.snapshot import Snapshot, Workload

_DISKS = {"node-1": ["/mnt/longhorn-sdb"]}
_DAEMON_SETS = ("longhorn-manager", "longhorn-csi-plugin", "engine-image-ei-68f17757")
_DEPLOYMENTS = (
    "csi-attacher",
    "csi-provisioner",
    "csi-resizer",
    "csi-snapshotter",
    "longhorn-driver-deployer",
    "longhorn-ui",
)
_MANAGER_IMAGE = "longhornio/longhorn-manager:v1.5.3"
_ENGINE_IMAGE = "longhornio/longhorn-engine:v1.5.3"
_ARGUMENTS = ("longhorn-manager", "daemon", "--engine-image", _ENGINE_IMAGE)


def _conditions(**status: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": value, "message": "why"} for kind, value in status.items()]


def _node(
    *, allow: bool = True, ready: str = "True", disk: Sequence[Mapping[str, str]] | None = None
) -> dict[str, Any]:
    conditions = _conditions(Ready="True", Schedulable="True") if disk is None else disk
    return {
        "spec": {"disks": {"d": {"path": "/mnt/longhorn-sdb/", "allowScheduling": allow}}},
        "status": {
            "conditions": _conditions(Ready=ready),
            "diskStatus": {"d": {"conditions": conditions}},
        },
    }


def _daemon_sets() -> list[Workload]:
    manager, plugin, engine = (Workload(name=name, wanted=3, ready=3) for name in _DAEMON_SETS)
    return [
        replace(manager, images=[_MANAGER_IMAGE], arguments=_ARGUMENTS),
        replace(plugin, images=["longhornio/livenessprobe:v2.9.0", _MANAGER_IMAGE]),
        replace(engine, images=[_ENGINE_IMAGE]),
    ]


def _ready() -> Snapshot:
    return Snapshot(
        settings={"current-longhorn-version": "v1.5.3"},
        daemon_sets=_daemon_sets(),
        deployments=[Workload(name=name, wanted=2, ready=2) for name in _DEPLOYMENTS],
        has_driver=True,
        storage_classes=["longhorn", "local-path"],
        default_classes=["longhorn"],
        nodes={"node-1": _node()},
    )


def _saying(version: str | None) -> Snapshot:
    """All of Longhorn runs, and says that it is this version."""
    return replace(
        _ready(), settings={} if version is None else {"current-longhorn-version": version}
    )


def _missing(snapshot: Snapshot, *, default: bool = True, closed: Sequence[str] = ()) -> list[str]:
    return missing_parts(
        snapshot,
        version="1.5.3",
        disks_by_node=_DISKS,
        closed=closed,
        wants_default_class=default,
    )


def test_nothing_is_missing_when_all_of_longhorn_runs() -> None:
    assert _missing(_ready()) == []


@pytest.mark.parametrize("name", _DAEMON_SETS[:2])
def test_a_daemon_set_that_is_not_there_is_missing(name: str) -> None:
    snapshot = _ready()
    left = [workload for workload in snapshot.daemon_sets if workload.name != name]
    assert _missing(replace(snapshot, daemon_sets=left)) == [f"DaemonSet {name}"]


@pytest.mark.parametrize("name", _DEPLOYMENTS)
def test_a_deployment_that_is_not_there_is_missing(name: str) -> None:
    snapshot = _ready()
    left = [workload for workload in snapshot.deployments if workload.name != name]
    assert _missing(replace(snapshot, deployments=left)) == [f"Deployment {name}"]


@pytest.mark.parametrize(("wanted", "ready"), [(3, 2), (0, 0)])
def test_a_workload_without_all_its_pods_is_missing(wanted: int, ready: int) -> None:
    snapshot = _ready()
    changed = [
        replace(workload, wanted=wanted, ready=ready)
        if workload.name == "longhorn-manager"
        else workload
        for workload in snapshot.daemon_sets
    ]
    (line,) = _missing(replace(snapshot, daemon_sets=changed))
    assert line == f"DaemonSet longhorn-manager ({ready} of {wanted} pods ready)"


def test_an_engine_image_must_be_on_the_nodes() -> None:
    snapshot = _ready()
    lines = _missing(replace(snapshot, daemon_sets=snapshot.daemon_sets[:2]))
    assert lines
    assert all(line.startswith("DaemonSet engine-image-") for line in lines)


def test_an_engine_image_that_is_still_coming_is_missing() -> None:
    snapshot = _ready()
    image = replace(snapshot.daemon_sets[2], ready=1)
    (line,) = _missing(replace(snapshot, daemon_sets=[*snapshot.daemon_sets[:2], image]))
    assert line.endswith("(1 of 3 pods ready)")


def test_the_csi_driver_must_be_registered() -> None:
    assert _missing(replace(_ready(), has_driver=False)) == ["CSIDriver driver.longhorn.io"]


def test_the_storage_class_must_be_there_also_when_it_is_not_the_default() -> None:
    snapshot = replace(_ready(), storage_classes=["local-path"], default_classes=["local-path"])
    assert _missing(snapshot, default=False) == ["StorageClass longhorn"]


@pytest.mark.parametrize("defaults", [[], ["local-path"], ["local-path", "longhorn"]])
def test_longhorn_must_be_the_one_default_class_if_the_stack_wants_that(
    defaults: list[str],
) -> None:
    snapshot = replace(_ready(), default_classes=defaults)
    (line,) = _missing(snapshot)
    assert (", ".join(defaults) or "none") in line
    assert "longhorn.defaultStorageClass: false" in line


def test_any_default_class_is_fine_if_the_stack_wants_none_of_longhorn() -> None:
    assert _missing(replace(_ready(), default_classes=["local-path"]), default=False) == []


def test_a_node_that_longhorn_does_not_know_is_missing() -> None:
    assert _missing(replace(_ready(), nodes={})) == ["nodes.longhorn.io node-1"]


def test_a_node_that_longhorn_calls_not_ready_is_missing_with_the_reason() -> None:
    snapshot = replace(_ready(), nodes={"node-1": _node(ready="False")})
    assert _missing(snapshot) == ["node node-1: not Ready (why)"]


def test_a_node_without_status_is_missing_and_no_traceback() -> None:
    found = _missing(replace(_ready(), nodes={"node-1": {"spec": {}}}))
    assert found == [
        "node node-1: not Ready yet",
        "disk /mnt/longhorn-sdb of node node-1 in Longhorn",
    ]


def test_a_disk_that_longhorn_does_not_have_is_missing() -> None:
    node = _node()
    node["spec"]["disks"] = {"other": {"path": "/var/lib/longhorn"}}
    (line,) = _missing(replace(_ready(), nodes={"node-1": node}))
    assert line == "disk /mnt/longhorn-sdb of node node-1 in Longhorn"


@pytest.mark.parametrize("condition", ["Ready", "Schedulable"])
def test_a_disk_must_be_ready_and_schedulable(condition: str) -> None:
    conditions = _conditions(**{"Ready": "True", "Schedulable": "True", condition: "False"})
    snapshot = replace(_ready(), nodes={"node-1": _node(disk=conditions)})
    assert _missing(snapshot) == [f"disk /mnt/longhorn-sdb of node node-1: not {condition} (why)"]


def test_a_disk_that_is_full_is_not_waited_for() -> None:
    ready, schedulable = _conditions(Ready="True", Schedulable="False")
    conditions = [ready, {**schedulable, "reason": "DiskPressure"}]
    assert _missing(replace(_ready(), nodes={"node-1": _node(disk=conditions)})) == []
    away = [{**ready, "status": "False"}, {**schedulable, "reason": "DiskNotReady"}]
    lines = _missing(replace(_ready(), nodes={"node-1": _node(disk=away)}))
    assert len(lines) == len(away), "Longhorn can't read it"


def _without_a_pod(snapshot: Snapshot, ready: int) -> Snapshot:
    sets = [replace(workload, ready=ready) for workload in snapshot.daemon_sets]
    return replace(snapshot, daemon_sets=sets)


def test_a_host_that_is_down_for_its_maintenance_is_not_waited_for() -> None:
    down = replace(_ready(), nodes={"node-1": _node(ready="False", disk=[])})
    assert _missing(_without_a_pod(down, 2), closed=["node-1"]) == []
    assert _missing(_without_a_pod(replace(_ready(), nodes={}), 2), closed=["node-1"]) == []
    assert "node node-1: not Ready (why)" in _missing(down)


def test_a_daemon_set_lacks_no_more_pods_than_hosts_are_down_for_their_maintenance() -> None:
    down = replace(_ready(), nodes={"node-1": _node(ready="False")})
    said = [f"DaemonSet {name} (1 of 3 pods ready)" for name in _DAEMON_SETS]
    assert _missing(_without_a_pod(down, 1), closed=["node-1"]) == said
    up = [f"DaemonSet {name} (2 of 3 pods ready)" for name in _DAEMON_SETS]
    assert _missing(_without_a_pod(_ready(), 2), closed=["node-1"]) == up
    none = [f"DaemonSet {name} (0 of 3 pods ready)" for name in _DAEMON_SETS]
    assert _missing(_without_a_pod(down, 0), closed=["node-1", "2", "3"]) == none


def test_a_node_under_maintenance_that_is_up_has_its_disks_ready() -> None:
    snapshot = replace(_ready(), nodes={"node-1": _node(disk=_conditions(Ready="False"))})
    expected = [
        "disk /mnt/longhorn-sdb of node node-1: not Ready (why)",
        "disk /mnt/longhorn-sdb of node node-1: not Schedulable yet",
    ]
    assert _missing(snapshot, closed=["node-1"]) == expected


def test_a_disk_that_takes_no_replicas_need_not_be_schedulable() -> None:
    conditions = _conditions(Ready="True", Schedulable="False")
    snapshot = replace(_ready(), nodes={"node-1": _node(allow=False, disk=conditions)})
    assert _missing(snapshot) == []


def test_nodes_that_the_stack_does_not_list_do_not_count() -> None:
    nodes = {"node-1": _node(), "stranger": _node(ready="False")}
    assert _missing(replace(_ready(), nodes=nodes)) == []


@pytest.mark.parametrize("version", ["v1.5.4", "v1.6.4", None, "master-head"])
def test_longhorn_must_say_that_it_is_the_wanted_version(version: str | None) -> None:
    (line,) = _missing(_saying(version))
    assert line.startswith("Longhorn 1.5.3 (it says")
    assert (version or "none yet") in line


def test_a_build_of_ones_own_of_the_wanted_version_counts() -> None:
    assert _missing(_saying("v1.5.3-own.1")) == []


def test_a_csi_driver_of_the_version_before_is_missing() -> None:
    manager, plugin, engine = _daemon_sets()
    old = replace(plugin, images=["longhornio/longhorn-manager:v1.5.2"])
    (line,) = _missing(replace(_ready(), daemon_sets=[manager, old, engine]))
    assert line == f"DaemonSet longhorn-csi-plugin with the image {_MANAGER_IMAGE}"


def test_the_engine_of_the_version_before_alone_is_not_enough() -> None:
    manager, plugin, engine = _daemon_sets()
    old = replace(engine, name="engine-image-ei-old", images=["longhornio/longhorn-engine:v1.5.2"])
    (line,) = _missing(replace(_ready(), daemon_sets=[manager, plugin, old]))
    assert _ENGINE_IMAGE in line
    assert _missing(replace(_ready(), daemon_sets=[manager, plugin, old, engine])) == []


def test_an_engine_image_in_another_daemon_set_is_not_enough() -> None:
    manager, plugin, engine = _daemon_sets()
    manager = replace(manager, images=[_MANAGER_IMAGE, _ENGINE_IMAGE])
    old = replace(engine, images=["longhornio/longhorn-engine:v1.5.2"])
    (line,) = _missing(replace(_ready(), daemon_sets=[manager, plugin, old]))
    assert line == f"DaemonSet engine-image-… with the image {_ENGINE_IMAGE}"


@pytest.mark.parametrize("arguments", [(), ("daemon", "--engine-image")])
def test_a_manager_that_names_no_engine_needs_any(arguments: tuple[str, ...]) -> None:
    manager, plugin, engine = _daemon_sets()
    manager = replace(manager, arguments=arguments)
    assert _missing(replace(_ready(), daemon_sets=[manager, plugin, engine])) == []
    without = _missing(replace(_ready(), daemon_sets=[manager, plugin]))
    assert without == ["DaemonSet engine-image-…"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"message": "kubelet is down", "reason": "NotReady"}, "kubelet is down"),
        ({"message": "", "reason": "NotReady"}, "NotReady"),
        ({}, "no reason given"),
    ],
)
def test_the_reason_is_that_of_the_condition_which_is_not_true(
    words: dict[str, str], reason: str
) -> None:
    node = _node()
    node["status"]["conditions"] = [
        {"type": "MountPropagation", "status": "True", "message": "all fine"},
        {"type": "Ready", "status": "False", **words},
    ]
    (line,) = _missing(replace(_ready(), nodes={"node-1": node}))
    assert line == f"node node-1: not Ready ({reason})"


def _with(snapshot: Snapshot, name: str, **numbers: int) -> Snapshot:
    """This workload with other numbers of pods."""
    return replace(
        snapshot,
        daemon_sets=[
            replace(each, **numbers) if each.name == name else each for each in snapshot.daemon_sets
        ],
        deployments=[
            replace(each, **numbers) if each.name == name else each for each in snapshot.deployments
        ],
    )


def test_of_a_longhorn_that_runs_nothing_is_gone_stopped_or_unready() -> None:
    assert gone_parts(_ready()) == []
    assert stopped(_ready()) == []
    assert unready_workloads(_ready()) == []
    assert not is_newer(_ready(), "1.5.3")


@pytest.mark.parametrize("name", _DEPLOYMENTS[:4])
def test_a_deployment_of_the_csi_driver_that_is_gone_or_stopped_is_told(name: str) -> None:
    snapshot = _ready()
    left = [workload for workload in snapshot.deployments if workload.name != name]
    assert gone_parts(replace(snapshot, deployments=left)) == [f"Deployment {name} is gone"]
    idle = _with(snapshot, name, wanted=0, ready=0)
    assert gone_parts(idle) == [f"Deployment {name} is scaled to 0"]
    assert stopped(idle) == []


@pytest.mark.parametrize("name", _DEPLOYMENTS[4:])
def test_a_deployment_of_the_chart_that_is_stopped_is_the_releases(name: str) -> None:
    idle = _with(_ready(), name, wanted=0, ready=0)
    assert stopped(idle) == [f"Deployment {name} is scaled to 0"]
    assert gone_parts(idle) == []


def test_the_plugin_and_the_registration_of_the_csi_driver_that_are_gone_are_told() -> None:
    snapshot = replace(_ready(), daemon_sets=[], has_driver=False)
    said = ["DaemonSet longhorn-csi-plugin is gone", "CSIDriver driver.longhorn.io is gone"]
    assert gone_parts(snapshot) == said


@pytest.mark.parametrize(
    ("running", "newer"),
    [
        ("v1.6.2", True),
        ("v1.5.4-of-ours", True),
        ("v1.5.3-of-ours", False),
        ("v1.5.2", False),
        (None, False),
        ("master", False),
    ],
)
def test_a_later_version_is_known_from_an_earlier_one_and_a_build_of_the_same(
    running: str | None, newer: bool
) -> None:
    assert is_newer(_saying(running), "1.5.3") is newer


@pytest.mark.parametrize("name", [*_DAEMON_SETS, *_DEPLOYMENTS])
def test_a_workload_of_which_pods_are_not_ready_is_told(name: str) -> None:
    (line,) = unready_workloads(_with(_ready(), name, wanted=3, ready=1))
    assert line.endswith(f" {name} (1 of 3 pods ready)")


def test_somebody_elses_pods_and_those_of_hosts_that_are_down_for_maintenance_are_not_told() -> (
    None
):
    other = Workload(name="instance-of-somebody", wanted=3, ready=0)
    assert unready_workloads(replace(_ready(), deployments=[other])) == []
    down = _with(replace(_ready(), nodes={}), "longhorn-manager", ready=2)
    assert unready_workloads(down, ["node-1"]) == []
    assert unready_workloads(down) == ["DaemonSet longhorn-manager (2 of 3 pods ready)"]
