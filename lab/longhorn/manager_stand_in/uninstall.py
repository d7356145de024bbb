"""What the pod of the chart's longhorn-uninstall Job does: refuse, or remove Longhorn.

Source: Longhorn manager 1.5.3, controller/uninstall_controller.go. The pod itself is reported as
succeeded or failed from here, since kwok leaves it running.
"""

from collections.abc import Callable
from typing import Any

from kubernetes.client import ApiClient, ApiextensionsV1Api, AppsV1Api, CoreV1Api, StorageV1Api
from kubernetes.client.exceptions import ApiException

from lab.common import played_pods
from lab.common.progress import say
from lab.longhorn.manager_stand_in import admission, settings, workloads
from lab.longhorn.manager_stand_in.api import LONGHORN, MANAGED_BY, LonghornApi
from lab.longhorn.manager_stand_in.driver import STORAGE_CLASS

_JOB = "longhorn-uninstall"
_REFUSAL = (
    "cannot uninstall Longhorn: the setting deleting-confirmation-flag is not true. Set it to "
    "true first, in the chart's values or in Longhorn's user interface."
)


def reconcile(client: ApiClient) -> None:
    """Do the work of every uninstall pod that is running."""
    core = CoreV1Api(client)
    for pod in played_pods.listed(core, f"job-name={_JOB}"):
        _uninstall(client, pod)


def _uninstall(client: ApiClient, pod: Any) -> None:
    core, namespace = CoreV1Api(client), pod.metadata.namespace
    api = LonghornApi(client, namespace)
    flag = api.by_name(settings.PLURAL).get("deleting-confirmation-flag", {})
    if flag.get("value") != "true":
        say(f"{namespace}/{pod.metadata.name}: {_REFUSAL}")
        played_pods.end(core, pod, 1, _REFUSAL)
        return
    say(f"{namespace}/{pod.metadata.name}: removing Longhorn")
    admission.remove(client)
    _delete_workloads(AppsV1Api(client), namespace)
    for kind in _kinds(client):
        for item in api.by_name(kind).values():
            api.delete(kind, item)
    storage = StorageV1Api(client)
    _if_there(lambda: storage.delete_csi_driver(workloads.DRIVER))
    _if_there(lambda: storage.delete_storage_class(STORAGE_CLASS))
    played_pods.end(core, pod, 0)


def _kinds(client: ApiClient) -> list[str]:
    """The plural names of Longhorn's kinds, settings apart: those go with their definition."""
    definitions: list[Any] = ApiextensionsV1Api(client).list_custom_resource_definition().items
    return [
        found.spec.names.plural
        for found in definitions
        if found.spec.group == LONGHORN and found.spec.names.plural != settings.PLURAL
    ]


def _delete_workloads(apps: AppsV1Api, namespace: str) -> None:
    """The managers first: they would make the rest again."""
    _if_there(lambda: apps.delete_namespaced_daemon_set("longhorn-manager", namespace))
    _if_there(lambda: apps.delete_namespaced_deployment("longhorn-driver-deployer", namespace))
    selector = ",".join(f"{key}={value}" for key, value in MANAGED_BY.items())
    apps.delete_collection_namespaced_daemon_set(namespace, label_selector=selector)
    apps.delete_collection_namespaced_deployment(namespace, label_selector=selector)


def _if_there(delete: Callable[[], object]) -> None:
    try:
        delete()
    except ApiException as error:
        if error.status != 404:
            raise
