"""What Longhorn's resources have to put right, by what the stack file says. Pure."""

from collections.abc import Collection
from dataclasses import replace

from components.longhorn.default_class import class_finding
from components.longhorn.disks.findings import (
    absent_finding,
    cordon_finding,
    disks_finding,
    needed_finding,
)
from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.fields import is_true, status_of
from components.longhorn.findings import (
    LonghornFindings,
    backup_target_finding,
    line_of,
    settings_finding,
    tags_finding,
)
from components.longhorn.missing import gone_parts, is_newer, stopped
from components.longhorn.objects import NAMESPACE
from components.longhorn.policies.backup_credentials import secret_name
from components.longhorn.policies.backup_target import TARGET_SETTING, target_settings
from components.longhorn.policies.encryption_key import SECRET_NAME as ENCRYPTION_KEY
from components.longhorn.policies.kept_rules import policies_finding
from components.longhorn.removal.confirmation import SETTING as CONFIRMATION
from components.longhorn.settings import setting_values
from components.longhorn.storage import Storage
from components.longhorn.values import chart_values
from components.nodes.description import tolerated_taints
from configuration.backup import BackupSettings
from configuration.settings import Settings


def longhorn_findings(
    storage: Storage,
    settings: Settings,
    release: str | None,
    cordoned: Collection[str],
    *,
    own_cordons: Collection[str] = (),
    lacks_encryption_key: bool = False,
) -> LonghornFindings:
    """One line for each resource that has something to put right; none where the stack has none.

    Args:
        storage: Longhorn as the cluster has it.
        settings: What the stack file says.
        release: What is wrong with its Helm release.
        cordoned: Names of the nodes of Kubernetes that take no pods.
        own_cordons: Those of them that this stack has closed, where that was asked.
        lacks_encryption_key: Whether the Secret with the key of encrypted volumes is gone.
    """
    if not settings.stages.longhorn:
        return LonghornFindings()
    snapshot = storage.snapshot
    backup_settings, backup_target = _of_backup(storage, settings.longhorn.backup)
    nodes, longhorn = settings.present_nodes, settings.longhorn
    values = chart_values(
        longhorn,
        nodes_with_disks=settings.nodes_with_disks,
        tolerated=tolerated_taints(longhorn.tolerations, settings.control_plane.scheduling),
    )
    closed = [node.name for node in nodes if node.maintained and settings.disks_of(node)]
    disks = {
        node.name: line_of(
            line
            for line in (
                cordon_finding(
                    node.maintained,
                    is_cordoned=node.name in cordoned,
                    is_ours=node.name in own_cordons,
                ),
                disks_finding(
                    snapshot.nodes.get(node.name),
                    wanted_disks(settings.disks_of(node), {}),
                    is_closed=bool(node.maintained),
                    evicts_others=longhorn.other_disks == "evict",
                ),
                needed_finding(node.name, snapshot.nodes, closed, storage.replicas),
            )
            if line
        )
        for node in nodes
        if settings.disks_of(node)
    }
    tags = {node.name: tags_finding(snapshot.nodes.get(node.name), node.tags) for node in nodes}
    return LonghornFindings(
        # An upgrade to the version before is what Longhorn refuses, and the preflight tells.
        release=None
        if is_newer(snapshot, longhorn.version)
        else line_of([*([release] if release else []), *stopped(snapshot)]),
        settings=settings_finding(snapshot.settings, setting_values(values["defaultSettings"])),
        removal=settings_finding(snapshot.settings, {CONFIRMATION: "false"}),
        backup_settings=backup_settings,
        backup_target=backup_target,
        policies=policies_finding(snapshot, storage.recurring_jobs, settings),
        encryption_key=f"Secret {NAMESPACE}/{ENCRYPTION_KEY} is not there"
        if lacks_encryption_key
        else None,
        ready=line_of(
            line
            for line in (
                *gone_parts(snapshot),
                class_finding(snapshot, wants_default_class=longhorn.default_storage_class),
            )
            if line
        ),
        disks={name: line for name, line in disks.items() if line},
        tags={name: line for name, line in tags.items() if line},
    )


def with_absent_disks(
    found: LonghornFindings, storage: Storage, settings: Settings, with_disks: Collection[str]
) -> LonghornFindings:
    """The findings with the nodes of which Longhorn has no disk, as after they joined again.

    Before a manager runs anywhere, no node lacks more than Longhorn itself does.

    Args:
        found: What was found wrong in Longhorn.
        storage: Longhorn as the cluster has it.
        settings: What the stack file says.
        with_disks: Names of the nodes that Kubernetes has and on which each disk is mounted, or
            will be in this run.
    """
    nodes = storage.snapshot.nodes
    disks, tags = dict(found.disks), dict(found.tags)
    if not any(is_true(status_of(each), "Ready") for each in nodes.values()):
        return found
    for node in settings.present_nodes:
        there, wanted = nodes.get(node.name), wanted_disks(settings.disks_of(node), {})
        absent = absent_finding(there, wanted)
        if absent is None or node.maintained or node.name not in with_disks:
            continue
        before = disks.get(node.name)
        disks[node.name] = f"{before}; {absent}" if before else absent
        lacking = tags_finding(there or {}, node.tags)
        if lacking:
            tags[node.name] = lacking
    return replace(found, disks=disks, tags=tags)


def _of_backup(storage: Storage, backup: BackupSettings | None) -> tuple[str | None, str | None]:
    """Which settings of the backup target differ, and why Longhorn can't use the wanted one."""
    if backup is None:
        return None, None
    found = storage.snapshot.settings
    wanted = target_settings(backup.target, secret_name(backup), backup.poll_seconds)
    changed = settings_finding(found, wanted)
    if settings_finding(found, {TARGET_SETTING: backup.target}):
        # What Longhorn says of another target is nothing about the wanted one.
        return changed, None
    return changed, backup_target_finding(storage.backup_targets, backup.target)
