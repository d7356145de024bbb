"""A node that is gone for good: Longhorn forgets it, and says which volumes that costs.

Longhorn moves no replica off a node that is down, and removes its own node object once the node
has left Kubernetes (longhorn-manager v1.5.3, controller/replica_controller.go
isEvictionRequested, controller/kubernetes_node_controller.go). It rebuilds what has another
replica by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.fields import is_intact, spec_of
from components.longhorn.objects import read_objects


def wait_until_forgotten(cluster: ClusterApi, props: Mapping[str, Any]) -> None:
    """Wait until neither Kubernetes nor Longhorn has the node; remove nothing.

    Args:
        props: node_name, and timeout_seconds for Longhorn's part.

    Raises RuntimeError while Kubernetes still has the node, TimeoutError while Longhorn has.
    """
    name = str(props["node_name"])
    if unless_missing(cluster.core.read_node, name) is not None:
        raise RuntimeError(
            f"node {name} is marked `lost` in the stack file, and Kubernetes still has it. If its "
            f"host is gone for good: kubectl delete node {name}. If not, remove `lost`."
        )
    for volume in without_other_replica(read_objects(cluster, "replicas") or [], name):
        tell(
            f"{name}: volume {volume} has no intact replica on another node. If a disk of the node "
            "still works, put it into another node of the stack: its replicas follow it. Else "
            "restore it from a backup, then delete the volume"
        )
    node = LonghornNodeDisks(cluster, name)
    still_there = f"nodes.longhorn.io {name} (is a longhorn-manager ready on any node?)"
    wait_until(
        f"Longhorn forgetting node {name}",
        lambda: [still_there] if node.read() is not None else [],
        timeout_seconds=float(props["timeout_seconds"]),
    )


def without_other_replica(replicas: Iterable[Mapping[str, Any]], node_name: str) -> list[str]:
    """The volumes with a replica on this node and none intact on any other, sorted. Pure."""
    on_node: set[str] = set()
    elsewhere: set[str] = set()
    for replica in replicas:
        spec = spec_of(replica)
        if spec.get("nodeID") == node_name:
            on_node.add(str(spec.get("volumeName")))
        elif spec.get("nodeID") and is_intact(replica):
            elsewhere.add(str(spec.get("volumeName")))
    return sorted(on_node - elsewhere)
