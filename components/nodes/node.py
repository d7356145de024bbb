"""Everything that one node needs before Longhorn may use it, in the order that keeps it safe."""

from collections.abc import Mapping, Sequence

import pulumi

from components.hosts.host import RemoteHost
from components.nodes.disk import NodeDisk
from components.nodes.findings import NodeFindings
from components.nodes.labels import NodeLabels
from components.nodes.packages import NodePackages
from components.nodes.script_parts import possible_twins
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings


class LonghornNode(pulumi.ComponentResource):
    """Owns one node's packages, disks and labels: packages → disks → verified mounts → labels."""

    packages: NodePackages | None
    """The node's packages; None where that stage is off."""
    disks: dict[str, NodeDisk]
    """The disks by mount point."""

    def __init__(
        self,
        name: str,
        *,
        host: RemoteHost,
        disks: Sequence[DiskSettings],
        stages: StageSettings,
        cluster: ClusterSettings,
        findings: NodeFindings,
        before_move: Mapping[str, pulumi.ResourceHook],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            host: How the node is reached; its name is the node's name in Kubernetes.
            disks: Its disks; none for a node that only runs workloads.
            stages: Which of packages, disks and labels run.
            cluster: The cluster; needed for labels only.
            findings: What the host is like right now.
            before_move: By new mount point: what has Longhorn let go of a disk that moves.
            opts: The resource's options.
        """
        super().__init__("longhornrancher:node:LonghornNode", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        self.packages = None
        if stages.packages:
            self.packages = NodePackages(
                f"{name}-packages",
                host=host,
                xfs=any(disk.file_system == "xfs" for disk in disks),
                found=findings.packages,
                opts=here,
            )
        done = [] if self.packages is None else [self.packages]
        self.disks = {
            disk.mount_point: NodeDisk(
                f"{name}-{disk.key}",
                host=host,
                disk=disk,
                found=findings.disks.get(disk.mount_point),
                beside=possible_twins(disk, disks),
                before_move=before_move.get(disk.mount_point),
                opts=pulumi.ResourceOptions(parent=self, depends_on=done),
            )
            for disk in (disks if stages.disks else ())
        }
        if stages.labels and disks and not host.lost:
            NodeLabels(
                f"{name}-labels",
                cluster=cluster,
                node_name=host.name,
                disks=disks,
                found=findings.marks,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*done, *self.disks.values()]),
            )
