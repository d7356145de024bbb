"""Everything that one node needs before Longhorn may use it, in the order that keeps it safe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.hosts.host import RemoteHost
from components.nodes.disk import NodeDisk, NodeDiskArgs
from components.nodes.findings import NodeFindings
from components.nodes.labels import NodeLabels, NodeLabelsArgs
from components.nodes.packages import NodePackages, NodePackagesArgs
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings


@dataclass(frozen=True, kw_only=True)
class LonghornNodeArgs:
    """One node and what is to happen to it."""

    host: RemoteHost
    """How the node is reached; its name is the node's name in Kubernetes."""
    disks: Sequence[DiskSettings]
    """Its disks; none for a node that only runs workloads."""
    stages: StageSettings
    """Which of packages, disks and labels run."""
    cluster: ClusterSettings
    """How the cluster is reached; needed for labels only."""
    owner: str
    """What marks this stack's things (components/common/owner.py)."""
    findings: NodeFindings = field(default_factory=NodeFindings)
    """What the host is like right now."""
    before_move: Mapping[str, pulumi.ResourceHook] = field(
        default_factory=dict[str, pulumi.ResourceHook]
    )
    """By new mount point: what has Longhorn let go of a disk that moves."""


class LonghornNode(pulumi.ComponentResource):
    """Owns one node's packages, disks and labels: packages → disks → verified mounts → labels."""

    packages: NodePackages | None
    """The node's packages; None where that stage is off."""
    disks: dict[str, NodeDisk]
    """The disks by mount point."""

    def __init__(
        self, name: str, args: LonghornNodeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:node:LonghornNode", name, None, opts)
        self.packages = None
        if args.stages.packages:
            self.packages = NodePackages(
                f"{name}-packages",
                NodePackagesArgs(
                    host=args.host,
                    xfs=any(disk.file_system == "xfs" for disk in args.disks),
                    found=args.findings.packages,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        done = [] if self.packages is None else [self.packages]
        self.disks = {}
        if args.stages.disks:
            for disk in args.disks:
                self.disks[disk.mount_point] = NodeDisk(
                    f"{name}-{disk.key}",
                    NodeDiskArgs(
                        host=args.host,
                        disk=disk,
                        found=args.findings.disks.get(disk.mount_point),
                        before_move=args.before_move.get(disk.mount_point),
                    ),
                    pulumi.ResourceOptions(parent=self, depends_on=done),
                )
        if args.stages.labels and args.disks and not args.host.lost:
            NodeLabels(
                f"{name}-labels",
                NodeLabelsArgs(
                    node_name=args.host.name,
                    disks=args.disks,
                    cluster=args.cluster,
                    owner=args.owner,
                ),
                pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[*done, *self.disks.values()],
                ),
            )
        self.register_outputs({})
