"""Longhorn, its interface and its check, declared from a stack's settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.longhorn_frontend import LonghornFrontend, LonghornFrontendArgs
from components.longhorn_release import LonghornRelease, LonghornReleaseArgs
from components.volume_check import VolumeCheck, VolumeCheckArgs
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class LonghornParts:
    """What of Longhorn the stack has; None for a stage that is off."""

    release: LonghornRelease | None = None
    frontend: LonghornFrontend | None = None
    check: VolumeCheck | None = None


def declare_longhorn(
    settings: Settings,
    cluster: pulumi.ProviderResource | None,
    before: Sequence[pulumi.Resource],
) -> LonghornParts:
    """Release, frontend and volume check.

    Args:
        settings: The stack's settings.
        cluster: Provider of the cluster; None where no stage uses it.
        before: What must be done before Longhorn starts: every node, since the manager
            crash-loops on a node without iscsiadm.
    """
    if cluster is None:
        return LonghornParts()
    providers = [cluster]
    release = _release(settings, providers, before) if settings.stages.longhorn else None
    after = [release] if release is not None else list(before)
    frontend = None
    if settings.stages.frontend:
        frontend = LonghornFrontend(
            "longhorn-frontend",
            LonghornFrontendArgs(
                frontend=settings.frontend,
                node_address=settings.nodes[0].host if settings.nodes else None,
                basic_auth=settings.secret("frontendBasicAuth"),
            ),
            pulumi.ResourceOptions(providers=providers, depends_on=after),
        )
    check = None
    if settings.stages.volume_check:
        check = VolumeCheck(
            "volume-check",
            VolumeCheckArgs(
                check=settings.volume_check,
                cluster=settings.cluster,
                longhorn_version=settings.longhorn.version,
            ),
            pulumi.ResourceOptions(depends_on=after),
        )
    return LonghornParts(release=release, frontend=frontend, check=check)


def _release(
    settings: Settings,
    providers: list[pulumi.ProviderResource],
    before: Sequence[pulumi.Resource],
) -> LonghornRelease:
    disks_by_node = {node.name: settings.disks_of(node) for node in settings.nodes}
    return LonghornRelease(
        "longhorn",
        LonghornReleaseArgs(
            longhorn=settings.longhorn,
            cluster=settings.cluster,
            disks_by_node={node: disks for node, disks in disks_by_node.items() if disks},
            tolerate_control_plane=settings.control_plane.scheduling == "tolerate",
        ),
        pulumi.ResourceOptions(providers=providers, depends_on=before),
    )
