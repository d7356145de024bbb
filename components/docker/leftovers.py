"""A container in the place of the stack's own, which the engine knows nothing of.

Docker makes the container first, and the engine records it only once it is healthy, minutes later:
a run that dies in between leaves one under whose name no other can be made. A person who made
Rancher's container again by hand leaves one, too. What either holds of value is in the data volume,
so it is removed and made again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from components.common.answers import listed, mapped
from components.common.owner import MARK
from components.common.script_text import script_text
from components.docker.host import run_on_host

_STOP_SECONDS = 60
_NOT_MODIFIED = 304
_SCRIPT = "docker/scripts/docker-remove-container.sh"


@dataclass(frozen=True, kw_only=True)
class OwnContainer:
    """How a container is told to be in the stack's own place."""

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
            said: an entry of the engine's list of containers.
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

    Raises RuntimeError naming the engine when it does not do it.
    """
    if docker_host.startswith("ssh://"):
        arguments = [own.name, f"{MARK}={own.stack}", own.data, own.data_path, str(_STOP_SECONDS)]
        return bool(run_on_host(docker_host, host_key, script_text(_SCRIPT), arguments).strip())
    transport = httpx.HTTPTransport(uds=docker_host.removeprefix("unix://"))
    with httpx.Client(
        transport=transport, base_url="http://docker", timeout=2.0 * _STOP_SECONDS
    ) as engine:
        try:
            found = [each for each in _named(engine, own.name) if own.is_this(each)]
            for container in found:
                _remove(engine, str(container["Id"]))
        except httpx.HTTPError as error:
            raise RuntimeError(
                f"{docker_host}: container {own.name}, which the engine does not know, could not "
                f"be removed: {error}. Remove it: docker rm --force {own.name}"
            ) from None
    return bool(found)


def _named(engine: httpx.Client, name: str) -> list[dict[str, Any]]:
    query = {"all": "true", "filters": json.dumps({"name": [f"^/{name}$"]})}
    return engine.get("/containers/json", params=query).raise_for_status().json()


def _remove(engine: httpx.Client, container: str) -> None:
    stopped = engine.post(f"/containers/{container}/stop", params={"t": _STOP_SECONDS})
    if stopped.status_code != _NOT_MODIFIED:
        stopped.raise_for_status()
    engine.delete(f"/containers/{container}", params={"force": "true"}).raise_for_status()
