"""A node that is gone for good: Longhorn forgets it, and says which volumes that costs.

Longhorn moves no replica off a node that is down, and removes its own node object once the node
has left Kubernetes (longhorn-manager v1.5.3, controller/replica_controller.go
isEvictionRequested, controller/kubernetes_node_controller.go). It rebuilds what has another
replica by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from components.kubernetes_api import ApiError, ClusterApi, status_of, tell, wait_until
from components.longhorn_values import NAMESPACE

_LONGHORN = ("longhorn.io", "v1beta2", NAMESPACE)


def wait_until_forgotten(cluster: ClusterApi, props: Mapping[str, Any]) -> None:
    """Wait until neither Kubernetes nor Longhorn has the node; remove nothing.

    Args:
        cluster: The cluster.
        props: node_name, and timeout_seconds for Longhorn's part.

    Raises RuntimeError while Kubernetes still has the node, TimeoutError while Longhorn has.
    """
    name = str(props["node_name"])
    if _is_there(lambda: cluster.core.read_node(name)):
        raise RuntimeError(
            f"node {name} is marked `lost` in the stack file, and Kubernetes still has it. If its "
            f"host is gone for good: kubectl delete node {name}. If not, remove `lost`."
        )
    for volume in without_other_replica(_replicas(cluster), name):
        tell(
            f"{name}: volume {volume} has no intact replica on another node. Its data is lost with "
            "the node: restore it from a backup, then delete the volume"
        )
    wait_until(
        f"Longhorn forgetting node {name}",
        lambda: (
            [f"nodes.longhorn.io {name} (is a longhorn-manager ready on any node?)"]
            * _is_there(
                lambda: cluster.custom.get_namespaced_custom_object(*_LONGHORN, "nodes", name)
            )
        ),
        timeout_seconds=float(props["timeout_seconds"]),
    )


def without_other_replica(replicas: Iterable[Mapping[str, Any]], node_name: str) -> list[str]:
    """The volumes with a replica on this node and none intact on any other, sorted. Pure."""
    specs = [cast(Mapping[str, Any], replica.get("spec") or {}) for replica in replicas]
    here = {str(spec.get("volumeName")) for spec in specs if spec.get("nodeID") == node_name}
    elsewhere = {
        str(spec.get("volumeName"))
        for spec in specs
        if spec.get("nodeID") not in (None, "", node_name)
        and spec.get("healthyAt")
        and not spec.get("failedAt")
    }
    return sorted(here - elsewhere)


def _replicas(cluster: ClusterApi) -> list[dict[str, Any]]:
    try:
        found = cluster.custom.list_namespaced_custom_object(*_LONGHORN, "replicas")
    except ApiError as error:
        if status_of(error) == 404:
            return []
        raise
    return list(found["items"])


def _is_there(read: Callable[[], object]) -> bool:
    try:
        read()
    except ApiError as error:
        if status_of(error) == 404:
            return False
        raise
    return True
