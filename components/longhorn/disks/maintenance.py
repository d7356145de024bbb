"""A node whose host is to go down for a while, and that comes back: what `up` waits for."""

from collections.abc import Sequence

from components.cluster.api import ClusterApi
from components.common.dynamic import Properties
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.disks.cordon import CORDON, cordon
from components.longhorn.disks.maintenance_rules import not_healthy, only_here, surplus_here
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.fields import Object, is_false, spec_of, status_of
from components.longhorn.objects import read_objects


def close_node(cluster: ClusterApi, props: Properties) -> None:
    """Close the node to replicas, and wait until no volume needs it.

    Replicas are moved only where a volume has none on a node that stays, or where that goes on from
    an earlier run. A node that Longhorn does not have needs nothing.

    Raises TimeoutError naming the volumes that do not find a place; the node stays closed then, and
    Longhorn goes on moving.
    """
    name = str(props["node_name"])
    if props["maintenance"] == CORDON:
        cordon(cluster, name, str(props["owner"]))
    node = LonghornNodeDisks(cluster, name)
    # Before any look, so that of two nodes that close beside each other one sees the other closed.
    node.put(props, is_closed=True)
    is_evicting = bool(spec_of(node.read() or {}).get("evictionRequested"))
    if is_evicting or _needing(cluster, name, read_objects(cluster, "replicas") or []):
        node.put(props, is_closed=True, evicts=True)
        wait_until(
            f"volumes that need {name}",
            lambda: _left(cluster, name),
            timeout_seconds=float(props["eviction_timeout_seconds"]),
        )
        node.put(props, is_closed=True, evicts=False)
    tell(
        f"{name}: every volume has an intact replica on another node. Once its pods are gone "
        f"(kubectl drain {name} --ignore-daemonsets --delete-emptydir-data), the host may go down"
    )


def open_node(cluster: ClusterApi, props: Properties) -> None:
    """Wait until every attached volume is healthy on a node that is in use again.

    Args:
        props: The resource's inputs.

    Raises TimeoutError naming those that are not.
    """
    wait_until(
        f"volumes after the maintenance of {props['node_name']}",
        lambda: _ill(cluster, str(props["node_name"])),
        timeout_seconds=float(props["eviction_timeout_seconds"]),
        still="Not healthy",
    )


def _needing(cluster: ClusterApi, name: str, replicas: Sequence[Object]) -> list[str]:
    """The volumes that would have no intact replica without this node."""
    return only_here(name, read_objects(cluster, "nodes") or [], replicas)


def _ill(cluster: ClusterApi, name: str) -> list[str]:
    """The volumes that are not healthy, after what keeps Longhorn from using this node for them."""
    volumes = not_healthy(read_objects(cluster, "volumes") or [])
    node = LonghornNodeDisks(cluster, name).read() if volumes else None
    if node is None or not is_false(status_of(node), "Schedulable"):
        return volumes
    cordoned = f"{name} is cordoned, so Longhorn puts no replica there: kubectl uncordon {name}"
    return [cordoned, *volumes]


def _left(cluster: ClusterApi, name: str) -> list[str]:
    """What eviction has still to do, one line each."""
    replicas = read_objects(cluster, "replicas") or []
    needing = _needing(cluster, name, replicas)
    going = surplus_here(name, read_objects(cluster, "volumes") or [], replicas)
    return [
        *(f"{volume} has no intact replica on another node" for volume in needing),
        *(f"{volume} has moved, and its former replica is still there" for volume in going),
    ]
