"""Longhorn's rules for the disks of a node, without any effect.

Source: Longhorn manager 1.5.3, controller/kubernetes_node_controller.go (syncDefaultDisks),
types/types.go (CreateDisksFromAnnotation) and controller/node_controller.go (disk conditions,
findNotReadyAndReadyDiskMaps: a disk is known again by the UUID in its file system alone).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

LABEL = "node.longhorn.io/create-default-disk"
ANNOTATION = "node.longhorn.io/default-disks-config"
CONFIG = "longhorn-disk.cfg"
_ROUNDED_TO = 100 * 1024 * 1024


@dataclass(frozen=True)
class FileSystem:
    """What a host says of the file system at a path.

    Args:
        identity: the file system's id; two paths on one file system share it.
        size_bytes: its whole size.
        available_bytes: what is free in it.
        disk_uuid: what Longhorn has written into it (CONFIG); empty where it has written nothing.
    """

    identity: str
    size_bytes: int
    available_bytes: int
    disk_uuid: str = ""


# The file system of a path, or None where the path does not exist on that host.
StatFileSystem = Callable[[str], FileSystem | None]


def config_text() -> str:
    """What Longhorn writes into a file system that has no CONFIG: a new random UUID, always.

    Also where a UUID is recorded for the disk already (controller/monitor/disk_utils.go,
    generateFilesystemTypeDiskConfig).
    """
    return json.dumps({"diskUUID": str(uuid4())})


def uuid_in(text: str) -> str:
    """The UUID that a CONFIG holds; empty where it can't be read."""
    try:
        return str(json.loads(text)["diskUUID"])
    except (ValueError, KeyError, TypeError):
        return ""


class InvalidAnnotationError(ValueError):
    """The annotation as a whole is refused; Longhorn logs one line and applies nothing."""


def from_annotation(text: str, stat: StatFileSystem) -> dict[str, dict[str, Any]]:
    """The disks that an annotation asks for, by name, as nodes.longhorn.io holds them.

    Raises InvalidAnnotationError for any fault in any disk: one bad disk loses them all.
    """
    try:
        asked = json.loads(text)
    except ValueError as error:
        raise InvalidAnnotationError(f"not JSON: {error}") from error
    if not isinstance(asked, list):
        raise InvalidAnnotationError("not a list")
    disks: dict[str, dict[str, Any]] = {}
    path_of: dict[str, str] = {}
    for disk in asked:
        path = disk.get("path", "")
        if not path:
            raise InvalidAnnotationError(f"a disk without a path: {disk}")
        found = stat(path)
        if found is None:
            raise InvalidAnnotationError(f"{path} does not exist on the host")
        if found.identity in path_of:
            raise InvalidAnnotationError(
                f"{path} is on the same file system as {path_of[found.identity]}"
            )
        path_of[found.identity] = path
        reserved = disk.get("storageReserved", 0)
        if not 0 <= reserved <= found.size_bytes:
            raise InvalidAnnotationError(
                f"{path}: {reserved} bytes reserved of a disk of {found.size_bytes}"
            )
        name = disk.get("name") or f"default-disk-{found.identity}"
        if name in disks:
            raise InvalidAnnotationError(f"two disks are named {name}")
        disks[name] = {
            "path": path,
            # Left out means false, which is easily overlooked.
            "allowScheduling": disk.get("allowScheduling", False),
            "evictionRequested": disk.get("evictionRequested", False),
            "storageReserved": reserved,
            "tags": _tags(disk),
            "diskType": disk.get("diskType") or "filesystem",
        }
    return disks


def default_disk(path: str, reserved_percent: int, stat: StatFileSystem) -> dict[str, Any]:
    """The one disk that a node gets which is labelled `true`, or not labelled at all."""
    found = stat(path) or FileSystem("0", 0, 0)
    return {
        f"default-disk-{found.identity}": {
            "path": path,
            "allowScheduling": True,
            "evictionRequested": False,
            "storageReserved": found.size_bytes * reserved_percent // 100,
            "tags": [],
            "diskType": "filesystem",
        }
    }


def completed(asked: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Disks of a node as Longhorn's webhook makes them of what somebody wrote.

    Source: webhook/resources/node/mutator.go.
    """
    return {
        name: {
            **disk,
            "diskType": disk.get("diskType") or "filesystem",
            "tags": _tags(disk),
        }
        for name, disk in asked.items()
    }


def status(
    spec: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    stat: StatFileSystem,
    settings: Mapping[str, str],
    replicas: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """The status of one disk.

    Args:
        spec: the disk as nodes.longhorn.io asks for it.
        before: its status so far, None for a new disk; it tells a disk that was swapped.
        stat: reads the host's file systems, each with its UUID.
        settings: Longhorn's settings, of which some limit what a disk takes.
        replicas: by a disk's UUID, the size of each replica on it by its name.
    """
    path = spec["path"]
    found = stat(path)
    known = (before or {}).get("diskUUID", "")
    fault = None
    if found is None:
        fault = ("NoDiskInfo", f"{path} does not exist")
    elif known and known != found.disk_uuid:
        fault = (
            "DiskFilesystemChanged",
            f"Disk {path} is not ready: record diskUUID doesn't match the one on the disk ",
        )
    if fault or found is None:
        reason, message = fault or ("", "")
        return {
            **(before or _empty(spec)),
            "storageScheduled": 0,
            "scheduledReplica": {},
            "conditions": [
                condition("Ready", met=False, reason=reason, message=message),
                condition("Schedulable", met=False, reason="DiskNotReady", message=message),
            ],
        }
    scheduled = dict(replicas.get(found.disk_uuid, {}))
    known_now = {
        **_empty(spec),
        "storageAvailable": found.available_bytes // _ROUNDED_TO * _ROUNDED_TO,
        "storageMaximum": found.size_bytes,
        "storageScheduled": sum(scheduled.values()),
        "scheduledReplica": scheduled,
        "diskUUID": found.disk_uuid,
    }
    enough = has_room(spec, known_now, settings, 0)
    return {
        **known_now,
        "conditions": [
            condition("Ready", met=True, message=f"{path} is ready"),
            condition("Schedulable", met=enough, reason="" if enough else "DiskPressure"),
        ],
    }


def has_room(
    spec: Mapping[str, Any], known: Mapping[str, Any], settings: Mapping[str, str], size_bytes: int
) -> bool:
    """Whether a disk takes a replica of this size (scheduler/replica_scheduler.go)."""
    minimal = int(settings["storage-minimal-available-percentage"])
    promised = int(settings["storage-over-provisioning-percentage"])
    usable = known["storageMaximum"] - spec.get("storageReserved", 0)
    return (
        known["storageAvailable"] > known["storageMaximum"] * minimal // 100
        and known["storageScheduled"] + size_bytes <= usable * promised // 100
    )


def is_met(status: Mapping[str, Any], kind: str) -> bool:
    """Whether a condition of a node or a disk is true."""
    return any(
        found["type"] == kind and found["status"] == "True"
        for found in status.get("conditions") or []
    )


def condition(kind: str, *, met: bool, reason: str = "", message: str = "") -> dict[str, str]:
    """A condition in Longhorn's form. It carries no time, so that an unchanged one is equal."""
    return {
        "type": kind,
        "status": "True" if met else "False",
        "reason": reason,
        "message": message,
        "lastProbeTime": "",
        "lastTransitionTime": "",
    }


def _tags(disk: Mapping[str, Any]) -> list[str]:
    """In order, each once."""
    return sorted(set(disk.get("tags") or []))


def _empty(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "conditions": [],
        "storageAvailable": 0,
        "storageScheduled": 0,
        "storageMaximum": 0,
        "scheduledReplica": {},
        "diskUUID": "",
        "diskType": spec.get("diskType", "filesystem"),
    }
