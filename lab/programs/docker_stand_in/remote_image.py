"""`docker:index/remoteImage:RemoteImage`."""

from typing import Any

from docker import APIClient
from docker.errors import NotFound
from docker.utils import parse_repository_tag

from lab.programs.docker_stand_in import attributes
from lab.programs.docker_stand_in.attributes import Attribute
from lab.programs.docker_stand_in.docker_kind import DockerKind
from lab.programs.docker_stand_in.engine import Errors, said
from lab.programs.plugin_base.kind import Call, Found, Made, PluginError
from lab.programs.plugin_base.values import UNKNOWN, Properties

INPUTS = {
    "name": Attribute(required=True),
    "keepLocally": Attribute("boolean", replaces=False),
    "forceRemove": Attribute("boolean", replaces=False),
    "platform": Attribute(),
    "pullTriggers": Attribute("array"),
    "triggers": Attribute("object"),
}
_READ = ("imageId", "repoDigest")
_OUTPUTS = {name: Attribute(computed=True, replaces=False) for name in _READ}


class RemoteImage(DockerKind):
    """Images on one Docker engine."""

    token = "docker:index/remoteImage:RemoteImage"  # noqa: S105 - no password

    inputs, outputs = INPUTS, _OUTPUTS

    async def create(self, call: Call, inputs: Properties) -> Made:
        known = attributes.planned(inputs, {}, INPUTS)
        if call.preview:
            return Made("", {**known, **dict.fromkeys(_READ, UNKNOWN)})
        found = await self._engine.run(lambda client: _found_or_pulled(client, inputs))
        return Made(_identifier(found, inputs), {**known, **_read(found, inputs)})

    async def update(self, call: Call, old: Made, inputs: Properties) -> Properties:
        known = attributes.planned(inputs, old.state, INPUTS)
        if call.preview:
            return known
        during = f"updating {call.urn}"
        found = await self._engine.run(lambda client: _found_or_pulled(client, inputs), during)
        return {**known, **_read(found, inputs)}

    async def read(self, call: Call, known: Found) -> Found | None:
        found = await self._engine.run(
            lambda client: local_image(client, str(known.state["name"])), f"refreshing {call.urn}"
        )
        if found is None:
            return None
        state = {**known.state, **_read(found, known.state)}
        inputs = attributes.read_inputs(known.inputs, state)
        return Found(_identifier(found, known.state), state, inputs)

    async def delete(self, call: Call, old: Made) -> None:
        if old.state.get("keepLocally"):
            return
        await self._engine.run(lambda client: _remove(client, old.state), f"deleting {call.urn}")


def local_image(client: APIClient, name: str) -> dict[str, Any] | None:
    """What the Docker engine knows of an image by its name, tag or id; None where it has none."""
    try:
        return client.inspect_image(name)
    except NotFound:
        return None
    except Errors as error:
        raise PluginError(f"unable to inspect image {name}: {said(error)}") from error


def image(client: APIClient, name: str, platform: str | None = None) -> dict[str, Any]:
    """The image of that name, pulled where the Docker engine has it not. Raises PluginError."""
    found = local_image(client, name)
    if found is not None:
        return found
    repository, tag = parse_repository_tag(name)
    try:
        client.pull(repository, tag or "latest", platform=platform)
    except Errors as error:
        text = f"unable to pull image {name}: error pulling image {name}: {said(error)}"
        raise PluginError(text) from error
    found = local_image(client, name)
    if found is None:
        raise PluginError(f"unable to find or pull image {name}")
    return found


def _found_or_pulled(client: APIClient, inputs: Properties) -> dict[str, Any]:
    try:
        return image(client, str(inputs["name"]), str(inputs.get("platform") or "") or None)
    except PluginError as error:
        raise PluginError(f"Unable to read Docker image into resource: {error}") from error


def _identifier(found: dict[str, Any], inputs: Properties) -> str:
    return f"{found['Id']}{inputs['name']}"


def _read(found: dict[str, Any], inputs: Properties) -> Properties:
    digests: list[str] = found.get("RepoDigests") or []
    repository = str(inputs["name"]).partition(":")[0]
    fitting = [digest for digest in digests if digest.startswith(repository)]
    return {"imageId": found["Id"], "repoDigest": [*fitting, *digests, ""][0]}


def _remove(client: APIClient, state: Properties) -> None:
    name = str(state["name"])
    if local_image(client, name) is None:
        return
    try:
        client.remove_image(name, force=bool(state.get("forceRemove")))
    except Errors as error:
        raise PluginError(f"Unable to remove Docker image: {said(error)}") from error
