"""Disks of nodes that Longhorn gets only while all of it is waited for."""

from components.cluster.api import ClusterApi
from components.common.dynamic import Properties
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.fields import name_of
from components.longhorn.objects import read_objects


def put_late_disks(cluster: ClusterApi, props: Properties) -> list[str]:
    """Write what is not as wanted on the nodes that are there; never waits.

    Args:
        props: disks_by_node, as wanted_disks makes it, owner, and which nodes stay closed.

    Returns what Longhorn did not take yet, one line for each node.
    """
    lines: list[str] = []
    present = {name_of(item) for item in read_objects(cluster, "nodes") or []}
    for name, disks in sorted(props["disks_by_node"].items()):
        if name in present:
            of_node = {"disks": disks, "owner": props["owner"]}
            is_closed = name in (props.get("closed") or ())
            lines += LonghornNodeDisks(cluster, name).put_now(of_node, is_closed=is_closed)
    return lines
