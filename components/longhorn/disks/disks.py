"""A node's disks in Longhorn itself, for as long as Longhorn runs.

The node's annotation is read only while Longhorn knows no disk of the node, so a disk that comes,
goes or changes later has to be told to nodes.longhorn.io.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import ClusterApi, open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import tell
from components.longhorn.disks.lost_node import wait_until_forgotten
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.removal import remove_disks
from components.longhorn.disks.rules import described, disks_by_path, put_changes
from components.longhorn.removal.confirmation import removal_is_confirmed
from components.nodes.description import longhorn_disk
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings


@dataclass(frozen=True, kw_only=True)
class LonghornDisksArgs:
    """Which disks Longhorn is to have on one node."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    node_name: str
    """The node's name in Kubernetes."""
    disks: Sequence[DiskSettings]
    """All its disks, mounted."""
    lost: bool
    """Whether the node is gone for good, so that its disks can't be emptied."""
    timeout_seconds: int
    """How long Longhorn may take to accept a change."""
    eviction_timeout_seconds: int
    """How long moving replicas off a disk that is removed may take."""


class LonghornDisksProvider(DynamicProvider):
    """Adds, changes and removes disks; a disk is removed only when no replica is left on it."""

    replaced_by = ("node_name",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Wait for Longhorn's node, then see to its disks; for a lost node, until it is gone."""
        cluster = open_cluster(new)
        if new["lost"]:
            wait_until_forgotten(cluster, new)
        else:
            _put(cluster, new)
        return f"longhorn-disks-{new['node_name']}", new

    def look(self, id_: str, state: Properties) -> Properties | None:
        """The disks as Longhorn has them now, those of this resource only."""
        del id_
        node = LonghornNodeDisks(open_cluster(state), str(state["node_name"])).read()
        if node is None:
            return None
        present = disks_by_path(node)
        disks = {
            path: {**described(present[path][1]), "name": wanted["name"]}
            for path, wanted in state["disks"].items()
            if path in present
        }
        return {**state, "disks": disks}

    def change(self, id_: str, old: Properties, new: Properties) -> Properties:
        """See to the disks, then take those out that are no longer listed.

        In this order, since an added disk may be the room that a removed one's replicas need.
        """
        del id_
        cluster = open_cluster(new)
        if new["lost"]:
            wait_until_forgotten(cluster, new)
            return new
        gone = set(old.get("disks") or {}) - set(new["disks"])
        _put(cluster, new)
        _remove(cluster, new, gone)
        return new

    def remove(self, id_: str, state: Properties) -> None:
        """Take all its disks out of Longhorn; a lost node, or a Longhorn that is gone, has none.

        When Longhorn itself is on its way out, its uninstallation sees to its disks.
        """
        del id_
        cluster = None if state["lost"] else open_for_removal(state)
        if cluster is None:
            return
        if removal_is_confirmed(cluster):
            tell(f"{state['node_name']}: Longhorn goes as a whole, its disks with it")
            return
        _remove(cluster, state, set(state["disks"]))


def _put(cluster: ClusterApi, props: dict[str, Any]) -> None:
    LonghornNodeDisks(cluster, str(props["node_name"])).edit(
        lambda node: put_changes(node, props["disks"]),
        must_exist=True,
        timeout_seconds=float(props["timeout_seconds"]),
    )


def _remove(cluster: ClusterApi, props: dict[str, Any], paths: set[str]) -> None:
    remove_disks(
        cluster,
        str(props["node_name"]),
        paths,
        eviction_seconds=float(props["eviction_timeout_seconds"]),
        edit_seconds=float(props["timeout_seconds"]),
    )


class LonghornDisks(Resource, module="longhorn", name="Disks"):
    """Owns the entries of these disks in one nodes.longhorn.io object, and no other entry."""

    def __init__(
        self, name: str, args: LonghornDisksArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        descriptions = {disk.mount_point: longhorn_disk(disk) for disk in args.disks}
        super().__init__(
            LonghornDisksProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "node_name": args.node_name,
                "disks": {
                    path: {"name": disk["name"], **described(disk)}
                    for path, disk in descriptions.items()
                },
                "lost": args.lost,
                "timeout_seconds": args.timeout_seconds,
                "eviction_timeout_seconds": args.eviction_timeout_seconds,
            },
            opts,
        )
