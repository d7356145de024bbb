"""The lab's cluster behaves as a real one does, as far as whoever deploys to it can see."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from kubernetes.client import (
    ApiClient,
    AppsV1Api,
    BatchV1Api,
    Configuration,
    CoreV1Api,
    StorageV1Api,
    VersionApi,
)
from kubernetes.client.exceptions import ApiException

from lab.cluster import kubernetes, nodes
from lab.common.waiting import wait_until
from tests.engine.conftest import CONTROL_PLANE, WORKERS, Cluster

pytestmark = pytest.mark.engine

_SECONDS = 60.0
_CONTAINER = {"name": "main", "image": "registry.invalid/busybox:1"}

T = TypeVar("T")


def _eventually(condition: Callable[[], T | None], what: str) -> T:
    return wait_until(condition, doing=what, seconds=_SECONDS)


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    name = f"test-{uuid4().hex[:8]}"
    CoreV1Api(cluster.client).create_namespace({"metadata": {"name": name}})
    return name


def _bound_claim(cluster: Cluster, namespace: str, name: str, storage_class: str, size: str) -> Any:
    core = CoreV1Api(cluster.client)
    core.create_namespaced_persistent_volume_claim(
        namespace,
        {
            "metadata": {"name": name},
            "spec": {
                "storageClassName": storage_class,
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": size}},
            },
        },
    )

    def bound() -> Any:
        claim: Any = core.read_namespaced_persistent_volume_claim(name, namespace)
        return claim if claim.status.phase == "Bound" else None

    return _eventually(bound, f"claim {name} is bound")


@pytest.fixture
def storage_class(cluster: Cluster) -> str:
    name = f"class-{uuid4().hex[:8]}"
    StorageV1Api(cluster.client).create_storage_class(
        {"metadata": {"name": name}, "provisioner": "driver.longhorn.io"}
    )
    return name


def test_the_server_says_which_release_it_is(cluster: Cluster) -> None:
    version: Any = VersionApi(cluster.client).get_code()
    assert version.git_version == "v1.36.3"
    assert (version.major, version.minor) == ("1", "36")


def test_every_node_is_ready_and_named_after_its_host(cluster: Cluster) -> None:
    assert nodes.ready(CoreV1Api(cluster.client)) == sorted([*WORKERS, *CONTROL_PLANE])


def test_the_control_plane_carries_both_taints_and_the_workers_none(cluster: Cluster) -> None:
    found: list[Any] = CoreV1Api(cluster.client).list_node().items
    taints = {node.metadata.name: node.spec.taints or [] for node in found}
    assert {taint.key for taint in taints[CONTROL_PLANE[0]]} == {
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
    }
    assert [taints[worker] for worker in WORKERS] == [[], [], []]


def test_a_deployment_rolls_out_on_the_workers_alone(cluster: Cluster, namespace: str) -> None:
    labels = {"app": "web"}
    apps = AppsV1Api(cluster.client)
    apps.create_namespaced_deployment(
        namespace,
        {
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 4,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [_CONTAINER]}},
            },
        },
    )

    def available() -> bool:
        deployment: Any = apps.read_namespaced_deployment("web", namespace)
        return deployment.status.available_replicas == 4

    _eventually(available, "four replicas are available")
    pods: list[Any] = CoreV1Api(cluster.client).list_namespaced_pod(namespace).items
    assert {pod.spec.node_name for pod in pods} <= set(WORKERS)
    assert len({pod.status.pod_ip for pod in pods}) == 4, "every pod has an address of its own"


def test_a_job_completes(cluster: Cluster, namespace: str) -> None:
    batch = BatchV1Api(cluster.client)
    pod = {"restartPolicy": "Never", "containers": [_CONTAINER]}
    batch.create_namespaced_job(
        namespace, {"metadata": {"name": "once"}, "spec": {"template": {"spec": pod}}}
    )

    def conditions() -> set[str]:
        job: Any = batch.read_namespaced_job("once", namespace)
        return {found.type for found in job.status.conditions or [] if found.status == "True"}

    _eventually(lambda: "Complete" in conditions(), "the Job is complete")


def test_a_claim_of_one_mebibyte_gets_ten(
    cluster: Cluster, namespace: str, storage_class: str
) -> None:
    claim = _bound_claim(cluster, namespace, "small", storage_class, "1Mi")
    assert claim.status.capacity == {"storage": "10Mi"}


def test_a_volume_goes_when_its_claim_goes(
    cluster: Cluster, namespace: str, storage_class: str
) -> None:
    core = CoreV1Api(cluster.client)
    volume = _bound_claim(cluster, namespace, "short-lived", storage_class, "11Mi").spec.volume_name
    core.delete_namespaced_persistent_volume_claim("short-lived", namespace)

    def gone() -> bool:
        try:
            core.read_persistent_volume(volume)
        except ApiException as error:
            return error.status == 404
        return False

    _eventually(gone, f"{volume} is gone")


def test_a_second_up_leaves_the_running_cluster_alone(cluster: Cluster, namespace: str) -> None:
    again = kubernetes.up([*WORKERS, *CONTROL_PLANE], CONTROL_PLANE)
    assert again == cluster.handle
    assert all(kubernetes.status().processes.values())
    found: list[Any] = CoreV1Api(cluster.client).list_namespace().items
    assert namespace in {item.metadata.name for item in found}, "its data is still there"


def test_a_client_without_a_certificate_may_not_read_anything(cluster: Cluster) -> None:
    configuration = Configuration()
    configuration.host = cluster.handle.server
    configuration.ssl_ca_cert = cluster.client.configuration.ssl_ca_cert
    with ApiClient(configuration) as stranger, pytest.raises(ApiException) as refused:
        CoreV1Api(stranger).list_node()
    assert refused.value.status in (401, 403)
