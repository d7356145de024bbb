"""What longhorn-driver-deployer and the manager create in the cluster besides Longhorn's objects.

Owns the StorageClass `longhorn`, the CSI driver's object and workloads and the engine image.
"""

from typing import Any

import yaml
from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api, StorageV1Api
from kubernetes.client.exceptions import ApiException

from lab.common import played_pods
from lab.common.progress import say
from lab.longhorn.manager_stand_in import workloads
from lab.longhorn.manager_stand_in.api import LONGHORN, LonghornApi, Object

STORAGE_CLASS = "longhorn"
CLASS_CONFIG_MAP = "longhorn-storageclass"
ENGINE_IMAGES = "engineimages"
_NOT_FOUND = 404
_APPLIED = f"{LONGHORN}/last-applied-configmap"


def reconcile_storage_class(client: ApiClient, config_map: Any) -> None:
    """Make the class of the chart's ConfigMap; a changed one is deleted and made again."""
    storage = StorageV1Api(client)
    text = config_map.data["storageclass.yaml"]
    existing: dict[str, Any] = {
        item.metadata.name: item for item in storage.list_storage_class().items
    }
    before = existing.get(STORAGE_CLASS)
    if before is not None:
        if (before.metadata.annotations or {}).get(_APPLIED) == text:
            return
        storage.delete_storage_class(STORAGE_CLASS)
    manifest = yaml.safe_load(text)
    manifest["metadata"].setdefault("annotations", {})[_APPLIED] = text
    storage.create_storage_class(manifest)
    say(f"created StorageClass {STORAGE_CLASS}")


def reconcile_engine_image(api: LonghornApi, apps: AppsV1Api, image: str, where: Any) -> None:
    """The engine image's object and DaemonSet."""
    name = workloads.engine_image_name(image)
    item = api.by_name(ENGINE_IMAGES).get(name)
    if item is None:
        item = api.create(ENGINE_IMAGES, "EngineImage", name, {"spec": {"image": image}})
    if (item.get("status") or {}).get("state") != "deployed":
        status = {"ownerID": "", "state": "deployed", "refCount": 0, "conditions": []}
        api.replace_status(ENGINE_IMAGES, {**item, "status": status})
    _ensure_workload(apps, api.namespace, workloads.engine_image_daemon_set(image, where))


class DriverDeployer:
    """The pod of longhorn-driver-deployer: it makes what is missing when it starts, and once.

    Source: longhorn-manager v1.5.3, app/driver.go and csi/deployment_util.go (deploy).
    """

    def __init__(self) -> None:
        """None has started yet."""
        self._started: set[str] = set()

    def reconcile(self, client: ApiClient, deployer: Any, where: Any) -> None:
        """What the pods of this Deployment do, and the managers to what those have made.

        Args:
            client: the cluster.
            deployer: the Deployment.
            where: the placement of workloads.
        """
        pods = played_pods.listed(CoreV1Api(client), f"app={deployer.metadata.name}")
        running = {pod.metadata.uid for pod in pods}
        if not running or not deployer.status.ready_replicas:
            return
        container = deployer.spec.template.spec.containers[0]
        is_start = bool(running - self._started)
        _reconcile_csi(client, deployer.metadata.namespace, container, where, creates=is_start)
        self._started |= running


def _reconcile_csi(
    client: ApiClient, namespace: str, deployer: Any, where: Any, *, creates: bool
) -> None:
    """The CSI driver's object, its DaemonSet and its helpers.

    Args:
        client: the cluster.
        namespace: Longhorn's namespace.
        deployer: the container of longhorn-driver-deployer, with its command and environment.
        where: the placement of workloads.
        creates: whether what is missing is made.
    """
    apps, storage = AppsV1Api(client), StorageV1Api(client)
    environment = {found.name: found.value for found in deployer.env or [] if found.value}
    for name in workloads.HELPERS:
        manifest = workloads.csi_helper_deployment(name, environment, where)
        _ensure_workload(apps, namespace, manifest, creates=creates)
    manager_image = argument(deployer.command, "--manager-image")
    plugin = workloads.csi_plugin_daemon_set(manager_image, where)
    _ensure_workload(apps, namespace, plugin, creates=creates)
    drivers = {item.metadata.name for item in storage.list_csi_driver().items}
    if creates and workloads.DRIVER not in drivers:
        storage.create_csi_driver(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "CSIDriver",
                "metadata": {"name": workloads.DRIVER},
                "spec": {"podInfoOnMount": True},
            }
        )
        say(f"created CSIDriver {workloads.DRIVER}")


def argument(command: list[str], name: str) -> str:
    """The word after `name` in a container's command."""
    return command[command.index(name) + 1]


def _ensure_workload(
    apps: AppsV1Api, namespace: str, manifest: Object, *, creates: bool = True
) -> None:
    name = manifest["metadata"]["name"]
    is_daemon_set = manifest["kind"] == "DaemonSet"
    create = apps.create_namespaced_deployment
    patch = apps.patch_namespaced_deployment
    if is_daemon_set:
        create, patch = apps.create_namespaced_daemon_set, apps.patch_namespaced_daemon_set
    # Images and tolerations follow the chart's values, also after an upgrade. How many pods there
    # are is left as somebody has set it.
    spec = {key: value for key, value in manifest["spec"].items() if key != "replicas"}
    try:
        patch(name, namespace, {**manifest, "spec": spec})
    except ApiException as error:
        if error.status != _NOT_FOUND:
            raise
        if creates:
            create(namespace, manifest)
            say(f"created {manifest['kind']} {name}")
