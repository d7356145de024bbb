"""Longhorn's nodes: one object for each Kubernetes node that a manager runs on, with its disks.

Source: Longhorn manager 1.5.3, controller/node_controller.go, kubernetes_node_controller.go and
datastore/longhorn.go (CreateDefaultNode).
"""

import os
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

from lab.common import paths
from lab.common.progress import say
from lab.hosts import process as host_process
from lab.longhorn.manager_stand_in import disks
from lab.longhorn.manager_stand_in.api import LonghornApi, Object

PLURAL = "nodes"
# Where a node has no host: there is nothing to look at, so every path is a disk of its own.
_IMAGINED_BYTES = 100 * 1024**3


def reconcile(
    api: LonghornApi,
    kubernetes_nodes: Mapping[str, Any],
    with_manager: Set[str],
    settings: Mapping[str, str],
) -> None:
    """Bring nodes.longhorn.io up to date.

    Args:
        api: Longhorn's objects.
        kubernetes_nodes: the cluster's nodes by name.
        with_manager: the names of those on which a longhorn-manager pod is Ready.
        settings: Longhorn's settings.
    """
    existing = api.by_name(PLURAL)
    replicas = _replicas_by_disk(api)
    for name, item in existing.items():
        if name not in kubernetes_nodes or "deletionTimestamp" in item["metadata"]:
            api.delete(PLURAL, item)
    for name, kubernetes_node in kubernetes_nodes.items():
        item = existing.get(name)
        has_manager = name in with_manager and not is_off(name)
        if item is None and has_manager:
            item = api.create(PLURAL, "Node", name, {"spec": new_spec(name, settings)})
            say(f"created nodes.longhorn.io {name}")
        if item is not None and "deletionTimestamp" not in item["metadata"]:
            _update(api, item, kubernetes_node, has_manager, settings, replicas)


def _replicas_by_disk(api: LonghornApi) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, replica in api.by_name("replicas").items():
        spec = replica["spec"]
        found.setdefault(spec.get("diskID", ""), {})[name] = int(spec.get("volumeSize") or 0)
    return found


def is_off(node: str) -> bool:
    """Whether the lab has a host of that name, and it does not run."""
    known = (paths.STATE / "hosts" / node).is_dir()
    return known and host_process.first_process(node) is None


def new_spec(name: str, settings: Mapping[str, str]) -> Object:
    """The spec of a node that Longhorn has not seen before."""
    labeled_only = settings["create-default-disk-labeled-nodes"] == "true"
    return {
        "name": name,
        "allowScheduling": True,
        "evictionRequested": False,
        "instanceManagerCPURequest": 0,
        "tags": [],
        "disks": {} if labeled_only else _default_disk(name, settings),
    }


def disks_for(
    spec: Object, kubernetes_node: Any, settings: Mapping[str, str]
) -> dict[str, Any] | None:
    """The disks to give to a node now, or None to leave them: only a node without any gets some."""
    if settings["create-default-disk-labeled-nodes"] != "true" or spec.get("disks"):
        return None
    metadata = kubernetes_node.metadata
    label = (metadata.labels or {}).get(disks.LABEL, "").lower()
    if label == "true":
        return _default_disk(metadata.name, settings)
    annotation = (metadata.annotations or {}).get(disks.ANNOTATION)
    if label != "config" or annotation is None:
        return None
    try:
        return disks.from_annotation(annotation, lambda path: stat(metadata.name, path)) or None
    except disks.InvalidAnnotationError as error:
        say(f"{metadata.name}: the annotation {disks.ANNOTATION} is refused: {error}")
        return None


def conditions(
    kubernetes_node: Any, has_manager: bool, settings: Mapping[str, str]
) -> list[dict[str, str]]:
    """A node's conditions."""
    ready = disks.condition("Ready", met=True)
    if not has_manager:
        ready = disks.condition("Ready", met=False, reason="ManagerPodMissing")
    for found in kubernetes_node.status.conditions or []:
        if found.type == "Ready" and found.status != "True":
            ready = disks.condition("Ready", met=False, reason="KubernetesNodeNotReady")
    cordoned = (
        kubernetes_node.spec.unschedulable
        and settings["disable-scheduling-on-cordoned-node"] == "true"
    )
    reason = "KubernetesNodeCordoned" if cordoned else ""
    return [
        ready,
        disks.condition("MountPropagation", met=True),
        disks.condition("Schedulable", met=not cordoned, reason=reason),
    ]


def stat(node: str, path: str) -> disks.FileSystem | None:
    """The file system of a path on the lab host of that name, seen from inside the host."""
    first = host_process.first_process(node)
    if first is None:
        identity = f"{crc32(path.encode()):x}"
        uuid = str(uuid5(NAMESPACE_OID, f"{node}:{path}"))
        return disks.FileSystem(identity, _IMAGINED_BYTES, _IMAGINED_BYTES, uuid)
    folder = Path(f"/proc/{first}/root{path}")
    try:
        found = os.statvfs(folder)
        uuid = disks.uuid_in((folder / disks.CONFIG).read_text())
    except (FileNotFoundError, NotADirectoryError):
        if not folder.is_dir():
            return None
        found, uuid = os.statvfs(folder), ""
    return disks.FileSystem(
        identity=f"{found.f_fsid:x}",
        size_bytes=found.f_blocks * found.f_frsize,
        available_bytes=found.f_bavail * found.f_frsize,
        disk_uuid=uuid,
    )


def look(node: str, path: str) -> disks.FileSystem | None:
    """The same, after a UUID was written where there is none, as a manager does blindly.

    None where it can't be written, such as in the empty directory beneath a mount.
    """
    found = stat(node, path)
    if found is None or found.disk_uuid:
        return found
    first = host_process.first_process(node)
    try:
        Path(f"/proc/{first}/root{path}/{disks.CONFIG}").write_text(disks.config_text())
    except OSError:
        return None
    return stat(node, path)


def _update(
    api: LonghornApi,
    item: Object,
    kubernetes_node: Any,
    has_manager: bool,
    settings: Mapping[str, str],
    replicas: Mapping[str, Mapping[str, int]],
) -> None:
    name = item["metadata"]["name"]
    asked = item["spec"].get("disks") or {}
    before = item.get("status") or {}
    known = before.get("diskStatus") or {}
    status = {
        "region": "",
        "zone": "",
        "snapshotCheckStatus": before.get("snapshotCheckStatus") or {},
        "conditions": conditions(kubernetes_node, has_manager, settings),
        "diskStatus": known,
    }
    if has_manager:
        # Only a manager on the node itself looks at its disks.
        status["diskStatus"] = {
            disk: disks.status(
                spec, known.get(disk), lambda path: look(name, path), settings, replicas
            )
            for disk, spec in asked.items()
        }
    if status != before:
        # First: Longhorn takes no change of the disks while their status is behind.
        api.replace_status(PLURAL, {**item, "status": status})
        return
    given = disks_for(item["spec"], kubernetes_node, settings) or disks.completed(asked)
    if has_manager and given != asked:
        api.replace(PLURAL, {**item, "spec": {**item["spec"], "disks": given}})
        say(f"{name}: disks {', '.join(disk['path'] for disk in given.values())}")


def _default_disk(node: str, settings: Mapping[str, str]) -> dict[str, Any]:
    return disks.default_disk(
        settings["default-data-path"],
        int(settings["storage-reserved-percentage-for-default-disk"]),
        lambda path: stat(node, path),
    )
