"""The Helm release of Longhorn and the wait until all of Longhorn runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.longhorn_disks import LonghornDisks, LonghornDisksArgs
from components.longhorn_ready import LonghornReady, LonghornReadyArgs
from components.longhorn_values import NAMESPACE, chart_values
from configuration.hosts import DiskSettings
from configuration.longhorn import LonghornSettings
from configuration.rancher import ClusterSettings

RELEASE_NAME = "longhorn"


@dataclass(frozen=True, kw_only=True)
class LonghornReleaseArgs:
    """What is installed where."""

    longhorn: LonghornSettings
    """Version, chart and settings."""
    cluster: ClusterSettings
    """How the cluster is reached while Longhorn's own parts are waited for."""
    disks_by_node: Mapping[str, Sequence[DiskSettings]]
    """The disks that Longhorn is to hold, by node name; nodes without disks left out."""
    tolerate_control_plane: bool
    """Whether Longhorn runs on tainted control-plane nodes."""


class LonghornRelease(pulumi.ComponentResource):
    """Owns namespace longhorn-system, the release `longhorn`, and that all of it runs.

    Refuses to own volumes: unless longhorn.allowUninstall is true the release is protected, since
    removing Longhorn removes every volume. A Helm Release and not a Chart, because the chart's
    upgrade and uninstall hooks must run; never atomic, because Longhorn refuses a downgrade
    (longhorn-manager v1.5.3, upgrade/util/util.go).
    """

    version: pulumi.Output[str]
    """Longhorn's version, known once everything runs."""
    default_storage_class: pulumi.Output[str]
    """The cluster's one default StorageClass, empty if the stack wants none."""

    def __init__(
        self, name: str, args: LonghornReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:longhorn:Release", name, None, opts)
        longhorn = args.longhorn
        protect = not longhorn.allow_uninstall
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=NAMESPACE,
                # Longhorn's pods are privileged; without the label, Pod Security refuses them
                # on clusters that enforce `baseline` or `restricted` by default.
                labels={"pod-security.kubernetes.io/enforce": "privileged"},
            ),
            # Deleting the namespace deletes every Longhorn object, so it goes with the release.
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        local_chart = longhorn.chart_path
        timeout = f"{longhorn.timeout_seconds}s"
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name=RELEASE_NAME,
            namespace=NAMESPACE,
            chart=str(Path(local_chart).expanduser()) if local_chart else "longhorn",
            repository_opts=None
            if local_chart
            else kubernetes.helm.v3.RepositoryOptsArgs(repo=longhorn.chart_repository),
            version=longhorn.version,
            values=chart_values(
                longhorn,
                nodes_with_disks=len(args.disks_by_node),
                tolerate_control_plane=args.tolerate_control_plane,
            ),
            atomic=False,
            timeout=longhorn.timeout_seconds,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[namespace],
                protect=protect,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=timeout, update=timeout, delete=timeout
                ),
            ),
        )
        disks = [
            LonghornDisks(
                f"{name}-{node}-disks",
                LonghornDisksArgs(
                    cluster=args.cluster,
                    node_name=node,
                    disks=node_disks,
                    may_lose_replicas=longhorn.allow_uninstall,
                    timeout_seconds=longhorn.timeout_seconds,
                ),
                pulumi.ResourceOptions(parent=self, depends_on=[release]),
            )
            for node, node_disks in args.disks_by_node.items()
        ]
        ready = LonghornReady(
            f"{name}-ready",
            LonghornReadyArgs(
                cluster=args.cluster,
                version=longhorn.version,
                disks_by_node={
                    node: [disk.mount_point for disk in disks]
                    for node, disks in args.disks_by_node.items()
                },
                default_storage_class=longhorn.default_storage_class,
                timeout_seconds=longhorn.timeout_seconds,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[release, *disks]),
        )
        self.version = ready.version
        self.default_storage_class = ready.default_class
        self.register_outputs(
            {"version": self.version, "defaultStorageClass": self.default_storage_class}
        )
