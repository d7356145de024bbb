"""What Longhorn's chart brings, cut down to what its managers need, for tests of the stand-in."""

from typing import Any

from kubernetes.client import ApiClient, ApiextensionsV1Api, AppsV1Api, BatchV1Api, CoreV1Api

NAMESPACE = "longhorn-system"
_IMAGE = "longhornio/longhorn-manager:v1.5.3"
_KINDS = {"Node": "nodes", "Setting": "settings", "EngineImage": "engineimages"}
_CLASS = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: longhorn
  annotations:
    storageclass.kubernetes.io/is-default-class: "true"
provisioner: driver.longhorn.io
reclaimPolicy: Delete
parameters:
  numberOfReplicas: "3"
"""


def install(client: ApiClient) -> None:
    """Create the definitions, the ConfigMaps and the two workloads."""
    core, apps = CoreV1Api(client), AppsV1Api(client)
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    core.create_namespaced_service_account(
        NAMESPACE, {"metadata": {"name": "longhorn-service-account"}}
    )
    for kind, plural in _KINDS.items():
        ApiextensionsV1Api(client).create_custom_resource_definition(definition(kind, plural))
    core.create_namespaced_config_map(
        NAMESPACE,
        {
            "metadata": {"name": "longhorn-storageclass"},
            "data": {"storageclass.yaml": _CLASS},
        },
    )
    core.create_namespaced_config_map(NAMESPACE, _settings(confirmed=False))
    manager = ["longhorn-manager", "daemon", "--engine-image", "longhornio/longhorn-engine:v1.5.3"]
    apps.create_namespaced_daemon_set(NAMESPACE, _workload("longhorn-manager", manager))
    deployer = ["longhorn-manager", "deploy-driver", "--manager-image", _IMAGE]
    apps.create_namespaced_deployment(NAMESPACE, _workload("longhorn-driver-deployer", deployer))


def confirm_deletion(client: ApiClient) -> None:
    """What an upgrade with defaultSettings.deletingConfirmationFlag changes."""
    CoreV1Api(client).replace_namespaced_config_map(
        "longhorn-default-setting", NAMESPACE, _settings(confirmed=True)
    )


def start_uninstall_job(client: ApiClient) -> None:
    """What the chart's pre-delete hook creates."""
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": "longhorn-service-account",
        "containers": [{"name": "longhorn-uninstall", "image": _IMAGE}],
    }
    BatchV1Api(client).create_namespaced_job(
        NAMESPACE,
        {
            "metadata": {"name": "longhorn-uninstall"},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        },
    )


def _settings(*, confirmed: bool) -> dict[str, Any]:
    lines = [
        "create-default-disk-labeled-nodes: true",
        f"deleting-confirmation-flag: {str(confirmed).lower()}",
    ]
    return {
        "metadata": {"name": "longhorn-default-setting"},
        "data": {"default-setting.yaml": "\n".join(lines)},
    }


def _workload(name: str, command: list[str]) -> dict[str, Any]:
    labels = {"app": name}
    pod = {
        "serviceAccountName": "longhorn-service-account",
        "containers": [{"name": name, "image": _IMAGE, "command": command}],
    }
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def definition(kind: str, plural: str) -> dict[str, Any]:
    """The definition of one of Longhorn's kinds, which takes any object."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version: dict[str, Any] = {
        "name": "v1beta2",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    if kind != "Setting":
        version["subresources"] = {"status": {}}
    return {
        "metadata": {"name": f"{plural}.longhorn.io"},
        "spec": {
            "group": "longhorn.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
        },
    }
