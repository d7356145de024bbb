"""A disk that is to be unmounted at one path and mounted at another leaves Longhorn in between."""

import asyncio

import pulumi

from components.cluster.api import ClusterApi
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.removal import remove_disks
from components.longhorn.disks.rules import disks_by_path
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings


def leaves_longhorn(
    name: str,
    cluster: ClusterSettings,
    longhorn: LonghornSettings,
    *,
    node_name: str,
    path: str,
    owner: str,
) -> pulumi.ResourceHook:
    """Has the replicas on a disk moved away and takes its entry out, before it is unmounted.

    A Longhorn that is not there, or does not have the disk, lets it go as it is. The step that the
    hook stands before does not run when the disk stays in Longhorn.

    Args:
        name: Name of the hook.
        cluster: How the cluster is reached.
        longhorn: Its timeouts.
        node_name: The node's name in Kubernetes.
        path: Where the disk is mounted now.
        owner: What marks this stack's things (components/common/owner.py).
    """

    async def leave(_args: pulumi.ResourceHookArgs) -> None:
        api = ClusterApi(cluster.kubeconfig, cluster.context)
        await asyncio.to_thread(
            leave_longhorn,
            api,
            node_name,
            path,
            owner=owner,
            eviction_seconds=float(longhorn.eviction_timeout_seconds),
            edit_seconds=float(longhorn.timeout_seconds),
        )

    return pulumi.ResourceHook(name, leave)


def leave_longhorn(
    cluster: ClusterApi,
    node_name: str,
    path: str,
    *,
    owner: str,
    eviction_seconds: float,
    edit_seconds: float,
) -> None:
    """Take one disk out of Longhorn; arguments and errors as for remove_disks.

    Raises RuntimeError too when the disk is another stack's, which stays.
    """
    remove_disks(
        cluster,
        node_name,
        {path},
        owner=owner,
        eviction_seconds=eviction_seconds,
        edit_seconds=edit_seconds,
    )
    node = LonghornNodeDisks(cluster, node_name).read()
    if node is not None and path in disks_by_path(node):
        raise RuntimeError(
            f"{node_name}: the disk on {path} is still in Longhorn, so it stays mounted there. "
            "Name that mount point in the stack file, or take the disk out of Longhorn first."
        )
