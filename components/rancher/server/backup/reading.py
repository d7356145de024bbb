"""What there is of backups of Rancher's data. Reads only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from components.common.answers import listed, mapped
from components.docker.api import docker_api
from components.docker.exec import run_in_container
from components.docker.facts import inspected
from configuration.rancher import RancherSettings

SCRIPT = "/rancher-backup.sh"
_MADE = re.compile(r"-(\d{8}T\d{6}Z)-")


@dataclass(frozen=True, kw_only=True)
class BackupFacts:
    """The container that makes backups, and the last of them."""

    is_running: bool
    started: datetime
    """When the container was made."""
    newest: datetime | None
    """When the newest archive was begun; None without one, and where the container is away."""
    problem: str = ""
    """Why no backup could be made right now, in the container's words; empty if one could."""


def backup_container(rancher: RancherSettings) -> str:
    """The name of the container that makes backups."""
    return f"{rancher.container_name}-backup"


def read_backup(rancher: RancherSettings) -> BackupFacts | None:
    """Ask the Docker engine; None where there is no such container.

    Raises RuntimeError naming the Docker host when it does not answer.
    """
    name, where = backup_container(rancher), (rancher.docker_host, rancher.docker_host_key)
    with docker_api(
        *where,
        f"container {name} could not be looked at",
        "Start the Docker engine, or correct rancher.dockerHost.",
    ) as api:
        said = inspected(api, name)
    if said is None:
        return None
    is_running = bool(said["State"]["Running"])
    newest = ""
    if is_running:
        newest = run_in_container(
            *where, name, ["sh", SCRIPT, "newest", rancher.container_name]
        ).strip()
    return BackupFacts(
        is_running=is_running,
        started=datetime.fromisoformat(str(said["Created"])),
        newest=made_at(newest),
        problem=_problem(mapped(said["State"].get("Health"))),
    )


def _problem(health: Mapping[str, Any]) -> str:
    if health.get("Status") != "unhealthy":
        return ""
    said = [str(each.get("Output") or "") for each in listed(health.get("Log"))]
    return " ".join(said[-1].split()) if said else "no reason is given"


def made_at(archive: str) -> datetime | None:
    """The time in an archive's name. Pure."""
    found = _MADE.search(archive)
    if found is None:
        return None
    return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
