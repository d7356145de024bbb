"""Pure rules about disks and their description for Longhorn. No Pulumi, no I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from configuration.base import quantity_bytes
from configuration.hosts import DiskSettings
from configuration.tolerations import TolerationSettings

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


@dataclass(frozen=True, kw_only=True)
class Tolerated:
    """A taint that pods are let onto."""

    key: str
    """Empty for any, as for Kubernetes."""
    effect: str
    """Empty for any."""
    value: str | None
    """None for any value."""


def tolerated_taints(
    listed: Iterable[TolerationSettings], scheduling: str
) -> tuple[Tolerated, ...]:
    """The taints that Longhorn and the volume check tolerate.

    Args:
        listed: longhorn.tolerations.
        scheduling: controlPlane.scheduling; `tolerate` adds the control-plane taints.
    """
    own = CONTROL_PLANE_TAINTS if scheduling == "tolerate" else ()
    return (
        *(Tolerated(key=key, effect="NoSchedule", value=None) for key in own),
        *(Tolerated(key=each.key, effect=each.effect, value=each.value) for each in listed),
    )


def is_tolerated(taint: Mapping[str, str], tolerated: Iterable[Tolerated]) -> bool:
    """Whether a taint (key, effect, value) is among them."""
    return any(
        each.key in ("", taint["key"])
        and each.effect in ("", taint["effect"])
        and each.value in (None, taint.get("value", ""))
        for each in tolerated
    )


def taint_toleration(tolerated: Iterable[Tolerated]) -> str:
    """Longhorn's setting taint-toleration for these: without a value, for any."""
    return ";".join(
        f"{each.key}:{each.effect}"
        if each.value is None
        else f"{each.key}={each.value}:{each.effect}"
        for each in tolerated
    )


def read_taint_toleration(text: str) -> list[Tolerated]:
    """What Longhorn's setting taint-toleration lets its own pods onto."""
    found: list[Tolerated] = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        named, _, effect = part.rpartition(":")
        key, equals, value = named.partition("=")
        found.append(Tolerated(key=key, effect=effect, value=value if equals else None))
    return found


def tolerations(tolerated: Iterable[Tolerated]) -> list[dict[str, str]]:
    """The same for a pod."""
    return [
        {"key": each.key, "operator": "Exists", "effect": each.effect}
        if each.value is None
        else {
            "key": each.key,
            "operator": "Equal",
            "value": each.value,
            "effect": each.effect,
        }
        for each in tolerated
    ]
