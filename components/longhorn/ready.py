"""The wait for what Longhorn starts by itself, which Helm's own wait does not see."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pulumi

from components.cluster.api import cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.owner import this_stack
from components.common.waiting import wait_until
from components.longhorn.csi_driver import make_driver_again
from components.longhorn.default_class import give_back_default_class, take_default_class
from components.longhorn.disks.late import put_late_disks
from components.longhorn.findings import NOT_RUNNING
from components.longhorn.missing import missing_parts
from components.longhorn.snapshot import Snapshot, read_snapshot
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings


class LonghornReadyProvider(DynamicProvider):
    """Waits on create, on a change of what it watches, and when a refresh has found it missing.

    While it waits, it gives their disks to nodes that Longhorn only gets now, and makes `longhorn`
    the one default class.
    """

    outputs = ("default_class",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "timeout_seconds": "a longer patience is no reason to wait again",
        "closed": "LonghornDisks opens and closes nodes",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Wait until nothing is missing, after what is gone of the CSI driver was made again.

        Raises TimeoutError listing what still is missing.
        """
        cluster = open_cluster(new)
        if new.get(FINDING) not in (None, NOT_RUNNING):
            make_driver_again(cluster, read_snapshot(cluster))
        settle = take_default_class if new["default_storage_class"] else give_back_default_class
        defaults: Sequence[str] = ()

        def missing() -> list[str]:
            nonlocal defaults
            late = put_late_disks(cluster, new)
            snapshot = read_snapshot(cluster)
            defaults = snapshot.default_classes
            is_new = settle(cluster, snapshot, str(new["owner"]))
            # The look was before it.
            settled = ["a look at the default StorageClass"] if is_new else []
            return [*late, *settled, *_missing(snapshot, new)]

        wait_until("Longhorn", missing, timeout_seconds=new["timeout_seconds"])
        return "longhorn", {**new, "default_class": ",".join(defaults)}

    def change(self, old: Properties, new: Properties) -> Properties:
        """As `make`; raises RuntimeError at once where Longhorn is not there at all.

        Its release comes before this: what that did not install, no wait brings.
        """
        del old
        if new.get(FINDING) == NOT_RUNNING and not read_snapshot(open_cluster(new)).daemon_sets:
            raise RuntimeError(NOT_RUNNING)
        return self.make(new)[1]

    def look(self, state: Properties) -> Properties:
        """What is missing now; that differs from the input `missing` and shows."""
        return {**state, "missing": _missing(read_snapshot(open_cluster(state)), state)}

    def remove(self, state: Properties) -> None:
        """Let the class be the default again that was it before."""
        cluster = open_for_removal(state)
        if cluster is not None:
            give_back_default_class(cluster, read_snapshot(cluster), str(state["owner"]))


def _missing(snapshot: Snapshot, props: Properties) -> list[str]:
    return missing_parts(
        snapshot,
        version=props["version"],
        disks_by_node={node: list(disks) for node, disks in props["disks_by_node"].items()},
        # A state from before there was maintenance names none.
        closed=props.get("closed") or (),
        wants_default_class=props["default_storage_class"],
    )


class LonghornReady(DynamicResource, module="longhorn", name="Ready"):
    """Owns that `longhorn` is the one default class, where the stack wants that.

    Done when Longhorn's managers, CSI driver, class, nodes and disks are ready.

    After an upgrade, done only when all of them are those of the new version.

    Source of the list: facts read in longhorn-manager v1.5.3 (csi/deployment.go, types/types.go).
    """

    version: pulumi.Output[str]
    """The version that was waited for."""
    default_class: pulumi.Output[str]
    """The cluster's default StorageClass."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        longhorn: LonghornSettings,
        disks_by_node: Mapping[str, Mapping[str, Any]],
        closed: Sequence[str],
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            longhorn: Version, default class, and the deadline for all of it together.
            disks_by_node: The disks that must be Ready and Schedulable, by node (wanted_disks).
            closed: Nodes under maintenance, which stay closed to replicas, and whose hosts may be
                down.
            finding: That Longhorn is not there or without parts of its CSI driver, or `longhorn`
                not the one default class, right now.
        """
        inputs: Properties = {
            **cluster_inputs(cluster),
            "version": longhorn.version,
            "disks_by_node": disks_by_node,
            "owner": this_stack(),
            "missing": [],
            "closed": list(closed),
            "finding": finding,
            "default_storage_class": longhorn.default_storage_class,
            "timeout_seconds": longhorn.timeout_seconds,
        }
        super().__init__(LonghornReadyProvider(), name, inputs, opts)
