"""A node's disks in Longhorn itself, for as long as Longhorn runs.

The node's annotation is read only while Longhorn knows no disk of the node, so a disk that comes,
goes or changes later has to be told to nodes.longhorn.io.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from components.cluster.api import ClusterApi, open_cluster
from components.cluster.gone import open_for_removal
from components.common.waiting import tell
from components.longhorn.disks.lost_node import wait_until_forgotten
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.removal import remove_disks
from components.longhorn.disks.rules import described, disks_by_path, put_changes
from components.longhorn.removal.confirmation import removal_is_confirmed
from components.nodes.description import longhorn_disk
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings

_COMPARED = ("kubeconfig", "context", "node_name", "disks", "lost", "eviction_timeout_seconds")


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


class LonghornDisksProvider(ResourceProvider):
    """Adds, changes and removes disks; a disk is removed only when no replica is left on it."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait for Longhorn's node, then see to its disks; for a lost node, until it is gone."""
        cluster = open_cluster(props)
        if props["lost"]:
            wait_until_forgotten(cluster, props)
        else:
            _put(cluster, props)
        return CreateResult(f"longhorn-disks-{props['node_name']}", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another node is another resource."""
        return DiffResult(
            changes=any(_olds.get(key) != _news.get(key) for key in _COMPARED),
            replaces=["node_name"] if _olds.get("node_name") != _news.get("node_name") else [],
        )

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The disks as Longhorn has them now, those of this resource only."""
        node = LonghornNodeDisks(open_cluster(props), str(props["node_name"])).read()
        if node is None:
            return ReadResult(None, {})
        present = disks_by_path(node)
        disks = {
            path: {**described(present[path][1]), "name": wanted["name"]}
            for path, wanted in props["disks"].items()
            if path in present
        }
        return ReadResult(id_, {**props, "disks": disks})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """See to the disks, then take those out that are no longer listed.

        In this order, since an added disk may be the room that a removed one's replicas need.
        """
        cluster = open_cluster(_news)
        if _news["lost"]:
            wait_until_forgotten(cluster, _news)
            return UpdateResult(_news)
        gone = set(_olds.get("disks") or {}) - set(_news["disks"])
        _put(cluster, _news)
        _remove(cluster, _news, gone)
        return UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take all its disks out of Longhorn; a lost node, or a Longhorn that is gone, has none.

        When Longhorn itself is on its way out, its uninstallation sees to its disks.
        """
        cluster = None if _props["lost"] else open_for_removal(_props)
        if cluster is None:
            return
        if removal_is_confirmed(cluster):
            tell(f"{_props['node_name']}: Longhorn goes as a whole, its disks with it")
            return
        _remove(cluster, _props, set(_props["disks"]))


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
