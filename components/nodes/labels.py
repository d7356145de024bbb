"""The label and the annotation from which Longhorn learns a node's disks."""

from collections.abc import Sequence

import pulumi

from components.cluster.api import cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.owner import this_stack
from components.nodes.description import ANNOTATION, LABEL, disks_annotation
from components.nodes.marks import Marks, drop_marks, put_marks, read_marks
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings


class NodeMarksProvider(DynamicProvider):
    """Sets labels and annotations of a Node that exists, and takes off what is still its own.

    Pulumi's own NodePatch makes a Node that is not there, by server-side apply, and it takes
    off what a second resource has set as well.
    """

    replaced_by = ("node_name",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Set them. Raises RuntimeError when Kubernetes has no such node."""
        put_marks(open_cluster(new), str(new["node_name"]), str(new["owner"]), _marks(new))
        return f"marks-{new['node_name']}", new

    def look(self, state: Properties) -> Properties | None:
        """Which of them are there now."""
        found = read_marks(open_cluster(state), str(state["node_name"]), _marks(state))
        return None if found is None else {**state, **found}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Set them as they are wanted now; a stack that was renamed lets its old name go."""
        self.make(new)
        if old.get("owner") not in (None, new["owner"]):
            drop_marks(open_cluster(new), str(new["node_name"]), str(old["owner"]))
        return new

    def remove(self, state: Properties) -> None:
        """Take them off; a node or a cluster that is gone needs nothing."""
        cluster = open_for_removal(state)
        if cluster is not None:
            drop_marks(cluster, str(state["node_name"]), str(state["owner"]))


def _marks(props: Properties) -> Marks:
    return {"labels": props["labels"], "annotations": props["annotations"]}


class NodeMarks(DynamicResource, module="node", name="Marks"):
    """Owns these labels and annotations of one Node, and never the Node."""


class NodeLabels(pulumi.ComponentResource):
    """Owns Longhorn's label and annotation of one node, and no other field of it.

    Longhorn reads both only while the node has no disks; later changes go to nodes.longhorn.io
    (facts of longhorn-manager v1.5.3, controller/node_controller.go). Must depend on every mount:
    a path that is not mounted would make Longhorn take the root disk.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        node_name: str,
        disks: Sequence[DiskSettings],
        found: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of that of its part.
            cluster: How the cluster is reached.
            node_name: The node's name in Kubernetes.
            disks: What Longhorn is to know of.
            found: Which of them the node lacks right now.
            opts: The resource's options.
        """
        super().__init__("longhornrancher:node:Labels", name, None, opts)
        inputs = {
            **cluster_inputs(cluster),
            "node_name": node_name,
            "owner": this_stack(),
            "labels": {LABEL: "config"},
            "annotations": {ANNOTATION: disks_annotation(disks)},
            FINDING: found,
        }
        here = pulumi.ResourceOptions(parent=self)
        NodeMarks(NodeMarksProvider(), f"{name}-patch", inputs, here)
