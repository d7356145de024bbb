"""Longhorn as it is right now: what its resources have to put right, and what nobody owns."""

from dataclasses import dataclass, field

from components.cluster.api import ClusterApi
from components.longhorn.disks.findings import disks_finding
from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.findings import (
    LonghornFindings,
    class_finding,
    settings_finding,
    tags_finding,
)
from components.longhorn.settings import setting_values
from components.longhorn.snapshot import Snapshot
from components.longhorn.storage import read_storage
from components.longhorn.values import chart_values
from components.nodes.description import tolerated_taints
from components.preflight.release import release_finding
from components.preflight.report import CheckResult
from components.preflight.storage_health import check_losses, check_storage
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class LonghornSeen:
    """What one look at Longhorn tells."""

    findings: LonghornFindings = field(default_factory=LonghornFindings)
    """For its resources."""
    results: list[CheckResult] = field(default_factory=list[CheckResult])
    """What only a person can put right."""


def read_longhorn(api: ClusterApi, settings: Settings) -> LonghornSeen:
    """Ask once for each kind of object; a cluster without Longhorn has nothing to tell.

    Raises whatever the client raises when the cluster does not answer.
    """
    release = release_finding(api)
    storage = read_storage(api)
    if storage is None:
        return LonghornSeen(findings=LonghornFindings(release=release))
    results = list(check_storage(storage))
    if settings.checks.survive is not None:
        results += check_losses(storage)
    return LonghornSeen(
        findings=longhorn_findings(storage.snapshot, settings, release), results=results
    )


def longhorn_findings(
    snapshot: Snapshot, settings: Settings, release: str | None
) -> LonghornFindings:
    """What its resources have to put right. Pure."""
    nodes, longhorn = settings.present_nodes, settings.longhorn
    values = chart_values(
        longhorn,
        nodes_with_disks=settings.nodes_with_disks,
        tolerated=tolerated_taints(
            longhorn.tolerations, control_plane=settings.control_plane.scheduling == "tolerate"
        ),
    )
    disks = {
        node.name: disks_finding(
            snapshot.nodes.get(node.name), wanted_disks(settings.disks_of(node), {})
        )
        for node in nodes
        if settings.disks_of(node)
    }
    tags = {node.name: tags_finding(snapshot.nodes.get(node.name), node.tags) for node in nodes}
    return LonghornFindings(
        release=release,
        settings=settings_finding(snapshot.settings, setting_values(values["defaultSettings"])),
        default_class=class_finding(snapshot, wants_default_class=longhorn.default_storage_class),
        disks={name: line for name, line in disks.items() if line},
        tags={name: line for name, line in tags.items() if line},
    )
