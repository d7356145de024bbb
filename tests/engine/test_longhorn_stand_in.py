"""After Longhorn's chart is installed in the lab, what Longhorn itself would create appears."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from kubernetes.client import AppsV1Api, BatchV1Api, CoreV1Api, CustomObjectsApi, StorageV1Api
from kubernetes.client.exceptions import ApiException

from lab.common.waiting import wait_until
from tests.engine import longhorn_chart
from tests.engine.conftest import WORKERS, Cluster
from tests.engine.longhorn_chart import NAMESPACE

pytestmark = pytest.mark.engine

_SECONDS = 60.0

T = TypeVar("T")


def _eventually(condition: Callable[[], T | None], what: str) -> T:
    return wait_until(condition, doing=what, seconds=_SECONDS)


@pytest.fixture(scope="module")
def longhorn(cluster: Cluster) -> Cluster:
    """The cluster with the chart installed."""
    longhorn_chart.install(cluster.client)
    return cluster


def _nodes(cluster: Cluster) -> dict[str, Any]:
    listed = CustomObjectsApi(cluster.client).list_namespaced_custom_object(
        "longhorn.io", "v1beta2", NAMESPACE, "nodes"
    )
    return {item["metadata"]["name"]: item for item in listed["items"]}


def _patch_disks(cluster: Cluster, node: str, disks: dict[str, Any]) -> None:
    CustomObjectsApi(cluster.client).patch_namespaced_custom_object(
        "longhorn.io", "v1beta2", NAMESPACE, "nodes", node, {"spec": {"disks": disks}}
    )


def _ready_disks(cluster: Cluster, node: str) -> list[str]:
    item = _nodes(cluster).get(node, {})
    status = item.get("status", {}).get("diskStatus", {})
    return sorted(
        item["spec"]["disks"][name]["path"]
        for name, disk in status.items()
        if name in item["spec"]["disks"]
        and all(condition["status"] == "True" for condition in disk["conditions"])
    )


def _configure(cluster: Cluster, node: str, *paths: str) -> None:
    asked = json.dumps([{"path": path, "allowScheduling": True} for path in paths])
    metadata = {
        "labels": {"node.longhorn.io/create-default-disk": "config"},
        "annotations": {"node.longhorn.io/default-disks-config": asked},
    }
    CoreV1Api(cluster.client).patch_node(node, {"metadata": metadata})


def test_the_csi_driver_is_deployed(longhorn: Cluster) -> None:
    apps = AppsV1Api(longhorn.client)

    def ready() -> set[str]:
        deployments: list[Any] = apps.list_namespaced_deployment(NAMESPACE).items
        daemon_sets: list[Any] = apps.list_namespaced_daemon_set(NAMESPACE).items
        return {
            *(item.metadata.name for item in deployments if item.status.ready_replicas),
            *(item.metadata.name for item in daemon_sets if item.status.number_ready == 3),
        }

    wanted = {
        "csi-attacher",
        "csi-provisioner",
        "csi-resizer",
        "csi-snapshotter",
        "longhorn-csi-plugin",
        "engine-image-ei-68f17757",
    }
    _eventually(lambda: wanted <= ready(), "Longhorn's workloads are ready")
    drivers: list[Any] = StorageV1Api(longhorn.client).list_csi_driver().items
    assert [driver.metadata.name for driver in drivers] == ["driver.longhorn.io"]


def test_the_storage_class_is_the_one_of_the_charts_config_map(longhorn: Cluster) -> None:
    storage = StorageV1Api(longhorn.client)

    def found() -> Any:
        classes: list[Any] = storage.list_storage_class().items
        return next((item for item in classes if item.metadata.name == "longhorn"), None)

    storage_class = _eventually(found, "StorageClass longhorn")
    assert storage_class.parameters == {"numberOfReplicas": "3"}


def test_only_nodes_that_a_manager_runs_on_are_longhorns(longhorn: Cluster) -> None:
    _eventually(lambda: set(_nodes(longhorn)) == set(WORKERS), "the workers, not the tainted node")


def test_an_annotated_node_gets_its_disks_and_reports_them_ready(longhorn: Cluster) -> None:
    _configure(longhorn, "node-1", "/mnt/longhorn-sdb", "/mnt/longhorn-sdc")
    _eventually(
        lambda: _ready_disks(longhorn, "node-1") == ["/mnt/longhorn-sdb", "/mnt/longhorn-sdc"],
        "both disks are ready",
    )


def test_an_annotation_that_changes_later_is_not_read_again(longhorn: Cluster) -> None:
    _configure(longhorn, "node-2", "/mnt/first")
    _eventually(lambda: _ready_disks(longhorn, "node-2") == ["/mnt/first"], "the first disk")
    _configure(longhorn, "node-2", "/mnt/first", "/mnt/second")
    _patch_disks(longhorn, "node-2", {"third": {"path": "/mnt/third", "allowScheduling": True}})
    _eventually(
        lambda: _ready_disks(longhorn, "node-2") == ["/mnt/first", "/mnt/third"],
        "the disk that was added to the node itself",
    )


def test_a_disk_that_takes_replicas_can_not_be_removed(longhorn: Cluster) -> None:
    _configure(longhorn, "node-3", "/mnt/only")
    _eventually(lambda: _ready_disks(longhorn, "node-3") == ["/mnt/only"], "the disk")
    name = next(iter(_nodes(longhorn)["node-3"]["spec"]["disks"]))
    with pytest.raises(ApiException) as refused:
        _patch_disks(longhorn, "node-3", {name: None})
    assert refused.value.status == 422
    assert "scheduling is disabled" in str(refused.value.body)
    _patch_disks(longhorn, "node-3", {name: {"allowScheduling": False}})
    _patch_disks(longhorn, "node-3", {name: None})
    assert _nodes(longhorn)["node-3"]["spec"]["disks"] == {}


def _job_ended(cluster: Cluster, how: str) -> bool:
    job: Any = BatchV1Api(cluster.client).read_namespaced_job("longhorn-uninstall", NAMESPACE)
    return any(
        found.type == how and found.status == "True" for found in job.status.conditions or []
    )


def test_uninstalling_needs_the_confirmation_and_then_leaves_nothing(longhorn: Cluster) -> None:
    batch, storage = BatchV1Api(longhorn.client), StorageV1Api(longhorn.client)
    longhorn_chart.start_uninstall_job(longhorn.client)
    _eventually(lambda: _job_ended(longhorn, "Failed"), "the Job fails without confirmation")
    assert set(_nodes(longhorn)) == set(WORKERS), "and nothing was removed"

    batch.delete_namespaced_job("longhorn-uninstall", NAMESPACE, propagation_policy="Background")
    longhorn_chart.confirm_deletion(longhorn.client)
    custom = CustomObjectsApi(longhorn.client)

    def confirmed() -> bool:
        flag: Any = custom.get_namespaced_custom_object(
            "longhorn.io", "v1beta2", NAMESPACE, "settings", "deleting-confirmation-flag"
        )
        return flag["value"] == "true"

    _eventually(confirmed, "the setting follows the ConfigMap")
    longhorn_chart.start_uninstall_job(longhorn.client)
    _eventually(lambda: _job_ended(longhorn, "Complete"), "the Job succeeds")
    assert _nodes(longhorn) == {}
    assert not storage.list_csi_driver().items
    apps = AppsV1Api(longhorn.client)
    _eventually(
        lambda: not apps.list_namespaced_daemon_set(NAMESPACE).items, "no DaemonSet is left"
    )
