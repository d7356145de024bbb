"""The stand-in decides about disks, settings and workloads as Longhorn 1.5.3 does."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lab.longhorn.manager_stand_in import disks, nodes, settings, workloads
from lab.longhorn.manager_stand_in.disks import FileSystem, InvalidAnnotationError

GIB = 1024**3
_HOST = {
    "/mnt/longhorn-sdb": FileSystem("b", GIB, GIB),
    "/mnt/longhorn-sdc": FileSystem("c", GIB, GIB),
    "/": FileSystem("root", GIB, GIB // 2),
    "/mnt/not-mounted": FileSystem("root", GIB, GIB // 2),
}
_SETTINGS = {**settings.DEFAULTS, "create-default-disk-labeled-nodes": "true"}


def _status(path: str, stat: Any, before: Any = None, **replicas: dict[str, int]) -> dict[str, Any]:
    return disks.status({"path": path}, before, stat, settings.DEFAULTS, replicas)


def _disks(*asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return disks.from_annotation(json.dumps(asked), _HOST.get)


def test_the_guides_annotation_makes_two_disks_that_take_replicas() -> None:
    found = _disks(
        {"path": "/mnt/longhorn-sdb", "allowScheduling": True},
        {"path": "/mnt/longhorn-sdc", "allowScheduling": True},
    )
    assert set(found) == {"default-disk-b", "default-disk-c"}
    assert [disk["allowScheduling"] for disk in found.values()] == [True, True]


def test_a_disk_that_does_not_say_so_takes_no_replicas() -> None:
    assert _disks({"path": "/mnt/longhorn-sdb"})["default-disk-b"]["allowScheduling"] is False


def test_tags_are_kept_in_order_and_each_once_whoever_wrote_them() -> None:
    asked = {"path": "/mnt/longhorn-sdb", "tags": ["ssd", "fast", "ssd"]}
    assert _disks(asked)["default-disk-b"]["tags"] == ["fast", "ssd"]
    assert disks.completed({"a": asked})["a"]["tags"] == ["fast", "ssd"]


def test_a_path_that_is_not_mounted_passes_for_the_root_disk() -> None:
    found = _disks({"path": "/mnt/longhorn-sdb"}, {"path": "/mnt/not-mounted"})
    assert "default-disk-root" in found, "Longhorn itself does not notice either"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ([{"path": "/mnt/absent"}], "does not exist"),
        ([{"path": "/"}, {"path": "/mnt/not-mounted"}], "same file system"),
        ([{"name": "a"}], "without a path"),
        ([{"path": "/", "storageReserved": 2 * GIB}], "reserved"),
        (
            [
                {"path": "/mnt/longhorn-sdb", "name": "a"},
                {"path": "/mnt/longhorn-sdc", "name": "a"},
            ],
            "two disks are named a",
        ),
    ],
)
def test_one_bad_disk_loses_the_whole_annotation(asked: list[Any], complaint: str) -> None:
    with pytest.raises(InvalidAnnotationError, match=complaint):
        _disks(*asked)


def _node(label: str | None = None, annotation: str | None = None) -> Any:
    metadata = SimpleNamespace(
        name="node-without-a-host",
        labels={disks.LABEL: label} if label else None,
        annotations={disks.ANNOTATION: annotation} if annotation else None,
    )
    return SimpleNamespace(metadata=metadata)


_TWO = json.dumps([{"path": "/mnt/a"}, {"path": "/mnt/b"}])


def test_a_labeled_node_without_disks_gets_those_of_its_annotation() -> None:
    given = nodes.disks_for({}, _node(label="config", annotation=_TWO), _SETTINGS)
    assert given is not None
    assert sorted(disk["path"] for disk in given.values()) == ["/mnt/a", "/mnt/b"]


@pytest.mark.parametrize(
    ("spec", "node", "values"),
    [
        ({"disks": {"x": {}}}, _node(label="config", annotation=_TWO), _SETTINGS),
        ({}, _node(annotation=_TWO), _SETTINGS),
        ({}, _node(label="something", annotation=_TWO), _SETTINGS),
        ({}, _node(label="config"), _SETTINGS),
        ({}, _node(label="config", annotation="{"), _SETTINGS),
        ({}, _node(label="config", annotation=_TWO), settings.DEFAULTS),
    ],
    ids=["has disks", "no label", "other label", "no annotation", "bad JSON", "setting off"],
)
def test_the_annotation_is_left_alone_otherwise(
    spec: dict[str, Any], node: Any, values: dict[str, str]
) -> None:
    assert nodes.disks_for(spec, node, values) is None


def _met(status: dict[str, Any]) -> dict[str, str]:
    return {found["type"]: found["status"] for found in status["conditions"]}


def test_a_mounted_disk_is_ready_and_schedulable() -> None:
    status = _status("/mnt/longhorn-sdb", _HOST.get)
    assert _met(status) == {"Ready": "True", "Schedulable": "True"}
    assert status["storageMaximum"] == GIB


def _mounted(uuid: str, identity: str = "b") -> Any:
    return lambda _path: FileSystem(identity, GIB, GIB, uuid)


def test_a_disk_whose_file_system_has_another_uuid_is_not_ready() -> None:
    before = _status("/mnt/x", _mounted("u1"))
    after = _status("/mnt/x", _mounted("u2"), before)
    assert _met(after) == {"Ready": "False", "Schedulable": "False"}
    assert "record diskUUID doesn't match the one on the disk" in after["conditions"][0]["message"]
    assert after["conditions"][0]["reason"] == "DiskFilesystemChanged"
    assert after["diskUUID"] == before["diskUUID"], "so that the old one is recognized again"


def test_a_file_system_is_known_by_what_longhorn_wrote_into_it_and_not_by_its_own_id() -> None:
    before = _status("/mnt/x", _mounted("u1", "b"))
    assert _met(_status("/mnt/x", _mounted("u1", "c"), before))["Ready"] == "True"


def test_an_empty_file_system_gets_a_random_uuid() -> None:
    first, second = disks.uuid_in(disks.config_text()), disks.uuid_in(disks.config_text())
    assert first
    assert first != second


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_config_that_cannot_be_read_has_no_uuid(text: str) -> None:
    assert disks.uuid_in(text) == ""


def test_a_nearly_full_disk_is_ready_but_takes_no_more() -> None:
    status = _status("/x", lambda _: FileSystem("b", GIB, GIB // 5))
    assert _met(status) == {"Ready": "True", "Schedulable": "False"}


def test_replicas_count_on_the_disk_that_holds_them_as_long_as_it_can_be_read() -> None:
    on_it = {"u1": {"r1": 10, "r2": 20}, "another": {"r3": 1}}
    status = _status("/x", _mounted("u1"), **on_it)
    assert status["scheduledReplica"] == {"r1": 10, "r2": 20}
    assert status["storageScheduled"] == 30
    gone = _status("/x", lambda _: None, status, **on_it)
    assert (gone["scheduledReplica"], gone["storageScheduled"]) == ({}, 0)


def test_a_disk_that_has_promised_all_its_space_takes_no_more() -> None:
    status = _status("/x", _mounted("u1"), u1={"r1": 2 * GIB})
    assert _met(status)["Schedulable"] == "False"


def test_the_charts_values_stay_text() -> None:
    text = "create-default-disk-labeled-nodes: true\ndefault-replica-count: 2\n\n"
    assert settings.customized({"default-setting.yaml": text}) == {
        "create-default-disk-labeled-nodes": "true",
        "default-replica-count": "2",
    }


def test_workloads_tolerate_what_the_setting_says() -> None:
    values = {**settings.DEFAULTS, "taint-toleration": "a=b:NoSchedule; c:NoExecute;:"}
    assert workloads.placement(values).tolerations == [
        {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
        {"key": "c", "operator": "Exists", "effect": "NoExecute"},
        {"operator": "Exists"},
    ]


def test_the_csi_helpers_follow_the_driver_deployer() -> None:
    where = workloads.placement(settings.DEFAULTS)
    environment = {"CSI_ATTACHER_REPLICA_COUNT": "1", "CSI_ATTACHER_IMAGE": "mirror/attacher:1"}
    attacher = workloads.csi_helper_deployment("csi-attacher", environment, where)
    assert attacher["spec"]["replicas"] == 1
    containers = attacher["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in containers] == ["mirror/attacher:1"]
    resizer = workloads.csi_helper_deployment("csi-resizer", environment, where)
    assert resizer["spec"]["replicas"] == 3


def test_an_engine_image_has_longhorns_own_name() -> None:
    # As it is in listings of clusters that run Longhorn 1.5.3.
    assert workloads.engine_image_name("longhornio/longhorn-engine:v1.5.3") == "ei-68f17757"
