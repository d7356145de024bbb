"""What longhorn-driver-deployer and the manager create in the cluster besides Longhorn's objects.

Owns the StorageClass `longhorn`, the CSI driver's object and workloads and the engine image.
"""

from typing import Any

import yaml
from kubernetes.client import ApiClient, AppsV1Api, StorageV1Api
from kubernetes.client.exceptions import ApiException

from lab.common.progress import say
from lab.longhorn.manager_stand_in import workloads
from lab.longhorn.manager_stand_in.api import LONGHORN, LonghornApi, Object

STORAGE_CLASS = "longhorn"
CLASS_CONFIG_MAP = "longhorn-storageclass"
ENGINE_IMAGES = "engineimages"
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


def reconcile_csi(client: ApiClient, namespace: str, deployer: Any, where: Any) -> None:
    """The CSI driver's object, its DaemonSet and its helpers.

    Args:
        client: the cluster.
        namespace: Longhorn's namespace.
        deployer: the container of longhorn-driver-deployer, with its command and environment.
        where: the placement of workloads.
    """
    apps, storage = AppsV1Api(client), StorageV1Api(client)
    environment = {found.name: found.value for found in deployer.env or [] if found.value}
    for name in workloads.HELPERS:
        manifest = workloads.csi_helper_deployment(name, environment, where)
        _ensure_workload(apps, namespace, manifest)
    manager_image = argument(deployer.command, "--manager-image")
    _ensure_workload(apps, namespace, workloads.csi_plugin_daemon_set(manager_image, where))
    if all(item.metadata.name != workloads.DRIVER for item in storage.list_csi_driver().items):
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


def _ensure_workload(apps: AppsV1Api, namespace: str, manifest: Object) -> None:
    name = manifest["metadata"]["name"]
    create = (
        apps.create_namespaced_daemon_set
        if manifest["kind"] == "DaemonSet"
        else apps.create_namespaced_deployment
    )
    patch = (
        apps.patch_namespaced_daemon_set
        if manifest["kind"] == "DaemonSet"
        else apps.patch_namespaced_deployment
    )
    try:
        create(namespace, manifest)
        say(f"created {manifest['kind']} {name}")
    except ApiException as error:
        if error.status != 409:
            raise
        # Images, replicas and tolerations follow the chart's values, also after an upgrade.
        patch(name, namespace, manifest)
