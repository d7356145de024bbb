"""Taking disks out of Longhorn: scheduling off, replicas away, and only then out."""

from collections.abc import Mapping
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import mapped
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.owners import own_paths
from components.longhorn.disks.replicas import advice, explained, last_copies
from components.longhorn.disks.rules import drain_changes, is_emptied, removal_changes, still_used
from components.longhorn.objects import read_objects
from components.nodes.description import LABEL

# While a node has no disk, its manager makes those that LABEL asks for, again and again
# (longhorn-manager v1.5.3, controller/kubernetes_node_controller.go syncDefaultDisks).
_FROM_ANNOTATION = "config"


def remove_disks(
    cluster: ClusterApi,
    node_name: str,
    paths: set[str],
    *,
    owner: str,
    eviction_seconds: float,
    edit_seconds: float,
) -> None:
    """Have the replicas on these disks moved away, then take the disks out.

    A node that Longhorn does not have, or a Longhorn that is gone, needs nothing.

    Args:
        node_name: The node's name in Kubernetes.
        paths: Mount points of the disks.
        owner: Whose they were; what somebody else has taken over since stays.
        eviction_seconds: How long moving the replicas may take.
        edit_seconds: How long Longhorn may take to accept a change.

    Raises TimeoutError naming the replicas that are left and what to do; the disk then still is
    in Longhorn.
    """
    disks = LonghornNodeDisks(cluster, node_name)
    found = disks.read() if paths else None
    if found is None:
        return
    paths, wanted = own_paths(found, paths, owner), paths
    if wanted - paths:
        others = ", ".join(sorted(wanted - paths))
        tell(f"{node_name}: {others} stays in Longhorn, since another stack has taken it over")
    if not paths:
        return
    disks.edit(lambda node: drain_changes(node, paths), timeout_seconds=edit_seconds)
    _wait_until_empty(cluster, disks, paths, eviction_seconds)
    node = disks.read()
    if node is not None and is_emptied(node, paths):
        _take_label_off(cluster, node_name)
    disks.edit(lambda node: removal_changes(node, paths), timeout_seconds=edit_seconds)


def _wait_until_empty(
    cluster: ClusterApi, disks: LonghornNodeDisks, paths: set[str], seconds: float
) -> None:
    def left() -> list[str]:
        node: Mapping[str, Any] = disks.read() or {}
        return still_used(node, paths) or last_copies(
            node,
            paths,
            read_objects(cluster, "replicas") or [],
            read_objects(cluster, "nodes") or [],
        )

    what = f"moving replicas off {disks.node_name} ({', '.join(sorted(paths))})"
    try:
        wait_until(what, left, timeout_seconds=seconds, still="Still there")
    except TimeoutError as error:
        node = disks.read()
        if node is None:
            return
        lines = explained(
            node,
            paths,
            read_objects(cluster, "replicas") or [],
            read_objects(cluster, "volumes") or [],
        )
        details = "".join(f"\n  - {line}" for line in lines)
        raise TimeoutError(f"{error}{details}\n{advice(node, paths)}") from None


def _take_label_off(cluster: ClusterApi, node_name: str) -> None:
    node: Any = unless_missing(cluster.core.read_node, node_name)
    if node is None or mapped(node.metadata.labels).get(LABEL) != _FROM_ANNOTATION:
        return
    patch = {"metadata": {"labels": {LABEL: None}}}
    unless_missing(cluster.core.patch_node, node_name, patch)
    tell(f"{node_name}: took the label {LABEL} off, or Longhorn would make the disks again")
