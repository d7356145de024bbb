"""The wait for what Longhorn starts by itself, which Helm's own wait does not see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import open_cluster
from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import wait_until
from components.longhorn.disks.late import put_late_disks
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
    disks_by_node: Mapping[str, Mapping[str, Any]]
    """The disks that Longhorn must report Ready and Schedulable, by node name (wanted_disks)."""
    owner: str
    """What marks this stack's things (components/common/owner.py)."""
    default_storage_class: bool
    """Whether `longhorn` must be the cluster's one default StorageClass."""
    timeout_seconds: int
    """Deadline for all of it together."""


class LonghornReadyProvider(DynamicProvider):
    """Waits on create, on a change of what it watches, and when a refresh has found it missing.

    While it waits, it gives their disks to nodes that Longhorn only gets now.
    """

    outputs = ("default_class",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "timeout_seconds": "a longer patience is no reason to wait again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Wait until nothing is missing. Raises TimeoutError listing what still is."""
        return "longhorn", _waited(new)

    def change(self, id_: str, old: Properties, new: Properties) -> Properties:
        """Wait again, for what is wanted now."""
        del id_, old
        return _waited(new)

    def look(self, id_: str, state: Properties) -> Properties:
        """What is missing now; that differs from the input `missing` and shows."""
        del id_
        return {**state, "missing": _missing(ClusterView(open_cluster(state)), state)}


def _waited(props: Properties) -> Properties:
    cluster = open_cluster(props)
    view = ClusterView(cluster)

    def missing() -> list[str]:
        return [*put_late_disks(cluster, props), *_missing(view, props)]

    wait_until("Longhorn", missing, timeout_seconds=props["timeout_seconds"])
    return {**props, "default_class": ",".join(view.read().default_classes)}


def _missing(view: ClusterView, props: Properties) -> list[str]:
    return missing_parts(
        view.read(),
        version=props["version"],
        disks_by_node={node: list(disks) for node, disks in props["disks_by_node"].items()},
        wants_default_class=props["default_storage_class"],
    )


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
                "disks_by_node": args.disks_by_node,
                "owner": args.owner,
                "missing": [],
                "default_storage_class": args.default_storage_class,
                "timeout_seconds": args.timeout_seconds,
                "default_class": None,
            },
            opts,
        )
