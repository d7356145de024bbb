"""The workloads that Longhorn starts by itself, as manifests, without any effect.

Source: Longhorn manager 1.5.3, csi/deployment.go, controller/engine_image_controller.go and
types/types.go. Containers are cut down to their name and image: nothing runs them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha512
from typing import Any

from lab.longhorn.manager_stand_in.api import LONGHORN, MANAGED_BY, Object

DRIVER = "driver.longhorn.io"
CSI_PLUGIN = "longhorn-csi-plugin"
_SERVICE_ACCOUNT = "longhorn-service-account"
_HELPERS = {
    "csi-attacher": ("CSI_ATTACHER", "longhornio/csi-attacher:v4.2.0"),
    "csi-provisioner": ("CSI_PROVISIONER", "longhornio/csi-provisioner:v3.4.1"),
    "csi-resizer": ("CSI_RESIZER", "longhornio/csi-resizer:v1.7.0"),
    "csi-snapshotter": ("CSI_SNAPSHOTTER", "longhornio/csi-snapshotter:v6.2.1"),
}
HELPERS = tuple(_HELPERS)


@dataclass(frozen=True)
class Placement:
    """Where Longhorn puts its workloads, as its settings say."""

    tolerations: list[dict[str, str]]
    node_selector: dict[str, str]
    priority_class: str


def placement(settings: Mapping[str, str]) -> Placement:
    """The settings taint-toleration, system-managed-components-node-selector, priority-class."""
    return Placement(
        tolerations=[_toleration(text) for text in _listed(settings["taint-toleration"])],
        node_selector={
            text.partition(":")[0].strip(): text.partition(":")[2].strip()
            for text in _listed(settings["system-managed-components-node-selector"])
        },
        priority_class=settings["priority-class"],
    )


def engine_image_name(image: str) -> str:
    """The name of an engine image's object: ei- and the beginning of a hash."""
    return f"ei-{sha512(image.strip().encode()).hexdigest()[:8]}"


def engine_image_daemon_set(image: str, where: Placement) -> Object:
    """The DaemonSet that brings an engine image to every node."""
    name = engine_image_name(image)
    daemon_set = f"engine-image-{name}"
    labels = {
        **MANAGED_BY,
        f"{LONGHORN}/component": "engine-image",
        f"{LONGHORN}/engine-image": name,
    }
    containers = [{"name": daemon_set, "image": image}]
    return _workload("DaemonSet", daemon_set, labels, labels, containers, where)


def csi_plugin_daemon_set(manager_image: str, where: Placement) -> Object:
    """The CSI driver's part on every node."""
    label = {"app": CSI_PLUGIN}
    containers = [
        {"name": "node-driver-registrar", "image": "longhornio/csi-node-driver-registrar:v2.7.0"},
        {"name": "longhorn-liveness-probe", "image": "longhornio/livenessprobe:v2.9.0"},
        {"name": CSI_PLUGIN, "image": manager_image},
    ]
    return _workload("DaemonSet", CSI_PLUGIN, {**MANAGED_BY, **label}, label, containers, where)


def csi_helper_deployment(name: str, deployer: Mapping[str, str], where: Placement) -> Object:
    """One of the CSI driver's helpers.

    Args:
        name: one of HELPERS.
        deployer: the environment of longhorn-driver-deployer, which names images and replicas.
        where: tolerations and the like.
    """
    variable, usual_image = _HELPERS[name]
    label = {"app": name}
    image = deployer.get(f"{variable}_IMAGE", usual_image)
    manifest = _workload(
        "Deployment",
        name,
        {**MANAGED_BY, **label},
        label,
        [{"name": name, "image": image}],
        where,
    )
    manifest["spec"]["replicas"] = int(deployer.get(f"{variable}_REPLICA_COUNT", "3"))
    return manifest


def _workload(
    kind: str,
    name: str,
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    containers: list[dict[str, str]],
    where: Placement,
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "selector": {"matchLabels": dict(selector)},
            "template": {
                "metadata": {"labels": dict(selector)},
                "spec": {
                    "serviceAccountName": _SERVICE_ACCOUNT,
                    "containers": containers,
                    "tolerations": where.tolerations,
                    "nodeSelector": where.node_selector,
                    "priorityClassName": where.priority_class,
                },
            },
        },
    }


def _listed(setting: str) -> list[str]:
    return [part.strip() for part in setting.split(";") if part.strip()]


def _toleration(text: str) -> dict[str, str]:
    """One toleration of the setting: KEY=VALUE:EFFECT or KEY:EFFECT, KEY and EFFECT optional."""
    before, _, effect = text.rpartition(":")
    key, equals, value = before.partition("=")
    found = {"key": key, "operator": "Equal" if equals else "Exists", "effect": effect}
    if equals:
        found["value"] = value
    return {name: part for name, part in found.items() if part}
