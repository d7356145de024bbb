"""A container in the place of the stack's own, which Pulumi's engine knows nothing of.

Docker makes the container first, and Pulumi records it only once it is healthy, minutes later:
a run that dies in between leaves one under whose name no other can be made. A person who made
Rancher's container again by hand leaves one, too. What either holds of value is in the data volume,
so it is removed and made again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.common.answers import listed, mapped
from components.common.owner import MARK
from components.docker.api import docker_api

_STOP_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class OwnContainer:
    """How a container is known to be in the stack's own place."""

    name: str
    """Its name, which it must have."""
    stack: str
    """What MARK says on the stack's own containers."""
    data: str
    """Volume, or folder of the host, with the stack's data."""
    data_path: str
    """Where the container has it."""

    def is_this(self, said: Mapping[str, Any]) -> bool:
        """Whether a container of that name was made by the stack, or has the stack's data.

        Args:
            said: an entry of Docker's list of containers.
        """
        mounts: list[dict[str, Any]] = listed(said.get("Mounts"))
        has_data = any(
            mount.get("Destination") == self.data_path
            and self.data in (mount.get("Name"), mount.get("Source"))
            for mount in mounts
        )
        return has_data or mapped(said.get("Labels")).get(MARK) == self.stack


def remove_left_container(docker_host: str, host_key: str | None, own: OwnContainer) -> bool:
    """Stop and remove the container in the stack's own place; whether there was one.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        own: Which one. Another one of that name, with other data, is left alone.

    Raises RuntimeError naming Docker's host when it does not do it.
    """
    problem = f"container {own.name}, which Pulumi's state does not have, could not be removed"
    remedy = f"Remove it: docker rm --force {own.name}"
    with docker_api(docker_host, host_key, problem, remedy, patience=2.0 * _STOP_SECONDS) as api:
        query = {"all": "true", "filters": json.dumps({"name": [f"^/{own.name}$"]})}
        named = api.get("/containers/json", params=query).json()
        found = [str(each["Id"]) for each in named if own.is_this(each)]
        for container in found:
            api.post(f"/containers/{container}/stop", params={"t": _STOP_SECONDS})
            api.delete(f"/containers/{container}", params={"force": "true"})
    return bool(found)
