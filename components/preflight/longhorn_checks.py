"""All that is checked in a Longhorn that runs, for previews and `make status` alike. Pure."""

from collections.abc import Iterator
from datetime import datetime

from components.longhorn.missing import is_newer
from components.longhorn.snapshot import Snapshot
from components.longhorn.storage import Storage
from components.longhorn.upgrade_rules import way_on
from components.preflight.backup_age import check_backup_age
from components.preflight.maintenance import check_maintenance
from components.preflight.policies import check_changed_classes, check_recurring_jobs
from components.preflight.report import CheckResult, of_cluster
from components.preflight.storage_health import check_losses, check_pods, check_storage
from configuration.settings import Settings


def check_longhorn(storage: Storage, settings: Settings, now: datetime) -> Iterator[CheckResult]:
    """What no resource of the stack can put right.

    Where Longhorn is not part of the stack, only its volumes and disks are looked at.

    Args:
        storage: Longhorn as the cluster has it.
        settings: What the stack file says.
        now: The time, with its zone, from which the age of backups counts.
    """
    closed = [node.name for node in settings.present_nodes if node.maintained]
    yield from check_storage(storage, closed)
    if settings.checks.survive is not None:
        yield from check_losses(storage)
    if not settings.stages.longhorn:
        return
    yield from check_version(storage.snapshot, settings.longhorn.version)
    yield from check_pods(storage.snapshot, closed)
    yield from check_backup_age(storage.volumes, settings.longhorn.backup, now)
    yield from check_recurring_jobs(storage.volumes, settings)
    yield from check_changed_classes(storage.snapshot.class_parts, settings)
    yield from check_maintenance(storage, closed)


def check_version(snapshot: Snapshot, wanted: str) -> Iterator[CheckResult]:
    """An error where a later Longhorn runs than the stack's: somebody else has upgraded it.

    Every part of the stack would go by the wrong version, and Longhorn itself refuses the way back
    (longhorn-manager v1.5.3, upgrade/util/util.go).
    """
    if is_newer(snapshot, wanted):
        running = str(snapshot.version)
        yield of_cluster(
            "longhornVersion",
            "error",
            f"Longhorn {running} runs, which can't go back to {wanted}: Longhorn refuses to start "
            "on what a later version has changed",
            f"{way_on(running)}.",
        )
