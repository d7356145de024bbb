"""A disk whose file system is another one now: Longhorn's entry leaves, and may come again.

Longhorn knows a disk by a UUID that it writes into the file system, at random where there is none,
and refuses for good an entry that has another one on record (longhorn-manager v1.5.3,
controller/node_controller.go findNotReadyAndReadyDiskMaps, controller/monitor/disk_utils.go
generateFilesystemTypeDiskConfig). A new entry of the same name takes the UUID that it finds, once
the status has forgotten the old one. Replicas whose disk comes back at another path or node follow
it by themselves (SyncReplica in the same file), so those of a disk that only moved are kept.
"""

from collections.abc import Collection, Mapping
from typing import Any

from components.cluster.api import ClusterApi
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.renewal_rules import (
    DiskVerdict,
    known_uuids,
    leaving_changes,
    lost_volumes,
    put_elsewhere,
    replicas_on,
    still_in_status,
    verdicts,
)
from components.longhorn.disks.rules import drain_changes
from components.longhorn.objects import delete_object, read_objects

# A manager looks at its disks every 30 s, so three looks have passed by then.
_LOOKS_SECONDS = 90.0

_SWAPPED = (
    "If the old disk still works, put it back. To go on without these volumes, name them in "
    "longhorn.lostVolumes: they stay in Longhorn without an intact replica, until you restore them "
    "from a backup or delete them. Then run `pulumi up` again"
)


def renew_disks(
    cluster: ClusterApi,
    node_name: str,
    paths: set[str],
    *,
    moved: set[str],
    given_up: Collection[str],
    timeout_seconds: float,
) -> None:
    """Take out those entries that Longhorn refuses because of another file system.

    What Longhorn still takes for the same disk stays, such as one whose file system only got
    another UUID. A node or an entry that Longhorn does not have needs nothing.

    Args:
        node_name: The node's name in Kubernetes.
        paths: Mount points whose file system has another UUID than at the last run.
        moved: Those of them whose former file system is now mounted elsewhere on the node.
        given_up: Volumes that may lose their last intact replica with such a disk. The records of
            their replicas stay, since Longhorn takes a volume without any for a new one, and
            makes it empty (longhorn-manager v1.5.3, controller/volume_controller.go
            reconcileVolumeCreation).
        timeout_seconds: How long Longhorn may take to accept each change.

    Raises RuntimeError with the volumes whose last intact replica was on such a disk, before
    anything is changed; TimeoutError when Longhorn judges no disk or takes no change.
    """
    disks = LonghornNodeDisks(cluster, node_name)
    refused = _refused(disks, paths)
    if not refused:
        return
    nodes = read_objects(cluster, "nodes") or []
    replicas = read_objects(cluster, "replicas") or []
    node = disks.read() or {}
    uuids = known_uuids(node, refused - moved)
    uuids -= put_elsewhere(uuids, nodes, node_name, refused)
    lost = lost_volumes(uuids, replicas, nodes)
    if not_given_up := sorted(set(lost) - set(given_up)):
        raise RuntimeError(
            f"{node_name}: another file system is mounted on {', '.join(sorted(refused))}, and no "
            f"intact replica is left of {', '.join(not_given_up)}. Nothing was changed in "
            f"Longhorn. {_SWAPPED}."
        )
    disks.edit(
        lambda found: drain_changes(found, refused, evicts=False),
        timeout_seconds=timeout_seconds,
    )
    _forget_replicas(cluster, node_name, uuids, lost, timeout_seconds)
    names = set(leaving_changes(node, refused))
    disks.edit_once(
        lambda found: leaving_changes(found, refused),
        timeout_seconds=timeout_seconds,
    )
    wait_until(
        f"Longhorn forgetting the former disks of {node_name}",
        lambda: still_in_status(disks.read() or {}, names),
        timeout_seconds=timeout_seconds,
    )
    tell(f"{node_name}: Longhorn gets {', '.join(sorted(refused))} as new disks")


def _refused(disks: LonghornNodeDisks, paths: set[str]) -> set[str]:
    """Those of the paths that Longhorn refuses, once it has looked at all of them."""
    found: Mapping[str, DiskVerdict] = {}

    def undecided() -> list[str]:
        nonlocal found
        found = verdicts(disks.read() or {}, paths)
        return [f"{path}: {each.said}" for path, each in found.items() if not each.is_refused]

    try:
        wait_until(
            f"Longhorn's look at {disks.node_name}", undecided, timeout_seconds=_LOOKS_SECONDS
        )
    except TimeoutError:
        if not all(each.is_refused or each.is_ready for each in found.values()):
            raise
    return {path for path, each in found.items() if each.is_refused}


def _forget_replicas(
    cluster: ClusterApi,
    node_name: str,
    uuids: set[str],
    lost: Collection[str],
    timeout_seconds: float,
) -> None:
    """Delete the replicas that were on disks which are gone; their volumes have others."""

    def left() -> dict[str, str]:
        found = replicas_on(uuids, read_objects(cluster, "replicas") or [])
        return {name: volume for name, volume in found.items() if volume not in lost}

    for name, volume in left().items():
        tell(f"{node_name}: replica {name} of volume {volume} went with its disk")
        delete_object(cluster, "replicas", name)
    wait_until(
        f"replicas of the former disks of {node_name}",
        lambda: sorted(left()),
        timeout_seconds=timeout_seconds,
        still="Still there",
    )


def changed_file_systems(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[set[str], set[str]]:
    """Mount points that have another file system than before, and those whose former one moved.

    A UUID that is not known, as in a state from before there were any, changes nothing. Pure.

    Args:
        old: By mount point: the disk with its `uuid`, as at the last run.
        new: The same now.
    """
    before = {path: disk.get("uuid") for path, disk in old.items()}
    now = {path: disk.get("uuid") for path, disk in new.items()}
    changed = {
        path for path, uuid in now.items() if uuid and before.get(path) and before[path] != uuid
    }
    return changed, {path for path in changed if before[path] in now.values()}
