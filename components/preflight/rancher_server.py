"""Rancher's containers on the Docker host: whether they run, and how Rancher's backups are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi

from components.preflight.deadline import asking
from components.preflight.rancher_backup import check_rancher_backup
from components.preflight.report import CheckResult
from configuration.rancher import RancherSettings
from configuration.settings import Settings

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class RancherSeen:
    """What the Docker host said; nothing where it was not asked, or did not answer."""

    results: Sequence[CheckResult] = ()
    finding: str | None = None
    """Which containers do not run, in one line."""
    unread: str | None = None
    """Why the Docker host said nothing."""


def look_at_rancher(settings: Settings, owner: str) -> Callable[[], RancherSeen]:
    """Begin to ask the Docker host; what is returned waits for the answer.

    Args:
        settings: What the stack file says.
        owner: What `this_stack` tells.
    """
    rancher = settings.rancher
    if rancher is None or not settings.stages.rancher or not settings.checks.read_hosts:
        return RancherSeen

    def unanswered(problem: str) -> RancherSeen:
        pulumi.log.warn(f"Rancher's containers could not be looked at: {problem}")
        return RancherSeen(unread=problem)

    return asking(_SECONDS, lambda: _looked(rancher, owner), unanswered)


def _looked(rancher: RancherSettings, owner: str) -> RancherSeen:
    # Only stacks with a Rancher server need Docker's client before anything is declared.
    from components.rancher.server.reading import read_server
    from components.rancher.server.running_rules import running_finding

    found, now = read_server(rancher, owner), datetime.now(UTC)
    return RancherSeen(
        results=list(check_rancher_backup(rancher, found.backup, now)),
        finding=running_finding(found.containers, rancher.docker_host, now),
    )
