"""`docker:index/container:Container`."""

import time
from dataclasses import replace
from typing import Any, cast

from docker import APIClient
from docker.errors import NotFound

from lab.programs.docker_stand_in import attributes
from lab.programs.docker_stand_in.container_attributes import INPUTS, OUTPUTS
from lab.programs.docker_stand_in.container_request import archive, request, restart_policy
from lab.programs.docker_stand_in.container_state import read_back
from lab.programs.docker_stand_in.docker_kind import DockerKind
from lab.programs.docker_stand_in.engine import Errors, said
from lab.programs.docker_stand_in.remote_image import image
from lab.programs.plugin_base.kind import (
    Call,
    Difference,
    Found,
    HalfMadeError,
    Made,
    PluginError,
)
from lab.programs.plugin_base.values import UNKNOWN, Properties

_LOOK_EVERY = 1.0
_READ_ONCE_MADE = {
    *OUTPUTS,
    *(name for name, attribute in INPUTS.items() if attribute.computed),
}


class Container(DockerKind):
    """Containers of one Docker engine."""

    token = "docker:index/container:Container"  # noqa: S105 - no password

    inputs, outputs = INPUTS, OUTPUTS

    def diff(self, old: Found, new: Properties, ignored: tuple[str, ...]) -> Difference:
        return replace(super().diff(old, new, ignored), old_goes_first=True)

    async def create(self, call: Call, inputs: Properties) -> Made:
        known = attributes.planned(inputs, {}, INPUTS)
        if call.preview:
            return Made("", {**dict.fromkeys(_READ_ONCE_MADE, UNKNOWN), **known})
        made = Made(await self._engine.run(lambda client: _make(client, known)), known)
        during = f"creating {call.urn}"
        try:
            state = await self._engine.run(lambda client: _bring_up(client, made), during)
        except PluginError as error:
            raise HalfMadeError(str(error), made) from error
        return Made(made.identifier, state)

    async def update(self, call: Call, old: Made, inputs: Properties) -> Properties:
        known = attributes.planned(inputs, old.state, INPUTS)
        if not call.preview:
            during = f"updating {call.urn}"
            await self._engine.run(lambda client: _update(client, old, known), during)
        return known

    async def read(self, call: Call, known: Found) -> Found | None:
        during = f"refreshing {call.urn}"
        state = await self._engine.run(lambda client: _read(client, known), during)
        if state is None:
            return None
        return Found(known.identifier, state, attributes.read_inputs(known.inputs, state))

    async def delete(self, call: Call, old: Made) -> None:
        await self._engine.run(lambda client: _delete(client, old), f"deleting {call.urn}")


def _make(client: APIClient, known: dict[str, Any]) -> str:
    try:
        image(client, known["image"])
    except PluginError as error:
        text = f"Unable to create container with image {known['image']}: {error}"
        raise PluginError(text) from error
    if "" in known.get("command", []):
        raise PluginError("values for command may not be empty")
    try:
        return client.create_container_from_config(request(known), known["name"])["Id"]
    except Errors as error:
        raise PluginError(f"Unable to create container: {said(error)}") from error


def _bring_up(client: APIClient, made: Made) -> Properties:
    identifier, known = made.identifier, cast(dict[str, Any], made.state)
    for upload in known.get("uploads", []):
        content = archive(upload)
        try:
            client.put_archive(identifier, "/", content)
        except Errors as error:
            raise PluginError(f"Unable to upload volume content: {said(error)}") from error
    if known["start"]:
        _start(client, identifier)
        if known["wait"]:
            _wait(client, identifier, known["waitTimeout"])
    return read_back(client.inspect_container(identifier), known)


def _start(client: APIClient, identifier: str) -> None:
    try:
        client.start(identifier)
    except Errors as error:
        raise PluginError(f"Unable to start container: {said(error)}") from error


def _wait(client: APIClient, identifier: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            health = client.inspect_container(identifier)["State"].get("Health")
        except Errors as error:
            raise PluginError(f"error inspecting container state: {said(error)}") from error
        if health is None:
            raise PluginError(
                "you have supplied a 'wait' argument, but the container does not have a "
                "healthcheck defined. Please remove the 'wait' argument or add a 'healthcheck' "
                "attribute"
            )
        if health["Status"] == "healthy":
            return
        time.sleep(_LOOK_EVERY)
    raise PluginError("container failed to be in healthy state")


def _update(client: APIClient, old: Made, known: dict[str, Any]) -> None:
    """A stopped container is started, and its restart policy follows; nothing else is told."""
    if not old.state.get("mustRun") and known["mustRun"] and known["start"]:
        _start(client, old.identifier)
    if restart_policy(known) != restart_policy({"restart": "no", **old.state}):
        try:
            client.update_container(old.identifier, restart_policy=restart_policy(known))
        except Errors as error:
            raise PluginError(f"Unable to update a container: {said(error)}") from error


def _read(client: APIClient, known: Found) -> Properties | None:
    try:
        found = client.inspect_container(known.identifier)
    except NotFound:
        return None
    except Errors as error:
        raise PluginError(said(error)) from error
    return read_back(found, known.state)


def _delete(client: APIClient, old: Made) -> None:
    state = cast(dict[str, Any], old.state)
    try:
        client.stop(old.identifier, timeout=int(state.get("destroyGraceSeconds", 0)))
        client.remove_container(old.identifier, v=state.get("removeVolumes", False), force=True)
    except NotFound:
        return
    except Errors as error:
        text = f"Error deleting container {old.identifier}: {said(error)}"
        raise PluginError(text) from error
