"""Whether Rancher's data has a backup as young as the stack file asks for."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pulumi

from components.preflight.deadline import asking
from components.preflight.report import CheckResult
from configuration.rancher import RancherSettings
from configuration.settings import Settings

if TYPE_CHECKING:
    from components.rancher.server.backup.reading import BackupFacts

_SECONDS = 30.0
# For Rancher to stop, and its data to be packed.
_LATE = timedelta(hours=2)


def look_at_backup(settings: Settings) -> Callable[[], list[CheckResult]]:
    """Begin to ask the Docker host; what is returned waits for the answer."""
    rancher = settings.rancher
    is_looked_at = settings.stages.rancher and settings.checks.read_hosts
    if rancher is None or rancher.backup is None or not is_looked_at:
        return list

    def unanswered(problem: str) -> list[CheckResult]:
        pulumi.log.warn(f"Rancher's backups could not be looked at: {problem}")
        return []

    return asking(_SECONDS, lambda: _looked(rancher), unanswered)


def _looked(rancher: RancherSettings) -> list[CheckResult]:
    # Only stacks with a backup need Docker's client before anything is declared.
    from components.rancher.server.backup.reading import read_backup

    return list(check_rancher_backup(rancher, read_backup(rancher), datetime.now(UTC)))


def check_rancher_backup(
    rancher: RancherSettings, found: "BackupFacts | None", now: datetime
) -> Iterator[CheckResult]:
    """A warning when no backup could be made, or the newest is older than the schedule allows.

    Pure.

    Args:
        rancher: With a backup; without one nothing is asked for.
        found: What there is; None before the container is made, which the preview shows itself.
        now: The time, with its zone.
    """
    backup, name = rancher.backup, f"{rancher.container_name}-backup"
    if backup is None or found is None:
        return
    allowed = timedelta(seconds=backup.period_seconds) + _LATE
    if not found.is_running:
        yield _warning(
            rancher,
            f"container {name} does not run, so Rancher's data is not backed up",
            f"docker start {name} on the Docker host; and docker start {rancher.container_name} if "
            "it was killed while it had stopped Rancher.",
        )
    elif found.problem:
        yield _warning(
            rancher,
            f"container {name} could make no backup of Rancher's data: {found.problem}",
            "Correct rancher.backup (folder, dockerSocket), or what keeps the container from them.",
        )
    elif now - (found.newest or found.started) > allowed:
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
