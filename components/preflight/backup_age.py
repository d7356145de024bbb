"""Volumes whose last backup is older than the stack file allows. Pure.

Source of the fields: longhorn-manager v1.5.3, k8s/pkg/apis/longhorn/v1beta2/volume.go: the manager
writes `status.lastBackupAt` when it has read the backup target.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from components.common.answers import mapped, time_in
from components.common.names import some_names
from components.longhorn.fields import Object, name_of, spec_of, status_of
from components.longhorn.volumes import claim_text
from components.preflight.report import CheckResult, of_cluster
from configuration.backup import BackupSettings


def check_backup_age(
    volumes: Iterable[Object], backup: BackupSettings | None, now: datetime
) -> Iterator[CheckResult]:
    """One warning with every volume that has no backup as young as that.

    A volume that is younger itself may still get its first one; one that a disaster-recovery
    volume follows from elsewhere (`spec.Standby`) has none of its own.

    Args:
        volumes: Every volumes.longhorn.io object.
        backup: The stack's; without it, or without its maximumAgeHours, nothing is asked for.
        now: The time, with its zone.
    """
    if backup is None or backup.maximum_age_hours is None:
        return
    oldest = now - timedelta(hours=backup.maximum_age_hours)
    old = [_told(volume) for volume in volumes if _is_old(volume, oldest)]
    if old:
        yield of_cluster(
            "backupAge",
            "warning",
            f"{len(old)} volume{'s' if len(old) > 1 else ''} without a backup of the last "
            f"{backup.maximum_age_hours} hours: {some_names(sorted(old))}",
            "See whether a job of longhorn.recurringJobs with task backup reaches them, and what "
            "Longhorn's interface says under Backup.",
        )


def _is_old(volume: Object, oldest: datetime) -> bool:
    made = time_in(mapped(volume.get("metadata")).get("creationTimestamp"))
    if spec_of(volume).get("Standby") is True or (made is not None and made > oldest):
        return False
    last = time_in(status_of(volume).get("lastBackupAt"))
    return last is None or last < oldest


def _told(volume: Object) -> str:
    claim = claim_text(volume)
    last = status_of(volume).get("lastBackupAt")
    noted = [f"claim {claim}"] * bool(claim) + [f"last {last}" if last else "never"]
    return f"{name_of(volume)} ({', '.join(noted)})"
