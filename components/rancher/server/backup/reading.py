"""What there is of backups of Rancher's data. Reads only."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from components.docker.exec import run_over
from components.docker.state import RESTARTING, ContainerState

SCRIPT = "/rancher-backup.sh"
_FOLDER = "/backup"
# Names of backup.sh.
_MARK, _UNFINISHED = ".rancher-stopped", ".unfinished"
_MADE = re.compile(r"-(\d{8}T\d{6}Z)-")


@dataclass(frozen=True, kw_only=True)
class BackupFacts:
    """The last of the backups, and whether there could be one more."""

    started: datetime | None
    """When the container that makes them was made."""
    newest: datetime | None
    """When the newest archive was begun; None without one."""
    problem: str = ""
    """Why no backup could be made right now, in the container's words; empty if one could."""


@dataclass(frozen=True, kw_only=True)
class BackupWork:
    """What a backup does right now."""

    has_stopped_rancher: bool = False
    """Whether it has stopped Rancher, and is to start it again."""
    is_packing: bool = False
    """Whether Rancher's data is being packed, or was until a moment ago."""


def backup_container(container_name: str) -> str:
    """The name of the container that makes backups.

    Args:
        container_name: Rancher's.
    """
    return f"{container_name}-backup"


def read_backup(
    api: httpx.Client, docker_host: str, container_name: str, backup: ContainerState
) -> BackupFacts | None:
    """Ask the container that makes backups; None where it does not run.

    Args:
        api: What `docker_api` gave.
        docker_host: The Docker host, for messages.
        container_name: Rancher's container.
        backup: The container that makes backups.
    """
    if backup.status == RESTARTING:
        problem = f"it ends, and is started again, with exit code {backup.exit_code}"
        return BackupFacts(started=backup.made, newest=None, problem=problem)
    if not backup.is_running:
        return None
    words = ["sh", SCRIPT, "newest", container_name]
    try:
        newest = made_at(run_over(api, docker_host, backup.name, words).strip())
    except (RuntimeError, httpx.HTTPError) as error:
        # Such as a folder that hangs: whether Rancher runs is known all the same.
        return BackupFacts(started=backup.made, newest=None, problem=str(error))
    return BackupFacts(
        started=backup.made,
        newest=newest,
        problem=(backup.health_said or "no reason is given")
        if backup.health == "unhealthy"
        else "",
    )


def read_work(api: httpx.Client, docker_host: str, backup: str) -> BackupWork:
    """Ask the container that makes backups, which must run.

    What one that does not run has left there is none: it clears it away when it starts. Where its
    folder can't be read, data may be packed at that moment.
    """
    try:
        found = run_over(api, docker_host, backup, ["ls", "-A", _FOLDER]).splitlines()
    except (RuntimeError, httpx.HTTPError):
        return BackupWork(is_packing=True)
    return BackupWork(has_stopped_rancher=_MARK in found, is_packing=_UNFINISHED in found)


def made_at(archive: str) -> datetime | None:
    """The time in an archive's name. Pure."""
    found = _MADE.search(archive)
    if found is None:
        return None
    return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
