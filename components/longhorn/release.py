"""The Helm release of Longhorn and the wait until all of Longhorn runs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.api import ClusterApi
from components.cluster.helm_records import forget_release, forget_unfinished
from components.common.owner import MARK, this_stack
from components.longhorn.disks.disks import LonghornDisks, LonghornDisksArgs
from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.node_tags import LonghornNodeTags, LonghornNodeTagsArgs
from components.longhorn.objects import NAMESPACE
from components.longhorn.ready import LonghornReady, LonghornReadyArgs
from components.longhorn.removal.guard import LonghornRemovalGuard, LonghornRemovalGuardArgs
from components.longhorn.removal.uninstall import LonghornUninstall, LonghornUninstallArgs
from components.longhorn.values import chart_values
from components.nodes.description import Tolerated
from configuration.cluster import ClusterSettings
from configuration.hosts import DiskSettings
from configuration.longhorn import LonghornSettings

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
    nodes: Mapping[str, pulumi.Resource]
    """What prepares a node, by its name, where the stack does; its disks leave Longhorn before they
    are unmounted."""
    lost_nodes: frozenset[str]
    """Those of these nodes that are gone for good."""
    registry_password: pulumi.Output[str] | None = None
    """The secret for longhorn.registryUser."""
    tags_by_node: Mapping[str, Sequence[str]]
    """The tags of nodes that have some, by node name."""
    uuids: Mapping[str, Mapping[str, pulumi.Input[str]]]
    """UUIDs of the disks' file systems by node and mount point, where the stack makes them."""
    tolerated: Sequence[Tolerated]
    """The taints that Longhorn runs on."""
    found: str | None = None
    """What is wrong with the release in the cluster right now, for the engine's diff."""


class LonghornRelease(pulumi.ComponentResource):
    """Owns namespace longhorn-system, the release `longhorn`, and that all of it runs.

    Refuses to own volumes: it is removed only while there are none, or if longhorn.allowUninstall
    is true (see LonghornRemovalGuard). A Helm Release and not a Chart, because the chart's upgrade
    and uninstall hooks must run; never atomic, because Longhorn refuses a downgrade
    (longhorn-manager v1.5.3, upgrade/util/util.go).
    """

    version: pulumi.Output[str]
    """Longhorn's version, known once everything runs."""
    guarded: list[pulumi.Resource]
    """What may not be replaced while Longhorn holds volumes."""
    default_storage_class: pulumi.Output[str]
    """The cluster's one default StorageClass, empty if the stack wants none."""

    def __init__(
        self, name: str, args: LonghornReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:longhorn:Release", name, None, opts)
        longhorn, owner = args.longhorn, this_stack()
        present = {
            node: disks for node, disks in args.disks_by_node.items() if node not in args.lost_nodes
        }
        uninstall = LonghornUninstall(
            f"{name}-uninstall",
            LonghornUninstallArgs(
                cluster=args.cluster,
                allow_uninstall=longhorn.allow_uninstall,
                timeout_seconds=longhorn.timeout_seconds,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=NAMESPACE,
                # Longhorn's pods are privileged; without the label, Pod Security refuses them
                # on clusters that enforce `baseline` or `restricted` by default.
                labels={"pod-security.kubernetes.io/enforce": "privileged"},
                annotations={MARK: owner},
            ),
            # Deleting the namespace deletes every volume. So a replacement must not, and at the
            # end LonghornUninstall does it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[uninstall], retain_on_delete=True),
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
                nodes_with_disks=len(present),
                tolerated=args.tolerated,
                registry_password=args.registry_password,
            ),
            # Helm keeps it with the revision; a change of it alone is an upgrade, which installs
            # what a failed one has left out.
            description=args.found and f"repaired: {args.found}",
            atomic=False,
            # LonghornReady and LonghornUninstall wait, and see more than Helm does.
            skip_await=True,
            timeout=longhorn.timeout_seconds,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[namespace, uninstall],
                # Two releases of one name are one: the old one's removal would take the new one.
                delete_before_replace=True,
                # A repair leaves its reason in the state.
                ignore_changes=[] if args.found else ["description"],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=timeout, update=timeout, delete=timeout
                ),
                hooks=pulumi.ResourceHookBinding(
                    before_create=[_hook(f"{name}-before-install", args.cluster, forget_release)],
                    before_update=[
                        _hook(f"{name}-before-upgrade", args.cluster, forget_unfinished)
                    ],
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
                    uuids=args.uuids.get(node, {}),
                    owner=owner,
                    lost=node in args.lost_nodes,
                    timeout_seconds=longhorn.timeout_seconds,
                    eviction_timeout_seconds=longhorn.eviction_timeout_seconds,
                ),
                pulumi.ResourceOptions(parent=self, depends_on=[release, *_of(args.nodes, node)]),
            )
            for node, node_disks in args.disks_by_node.items()
        ]
        ready = LonghornReady(
            f"{name}-ready",
            LonghornReadyArgs(
                cluster=args.cluster,
                version=longhorn.version,
                disks_by_node={
                    node: wanted_disks(disks, args.uuids.get(node, {}))
                    for node, disks in present.items()
                },
                owner=owner,
                default_storage_class=longhorn.default_storage_class,
                timeout_seconds=longhorn.timeout_seconds,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[release, *disks]),
        )
        for node, tags in args.tags_by_node.items():
            LonghornNodeTags(
                f"{name}-{node}-tags",
                LonghornNodeTagsArgs(
                    cluster=args.cluster,
                    node_name=node,
                    tags=tags,
                    timeout_seconds=longhorn.timeout_seconds,
                ),
                pulumi.ResourceOptions(parent=self, depends_on=[ready]),
            )
        self.guarded = [namespace, release]
        # As early as there is something to guard, so that a later step that fails leaves no stack
        # without it. The whole stack's own guard comes last (stack_longhorn).
        LonghornRemovalGuard(
            f"{name}-removal-guard",
            LonghornRemovalGuardArgs(
                cluster=args.cluster, allow_uninstall=longhorn.allow_uninstall
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[release], replace_with=self.guarded),
        )
        self.version = ready.version
        self.default_storage_class = ready.default_class
        self.register_outputs(
            {"version": self.version, "defaultStorageClass": self.default_storage_class}
        )


def _hook(
    name: str, settings: ClusterSettings, forget: Callable[[ClusterApi, str, str], list[str]]
) -> pulumi.ResourceHook:
    """Lets Helm go on where an interrupted run left it in the middle."""

    async def clear(_args: pulumi.ResourceHookArgs) -> None:
        cluster = ClusterApi(settings.kubeconfig, settings.context)
        for record in await asyncio.to_thread(forget, cluster, NAMESPACE, RELEASE_NAME):
            pulumi.log.info(f"Helm's record of an interrupted run was removed: {record}")

    return pulumi.ResourceHook(name, clear)


def _of(nodes: Mapping[str, pulumi.Resource], name: str) -> list[pulumi.Resource]:
    return [nodes[name]] if name in nodes else []
