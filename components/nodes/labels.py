"""The label and the annotation from which Longhorn learns a node's disks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.nodes.description import ANNOTATION, LABEL, disks_annotation
from configuration.hosts import DiskSettings


@dataclass(frozen=True, kw_only=True)
class NodeLabelsArgs:
    """What Longhorn is to know of the node."""

    node_name: str
    """The node's name in Kubernetes."""
    disks: Sequence[DiskSettings]
    """Its disks, in the stack file's order."""


class NodeLabels(pulumi.ComponentResource):
    """Owns Longhorn's label and annotation of one node, and no other field of it.

    Longhorn reads both only while the node has no disks; later changes go to nodes.longhorn.io
    (facts of longhorn-manager v1.5.3, controller/node_controller.go). Must depend on every mount:
    a path that is not mounted would make Longhorn take the root disk.
    """

    def __init__(
        self, name: str, args: NodeLabelsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:node:Labels", name, None, opts)
        kubernetes.core.v1.NodePatch(
            f"{name}-patch",
            metadata=kubernetes.meta.v1.ObjectMetaPatchArgs(
                name=args.node_name,
                labels={LABEL: "config"},
                annotations={ANNOTATION: disks_annotation(args.disks)},
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
