"""Disks that Longhorn does not have any more: given to it again, and waited for.

Longhorn forgets a node that has left Kubernetes, and gets it anew when it is back. From the node's
annotation it makes the disks itself; the same entries are written here, since it does that only
with the label, and refuses the whole annotation for one disk (longhorn-manager v1.5.3,
controller/kubernetes_node_controller.go).
"""

from collections.abc import Collection

from components.cluster.api import ClusterApi
from components.common.dynamic import Properties
from components.common.waiting import wait_until
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.missing import disks_missing


def wait_until_used(cluster: ClusterApi, props: Properties, paths: Collection[str]) -> None:
    """Have the disks in Longhorn, and wait until it uses those at these paths.

    Args:
        props: The inputs of a node that is in use.
        paths: Mount points of the disks that Longhorn did not have.

    Raises TimeoutError with what Longhorn says of the node or the disks.
    """
    name = str(props["node_name"])
    disks = LonghornNodeDisks(cluster, name)
    wait_until(
        f"disks of {name} in Longhorn",
        lambda: [*disks.put_now(props), *disks_missing(name, disks.read(), sorted(paths))],
        timeout_seconds=float(props["timeout_seconds"]),
    )
