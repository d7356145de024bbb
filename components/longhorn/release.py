"""The Helm release of Longhorn and the wait until all of Longhorn runs."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.api import ClusterApi
from components.cluster.helm_records import forget_release, forget_unfinished
from components.cluster.helm_rights import make_rights
from components.common.owner import MARK, this_stack
from components.longhorn.disks.disks import LonghornDisks
from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.findings import LonghornFindings
from components.longhorn.node_tags import LonghornNodeTags
from components.longhorn.objects import NAMESPACE
from components.longhorn.ready import LonghornReady
from components.longhorn.removal.guard import LonghornRemovalGuard
from components.longhorn.removal.uninstall import LonghornUninstall
from components.longhorn.settings import LonghornSettingValues, setting_values
from components.longhorn.values import chart_values
from components.nodes.description import Tolerated
from configuration.cluster import ClusterSettings
from configuration.stack_file import StackFile

RELEASE_NAME = "longhorn"


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
        self,
        name: str,
        *,
        file: StackFile,
        nodes: Mapping[str, pulumi.Resource],
        uuids: Mapping[str, Mapping[str, pulumi.Input[str]]],
        registry_password: pulumi.Output[str] | None,
        tolerated: Sequence[Tolerated],
        found: LonghornFindings,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            nodes: What prepares a node, by its name, where the stack does; its disks leave Longhorn
                before they are unmounted.
            uuids: UUIDs of the disks' file systems by node and mount point, where the stack makes
                them.
            registry_password: The secret for longhorn.registryUser.
            tolerated: The taints that Longhorn runs on.
            found: What is wrong in the cluster right now, for Pulumi's diff.
        """
        super().__init__("longhornrancher:longhorn:Release", name, None, opts)
        cluster, longhorn = file.cluster, file.longhorn
        disks_by_node = [
            (node, wanted_disks(file.disks_of(node), uuids.get(node.name, {})))
            for node in file.nodes
            if file.disks_of(node)
        ]
        uninstall = LonghornUninstall(
            f"{name}-uninstall",
            cluster=cluster,
            longhorn=longhorn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=NAMESPACE,
                # Longhorn's pods are privileged; without the label, Pod Security refuses them
                # on clusters that enforce `baseline` or `restricted` by default.
                labels={"pod-security.kubernetes.io/enforce": "privileged"},
                annotations={MARK: this_stack()},
            ),
            # Deleting the namespace deletes every volume. So a replacement must not, and at the
            # end LonghornUninstall does it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[uninstall], retain_on_delete=True),
        )
        local_chart = longhorn.chart_path
        values = chart_values(
            longhorn,
            nodes_with_disks=file.nodes_with_disks,
            tolerated=tolerated,
            registry_password=registry_password,
        )
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
            values=values,
            # Helm keeps it with the revision; a change of it alone is an upgrade, which installs
            # what a failed one has left out.
            description=found.release and f"repaired: {found.release}",
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
                ignore_changes=[] if found.release else ["description"],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=timeout, update=timeout, delete=timeout
                ),
                hooks=pulumi.ResourceHookBinding(
                    before_create=[_hook(f"{name}-before-install", cluster, _before_install)],
                    before_update=[_hook(f"{name}-before-upgrade", cluster, _before_upgrade)],
                ),
            ),
        )
        disks = [
            LonghornDisks(
                f"{name}-{node.name}-disks",
                cluster=cluster,
                longhorn=longhorn,
                node_name=node.name,
                disks=node_disks,
                lost=node.lost,
                maintenance=node.maintained,
                finding=found.disks.get(node.name),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[release, *([nodes[node.name]] if node.name in nodes else [])],
                ),
            )
            for node, node_disks in disks_by_node
        ]
        ready = LonghornReady(
            f"{name}-ready",
            cluster=cluster,
            longhorn=longhorn,
            disks_by_node={node.name: each for node, each in disks_by_node if not node.lost},
            closed=[node.name for node in file.nodes if node.maintained],
            finding=found.ready,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[release, *disks]),
        )
        for node in file.present_nodes:
            if node.tags:
                LonghornNodeTags(
                    f"{name}-{node.name}-tags",
                    cluster=cluster,
                    node_name=node.name,
                    tags=node.tags,
                    timeout_seconds=longhorn.timeout_seconds,
                    finding=found.tags.get(node.name),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[ready]),
                )
        LonghornSettingValues(
            f"{name}-settings",
            cluster=cluster,
            values=setting_values(values["defaultSettings"]),
            finding=found.settings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ready]),
        )
        self.guarded = [namespace, release]
        # As early as there is something to guard, so that a later step that fails leaves no stack
        # without it. The whole stack's own guard comes last (components/stack/guard.py).
        LonghornRemovalGuard(
            f"{name}-removal-guard",
            cluster=cluster,
            allow_uninstall=longhorn.allow_uninstall,
            # Taken back before anything is deleted: with it the removal of a node would leave its
            # disks to an uninstallation that does not come.
            finding=found.removal,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[release], replace_with=self.guarded
            ),
        )
        self.version = ready.version
        self.default_storage_class = ready.default_class
        self.register_outputs(
            {"version": self.version, "defaultStorageClass": self.default_storage_class}
        )


def _hook(
    name: str, settings: ClusterSettings, prepare: Callable[[ClusterApi], Iterable[str]]
) -> pulumi.ResourceHook:
    """Lets Helm go on where an interrupted run, or somebody, left it in the middle."""

    async def clear(_args: pulumi.ResourceHookArgs) -> None:
        cluster = ClusterApi(settings.kubeconfig, settings.context)
        for said in await asyncio.to_thread(lambda: [*prepare(cluster)]):
            pulumi.log.info(said)

    return pulumi.ResourceHook(name, clear)


def _before_install(cluster: ClusterApi) -> Iterator[str]:
    for record in forget_release(cluster, NAMESPACE, RELEASE_NAME):
        yield f"Helm's record of an interrupted run was removed: {record}"


def _before_upgrade(cluster: ClusterApi) -> Iterator[str]:
    for record in forget_unfinished(cluster, NAMESPACE, RELEASE_NAME):
        yield f"Helm's record of an interrupted run was removed: {record}"
    for made in make_rights(cluster, NAMESPACE, RELEASE_NAME):
        yield f"made again, since the chart's own hooks need it: {made}"
