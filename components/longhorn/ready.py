"""The wait for what Longhorn starts by itself, which Helm's own wait does not see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import open_cluster
from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import wait_until
from components.longhorn.missing import missing_parts
from components.longhorn.snapshot import ClusterView
from configuration.cluster import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class LonghornReadyArgs:
    """What counts as ready."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    version: pulumi.Input[str]
    """The installed version; a new one is waited for again."""
    disks_by_node: Mapping[str, Sequence[str]]
    """Paths of the disks that Longhorn must report Ready and Schedulable, by node name."""
    default_storage_class: bool
    """Whether `longhorn` must be the cluster's one default StorageClass."""
    timeout_seconds: int
    """Deadline for all of it together."""


class LonghornReadyProvider(DynamicProvider):
    """Waits on create and on a change of what it watches; owns nothing in the cluster."""

    outputs = ("default_class",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "kubeconfig": "where the cluster is reached changes nothing in it, and no removal uses it",
        "context": "as kubeconfig",
        "timeout_seconds": "a longer patience is no reason to wait again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Wait until nothing is missing. Raises TimeoutError listing what still is."""
        return "longhorn", _waited(new)

    def change(self, id_: str, old: Properties, new: Properties) -> Properties:
        """Wait again, for what is wanted now."""
        del id_, old
        return _waited(new)


def _waited(props: Properties) -> Properties:
    view = ClusterView(open_cluster(props))
    wait_until(
        "Longhorn",
        lambda: missing_parts(
            view.read(),
            version=props["version"],
            disks_by_node=props["disks_by_node"],
            wants_default_class=props["default_storage_class"],
        ),
        timeout_seconds=props["timeout_seconds"],
    )
    return {**props, "default_class": ",".join(view.read().default_classes)}


class LonghornReady(Resource, module="longhorn", name="Ready"):
    """Owns nothing; done when Longhorn's managers, CSI driver, class, nodes and disks are ready.

    After an upgrade, done only when all of them are those of the new version.

    Source of the list: facts read in longhorn-manager v1.5.3 (csi/deployment.go, types/types.go).
    """

    version: pulumi.Output[str]
    """The version that was waited for."""
    default_class: pulumi.Output[str]
    """The cluster's default StorageClass."""

    def __init__(
        self, name: str, args: LonghornReadyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            LonghornReadyProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "version": args.version,
                "disks_by_node": {node: list(disks) for node, disks in args.disks_by_node.items()},
                "default_storage_class": args.default_storage_class,
                "timeout_seconds": args.timeout_seconds,
                "default_class": None,
            },
            opts,
        )
