"""Whether Rancher's containers run, and how its backups are. Reads only, over one connection."""

from dataclasses import dataclass

import httpx

from components.docker.api import docker_api
from components.docker.state import read_state
from components.rancher.server.backup.reading import (
    BackupFacts,
    BackupWork,
    backup_container,
    read_backup,
    read_work,
)
from components.rancher.server.running_rules import RancherContainers
from configuration.rancher import RancherSettings


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What the Docker host has of a Rancher server."""

    containers: RancherContainers
    backup: BackupFacts | None
    """None where the stack has no backup, or the container that makes them does not run."""


def read_server(rancher: RancherSettings, owner: str) -> ServerFacts:
    """Ask the Docker engine. Raises RuntimeError naming its host when it does not answer.

    Args:
        rancher: Which containers.
        owner: What `this_stack` tells.
    """
    host, name = rancher.docker_host, rancher.container_name
    with docker_api(
        host,
        rancher.docker_host_key,
        f"container {name} could not be looked at",
        "Start the Docker engine, or correct rancher.dockerHost.",
    ) as api:
        makes_backups = rancher.backup is not None
        found = read_containers(api, host, name, owner, makes_backups=makes_backups)
        backup = None if found.backup is None else read_backup(api, host, name, found.backup)
    return ServerFacts(containers=found, backup=backup)


def read_containers(
    api: httpx.Client, docker_host: str, container_name: str, owner: str, *, makes_backups: bool
) -> RancherContainers:
    """The containers, and what a backup does where Rancher is stopped.

    Args:
        api: What `docker_api` gave.
        docker_host: The Docker host, for messages.
        container_name: Rancher's container.
        owner: What `this_stack` tells.
        makes_backups: Whether the stack has the container that makes backups.
    """
    rancher = read_state(api, container_name)
    if not makes_backups:
        return RancherContainers(rancher=rancher, owner=owner)
    backup = read_state(api, backup_container(container_name))
    work = BackupWork()
    while rancher.is_stopped and backup.is_running:
        work = read_work(api, docker_host, backup.name)
        # A backup may have ended between the two looks, and Rancher runs again.
        again = read_state(api, container_name)
        if again == rancher:
            break
        rancher = again
    return RancherContainers(rancher=rancher, backup=backup, owner=owner, work=work)
