"""Whether Rancher's data has a backup as young as the stack file asks for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from components.preflight.report import CheckResult
from configuration.rancher import RancherSettings
from configuration.rancher_backup import LONGEST_BACKUP

if TYPE_CHECKING:
    from components.rancher.server.backup.reading import BackupFacts


def check_rancher_backup(
    rancher: RancherSettings, found: "BackupFacts | None", now: datetime
) -> Iterator[CheckResult]:
    """A warning when no backup could be made, or the newest is older than the schedule allows.

    Pure.

    Args:
        rancher: With a backup; without one nothing is asked for.
        found: What there is; None where the container does not run, which the preview shows itself.
        now: The time, with its zone.
    """
    backup, name = rancher.backup, f"{rancher.container_name}-backup"
    if backup is None or found is None:
        return
    allowed = timedelta(seconds=backup.period_seconds) + LONGEST_BACKUP
    last = found.newest or found.started
    if found.problem:
        yield _warning(
            rancher,
            f"container {name} could make no backup of Rancher's data: {found.problem}",
            "Correct rancher.backup (folder, dockerSocket), or what keeps the container from them.",
        )
    elif last is not None and now - last > allowed:
        age = (
            "has no backup"
            if found.newest is None
            else f"was backed up last on {found.newest:%F %R} UTC"
        )
        yield _warning(
            rancher,
            f"Rancher's data {age}, and rancher.backup asks for one every "
            f"{f'{backup.every_days} days' if backup.every_days > 1 else 'day'}",
            f"See why on the Docker host: docker logs --tail 20 {name}.",
        )


def _warning(rancher: RancherSettings, found: str, remedy: str) -> CheckResult:
    where = f"Docker host {rancher.docker_host}"
    return CheckResult(
        node=where, check="rancherBackup", severity="warning", found=found, remedy=remedy
    )
