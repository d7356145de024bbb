"""Runs the stand-in until it is told to end: python -m lab.longhorn.manager_stand_in KUBECONFIG."""

import signal
import sys
import threading
import time
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from lab.common import claims, played_pods
from lab.common.progress import say
from lab.longhorn.manager_stand_in import (
    admission,
    backup_target,
    backups,
    driver,
    nodes,
    settings,
    uninstall,
    volumes,
    workloads,
)
from lab.longhorn.manager_stand_in.api import LonghornApi
from lab.longhorn.played_volumes import jobs

_PERIOD_SECONDS = 1.0
# It looks at everything again each time, so that there is no event that it could miss; but not
# where nothing in the cluster has changed, unless what it asks of hosts may have.
_HOSTS_SECONDS = 5.0
_MANAGER = "longhorn-manager"
_DEPLOYER = driver.DriverDeployer()


def main() -> None:
    """Look every second until SIGTERM."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    say("stand-in for longhorn-manager: it replicates no data; real clusters never see it")
    with new_client_from_config(sys.argv[1]) as client:
        seen, due = "", 0.0
        while not done.wait(_PERIOD_SECONDS):
            now = revision(client)
            if now and now == seen and time.monotonic() < due:
                continue
            seen, due = now, time.monotonic() + _HOSTS_SECONDS
            for task in (reconcile_claims, run_jobs, uninstall.reconcile, reconcile_longhorn):
                try:
                    task(client)
                except ApiException as error:
                    # 404 and 409: the object changed under our hands; the next round sees how.
                    if error.status not in (404, 409):
                        say(f"{task.__module__}.{task.__name__}: {error.status} {error.body}")
                except HTTPError as error:
                    say(f"the Kubernetes API does not answer: {error}")


def revision(client: ApiClient) -> str:
    """What changes whenever any object in the cluster does; empty where there is no answer.

    The resource version of a list is that of the whole store.
    """
    try:
        listed: Any = CoreV1Api(client).list_namespace(limit=1)
    except (ApiException, HTTPError):
        return ""
    return str(listed.metadata.resource_version or "")


def reconcile_claims(client: ApiClient) -> None:
    """What the CSI provisioner does, with volumes in Longhorn behind it."""
    claims.reconcile(client, volumes.ClaimedVolumes(client))


def run_jobs(client: ApiClient) -> None:
    """What kubelets do with Job pods that mount a volume."""
    jobs.reconcile(client, volumes.ClaimedVolumes(client).is_attachable)


def reconcile_longhorn(client: ApiClient) -> None:
    """What the managers and the driver deployer do, once the chart has brought them."""
    apps = AppsV1Api(client)
    managers: list[Any] = apps.list_daemon_set_for_all_namespaces(
        label_selector=f"app={_MANAGER}"
    ).items
    for manager in managers:
        if manager.metadata.deletion_timestamp is None:
            _reconcile_installation(client, manager)


def _reconcile_installation(client: ApiClient, manager: Any) -> None:
    core, apps = CoreV1Api(client), AppsV1Api(client)
    namespace = manager.metadata.namespace
    image: str = manager.spec.template.spec.containers[0].image
    with_manager = _nodes_with_manager(core, namespace, image)
    if not with_manager:
        return
    admission.reconcile(client)
    api = LonghornApi(client, namespace)
    config_maps: dict[str, Any] = {
        item.metadata.name: item for item in core.list_namespaced_config_map(namespace).items
    }
    values = settings.reconcile(api, config_maps.get(settings.CONFIG_MAP), image)
    kubernetes_nodes: list[Any] = core.list_node().items
    nodes.reconcile(
        api, {node.metadata.name: node for node in kubernetes_nodes}, with_manager, values
    )
    volumes.reconcile(api, core, values, with_manager)
    backups.reconcile(api, backup_target.reconcile(api, core, values))
    if driver.CLASS_CONFIG_MAP in config_maps:
        driver.reconcile_storage_class(client, config_maps[driver.CLASS_CONFIG_MAP])
    where = workloads.placement(values)
    command = manager.spec.template.spec.containers[0].command
    driver.reconcile_engine_image(api, apps, driver.argument(command, "--engine-image"), where)
    deployers: list[Any] = apps.list_namespaced_deployment(
        namespace, field_selector="metadata.name=longhorn-driver-deployer"
    ).items
    for deployer in deployers:
        _DEPLOYER.reconcile(client, deployer, where)


def _nodes_with_manager(core: CoreV1Api, namespace: str, image: str) -> set[str]:
    """The nodes with a manager's pod, which serves at once where it is only played.

    None while a pod of another image is left: new managers wait for the old ones of all nodes
    to end (longhorn-manager 1.5.3, upgrade/upgrade.go).
    """
    pods = [
        pod
        for pod in played_pods.listed(core, f"app={_MANAGER}")
        if pod.metadata.namespace == namespace
    ]
    for pod in pods:
        played_pods.set_ready(core, pod, ready=True)
    if any(pod.spec.containers[0].image != image for pod in pods):
        return set()
    return {pod.spec.node_name for pod in pods}


if __name__ == "__main__":
    main()
