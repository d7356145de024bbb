"""Pure rules about disks and their description for Longhorn. No Pulumi, no I/O."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from configuration.base import quantity_bytes
from configuration.hosts import DiskSettings

LABEL = "node.longhorn.io/create-default-disk"
ANNOTATION = "node.longhorn.io/default-disks-config"
CONTROL_PLANE_TAINTS = (
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
)


def longhorn_disk(disk: DiskSettings) -> Mapping[str, Any]:
    """The disk as Longhorn's annotation and node object describe it.

    allowScheduling is always written: Longhorn takes an omitted one for false
    (longhorn-manager v1.5.3, types.CreateDisksFromAnnotation).
    """
    description: dict[str, Any] = {
        "name": disk.key,
        "path": disk.mount_point,
        "allowScheduling": disk.allow_scheduling,
    }
    if quantity_bytes(disk.storage_reserved):
        description["storageReserved"] = quantity_bytes(disk.storage_reserved)
    if disk.tags:
        description["tags"] = list(disk.tags)
    return description


def disks_annotation(disks: Iterable[DiskSettings]) -> str:
    """The value of ANNOTATION for these disks: one line of JSON, in the file's order."""
    return json.dumps([longhorn_disk(disk) for disk in disks], separators=(",", ":"))


def taint_toleration() -> str:
    """Longhorn's setting taint-toleration for both control-plane taints."""
    return ";".join(f"{key}=:NoSchedule" for key in CONTROL_PLANE_TAINTS)


def tolerations() -> list[dict[str, str]]:
    """The same for the pods of the chart."""
    return [
        {"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in CONTROL_PLANE_TAINTS
    ]
