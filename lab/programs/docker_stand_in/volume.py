"""`docker:index/volume:Volume`."""

import time
from dataclasses import replace
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from lab.programs.docker_stand_in import attributes
from lab.programs.docker_stand_in.attributes import Attribute
from lab.programs.docker_stand_in.docker_kind import DockerKind
from lab.programs.docker_stand_in.engine import Errors, said
from lab.programs.plugin_base.kind import Call, Difference, Found, Made, PluginError
from lab.programs.plugin_base.values import UNKNOWN, Properties

_LABEL = {"label": Attribute(required=True), "value": Attribute(required=True)}
INPUTS = {
    "name": Attribute(required=True),
    "driver": Attribute(computed=True),
    "driverOpts": Attribute("object"),
    "labels": Attribute("array", members=_LABEL),
}
_OUTPUTS = {"mountpoint": Attribute(computed=True, replaces=False)}
_FIRST_TRY_AFTER, _TRY_EVERY, _TRY_FOR = 2.0, 5.0, 30.0


class Volume(DockerKind):
    """Volumes of one Docker engine."""

    token = "docker:index/volume:Volume"  # noqa: S105 - no password

    inputs, outputs = INPUTS, _OUTPUTS

    def diff(self, old: Found, new: Properties, ignored: tuple[str, ...]) -> Difference:
        found = super().diff(old, new, ignored)
        # Two volumes of one name can't be there at once.
        return replace(found, old_goes_first=old.state.get("name") == new.get("name"))

    async def create(self, call: Call, inputs: Properties) -> Made:
        known = attributes.planned(inputs, {}, INPUTS)
        if call.preview:
            return Made("", {"driver": UNKNOWN, "mountpoint": UNKNOWN, **known})
        return Made(known["name"], await self._engine.run(lambda client: _create(client, known)))

    async def update(self, call: Call, old: Made, inputs: Properties) -> Properties:
        """Nothing: whatever changes a volume makes it anew."""
        del call
        return attributes.planned(inputs, old.state, INPUTS)

    async def read(self, call: Call, known: Found) -> Found | None:
        during = f"refreshing {call.urn}"
        state = await self._engine.run(lambda client: _read(client, known.identifier), during)
        if state is None:
            return None
        return Found(known.identifier, state, attributes.read_inputs(known.inputs, state))

    async def delete(self, call: Call, old: Made) -> None:
        await self._engine.run(
            lambda client: _remove(client, old.identifier), f"deleting {call.urn}"
        )


def _create(client: APIClient, known: dict[str, Any]) -> Properties:
    name, labels = known["name"], {each["label"]: each["value"] for each in known.get("labels", [])}
    try:
        client.create_volume(name, known.get("driver"), known.get("driverOpts"), labels)
    except Errors as error:
        raise PluginError(f"Unable to create volume: {said(error)}") from error
    return _read(client, name) or known


def _read(client: APIClient, name: str) -> Properties | None:
    try:
        found = client.inspect_volume(name)
    except NotFound:
        return None
    except Errors as error:
        raise PluginError(f"Unable to inspect volume: {said(error)}") from error
    labels = found["Labels"] or {}
    return {
        "name": found["Name"],
        "driver": found["Driver"],
        "driverOpts": found["Options"],
        "labels": [{"label": label, "value": labels[label]} for label in labels] or None,
        "mountpoint": found["Mountpoint"],
    }


def _remove(client: APIClient, name: str) -> None:
    until = time.monotonic() + _TRY_FOR
    time.sleep(_FIRST_TRY_AFTER)
    while True:
        try:
            return client.remove_volume(name)
        except NotFound:
            return None
        except APIError as error:
            if "volume is in use" not in said(error).lower():
                raise PluginError(said(error)) from error
        if time.monotonic() > until:
            raise PluginError(
                "timeout while waiting for state to become 'removed' (last state: 'in_use', "
                f"timeout: {_TRY_FOR:.0f}s)"
            )
        time.sleep(_TRY_EVERY)
