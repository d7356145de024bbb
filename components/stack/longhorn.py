"""Longhorn, its interface and its check, declared from a stack's settings."""

from collections.abc import Mapping, Sequence

import pulumi

from components.longhorn.findings import LonghornFindings
from components.longhorn.frontend import LonghornFrontend
from components.longhorn.monitoring.monitoring import LonghornMonitoring
from components.longhorn.policies.policies import LonghornPolicies
from components.longhorn.release import LonghornRelease
from components.longhorn.upgrade import LonghornUpgrade
from components.nodes.description import Tolerated, tolerated_taints, tolerations
from components.nodes.node import LonghornNode
from components.stack.parts import LonghornParts
from components.volume_check.check import VolumeCheck
from configuration.secrets import Secret
from configuration.settings import Settings


def declare_longhorn(
    settings: Settings,
    cluster: pulumi.ProviderResource | None,
    nodes: Mapping[str, LonghornNode],
    untaints: Sequence[pulumi.Resource],
    found: LonghornFindings,
    parent: pulumi.Resource | None = None,
) -> LonghornParts:
    """Release, policies, monitoring, frontend and volume check.

    Args:
        cluster: Provider of the cluster; None where no stage uses it.
        nodes: What prepares each node, by its name. All of it is done before Longhorn starts,
            since the manager crash-loops on a node without iscsiadm.
        untaints: What opens control-plane nodes; done before Longhorn starts, too.
        found: What is wrong in Longhorn right now.
        parent: What it is a part of; the stack itself if None.
    """
    if cluster is None:
        return LonghornParts()
    providers = [cluster]
    tolerated = tolerated_taints(settings.longhorn.tolerations, settings.control_plane.scheduling)
    release = None
    if settings.stages.longhorn:
        release = _release(settings, providers, nodes, untaints, tolerated, found, parent)
    after: list[pulumi.Resource] = (
        [release] if release is not None else [*nodes.values(), *untaints]
    )
    policies = None
    if release is not None and _has_policies(settings):
        policies = LonghornPolicies(
            "longhorn-policies",
            file=settings,
            backup_password=settings.secret(Secret.LONGHORN_BACKUP_PASSWORD),
            encryption_key=settings.secret(Secret.LONGHORN_ENCRYPTION_KEY),
            found=found,
            opts=pulumi.ResourceOptions(parent=parent, providers=providers, depends_on=after),
        )
        after = [policies]
    if release is not None and settings.longhorn.monitoring is not None:
        LonghornMonitoring(
            "longhorn-monitoring",
            cluster=settings.cluster,
            longhorn=settings.longhorn,
            monitoring=settings.longhorn.monitoring,
            found=found.monitoring,
            opts=pulumi.ResourceOptions(parent=parent, providers=providers, depends_on=[release]),
        )
    frontend = None
    if settings.stages.frontend:
        frontend = LonghornFrontend(
            "longhorn-frontend",
            cluster=settings.cluster,
            frontend=settings.frontend,
            node_address=next((node.host for node in settings.present_nodes), None),
            basic_auth=settings.secret(Secret.FRONTEND_BASIC_AUTH),
            found=found.frontend,
            opts=pulumi.ResourceOptions(parent=parent, providers=providers, depends_on=after),
        )
    check = None
    if settings.stages.volume_check:
        check = VolumeCheck(
            "volume-check",
            check=settings.volume_check,
            cluster=settings.cluster,
            longhorn=settings.longhorn,
            tolerations=tolerations(tolerated),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=after),
        )
    return LonghornParts(release=release, policies=policies, frontend=frontend, check=check)


def _has_policies(settings: Settings) -> bool:
    longhorn = settings.longhorn
    return bool(
        longhorn.backup
        or longhorn.recurring_jobs
        or longhorn.storage_classes
        or settings.has(Secret.LONGHORN_ENCRYPTION_KEY)
    )


def _release(
    settings: Settings,
    providers: list[pulumi.ProviderResource],
    nodes: Mapping[str, LonghornNode],
    untaints: Sequence[pulumi.Resource],
    tolerated: Sequence[Tolerated],
    found: LonghornFindings,
    parent: pulumi.Resource | None,
) -> LonghornRelease:
    # Not below the release's component, whose parts wait for every node: what is in the way is
    # reported first.
    upgrade = LonghornUpgrade(
        "longhorn-upgrade",
        cluster=settings.cluster,
        version=settings.longhorn.version,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return LonghornRelease(
        "longhorn",
        file=settings,
        nodes=nodes,
        uuids={
            name: {path: disk.uuid for path, disk in node.disks.items()}
            for name, node in nodes.items()
        },
        registry_password=settings.secret(Secret.LONGHORN_REGISTRY_PASSWORD),
        tolerated=tolerated,
        found=found,
        opts=pulumi.ResourceOptions(
            parent=parent, providers=providers, depends_on=[upgrade, *nodes.values(), *untaints]
        ),
    )
