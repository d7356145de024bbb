"""Runs the real managers until it is told to end: python -m lab.longhorn.manager KUBECONFIG."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from lab.common import claims
from lab.common.progress import LabError, say
from lab.longhorn.manager import choice
from lab.longhorn.manager.pods import Pods
from lab.longhorn.manager_stand_in import driver, settings, workloads
from lab.longhorn.manager_stand_in.api import LonghornApi
from lab.longhorn.played_volumes import jobs

_PERIOD_SECONDS = 1.0
_DEPLOYER = "longhorn-driver-deployer"
_PLAYED = driver.DriverDeployer()


def main() -> None:
    """Look every second until SIGTERM, then end every container."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    program = choice.program()
    say(f"the real longhorn-manager, {program}; volumes and the CSI driver are played")
    with new_client_from_config(sys.argv[1]) as client:
        pods = Pods(program, Path(str(client.configuration.ssl_ca_cert)).read_text())
        try:
            while not done.wait(_PERIOD_SECONDS):
                for task in (pods.reconcile, claims.reconcile, jobs.reconcile, deploy_driver):
                    _try(task, client)
        finally:
            pods.stop()


def deploy_driver(client: ApiClient) -> None:
    """What the pod of longhorn-driver-deployer does, once the managers have made the settings."""
    deployers: list[Any] = (
        AppsV1Api(client)
        .list_deployment_for_all_namespaces(field_selector=f"metadata.name={_DEPLOYER}")
        .items
    )
    for deployer in deployers:
        namespace = deployer.metadata.namespace
        values = {
            name: item.get("value", "")
            for name, item in LonghornApi(client, namespace).by_name(settings.PLURAL).items()
        }
        if set(settings.DEFAULTS) <= set(values):
            _PLAYED.reconcile(client, deployer, workloads.placement(values))


def _try(task: Callable[[ApiClient], None], client: ApiClient) -> None:
    try:
        task(client)
    except ApiException as error:
        # 404 and 409: the object changed under our hands; the next round sees how.
        if error.status not in (404, 409):
            say(f"{task.__qualname__}: {error.status} {error.body}")
    except HTTPError as error:
        say(f"the Kubernetes API does not answer: {error}")
    except LabError as error:
        say(str(error))


if __name__ == "__main__":
    main()
