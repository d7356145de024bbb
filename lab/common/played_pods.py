"""The status of pods that something in the lab plays: kwok starts them and leaves the rest open.

Whoever plays longhorn-manager says through this module when a pod is ready and how it ended.
"""

from typing import Any

from kubernetes.client import CoreV1Api


def listed(core: CoreV1Api, selector: str) -> list[Any]:
    """The pods with these labels, of any namespace, that run and are not being deleted."""
    pods: list[Any] = core.list_pod_for_all_namespaces(label_selector=selector).items
    return [
        pod
        for pod in pods
        if pod.status.phase == "Running" and pod.metadata.deletion_timestamp is None
    ]


def is_ready(pod: Any) -> bool:
    """Whether the pod's condition Ready is true."""
    return any(
        condition.type == "Ready" and condition.status == "True"
        for condition in pod.status.conditions or []
    )


def set_ready(core: CoreV1Api, pod: Any, *, ready: bool) -> None:
    """Say whether the pod's containers serve; nothing is written where that is said already."""
    if is_ready(pod) == ready:
        return
    containers = [
        {
            "name": container.name,
            "image": container.image,
            "imageID": "",
            "ready": ready,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": pod.status.start_time}},
        }
        for container in pod.spec.containers
    ]
    text = "True" if ready else "False"
    conditions = [{"type": kind, "status": text} for kind in ("ContainersReady", "Ready")]
    core.patch_namespaced_pod_status(
        pod.metadata.name,
        pod.metadata.namespace,
        {"status": {"conditions": conditions, "containerStatuses": containers}},
    )


def end(core: CoreV1Api, pod: Any, exit_code: int, message: str = "") -> None:
    """Report the pod's containers as ended, with what the last of them said."""
    reason = "Completed" if exit_code == 0 else "Error"
    ended = {"exitCode": exit_code, "reason": reason, "message": message}
    core.patch_namespaced_pod_status(
        pod.metadata.name,
        pod.metadata.namespace,
        {
            "status": {
                "phase": "Succeeded" if exit_code == 0 else "Failed",
                "message": message,
                "containerStatuses": [
                    {
                        "name": container.name,
                        "image": container.image,
                        "imageID": "",
                        "ready": False,
                        "restartCount": 0,
                        "state": {"terminated": ended},
                    }
                    for container in pod.spec.containers
                ],
            }
        },
    )
