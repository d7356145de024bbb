"""`command:remote:Command`: what a call decides (diff, which command runs, what a preview knows).

Running it is execution.py's. The rules follow the plugin of VERSION: a failed create leaves no
resource, a failed update leaves the old inputs.
"""

import secrets
from collections.abc import Awaitable, Mapping
from typing import cast

from lab.programs.command_stand_in.execution import ExecutionError, Executor
from lab.programs.command_stand_in.inputs import INPUTS, OUTPUTS, RESOURCE, check, schema
from lab.programs.command_stand_in.run import Streams
from lab.programs.plugin_base.changes import changes
from lab.programs.plugin_base.kind import Call, Difference, Failure, Found, Kind, Made, PluginError
from lab.programs.plugin_base.values import UNKNOWN, Properties, Value, plain_properties


class RemoteCommand(Kind):
    """Commands on hosts."""

    token = RESOURCE

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def schema(self) -> dict[str, object]:
        return schema()

    def check(self, given: Properties) -> tuple[Properties, list[Failure]]:
        return check(given)

    def diff(self, old: Found, new: Properties, ignored: tuple[str, ...]) -> Difference:
        found = changes(old.inputs, new, ignored)
        return Difference(found, frozenset(filter(replaces, found)))

    async def create(self, call: Call, inputs: Properties) -> Made:
        identifier = f"{call.name}{secrets.token_hex(4)}"
        if call.preview:
            return Made(identifier, {**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)})
        running = self._executor.run(call.urn, "create", inputs, Streams("", ""), call.timeout)
        return Made(identifier, _state(inputs, await _or_fail(running)))

    async def update(self, call: Call, old: Made, inputs: Properties) -> Properties:
        streams = _streams(old.state)
        if call.preview:
            known: Mapping[str, Value] = {"stdout": streams.stdout, "stderr": streams.stderr}
            if _affects_outputs(old.state, inputs):
                known = dict.fromkeys(OUTPUTS, UNKNOWN)
            return {**inputs, **known}
        action = "update" if "update" in inputs else "create"
        running = self._executor.run(call.urn, action, inputs, streams, call.timeout)
        return _state(inputs, await _or_fail(running))

    async def read(self, call: Call, known: Found) -> Found:
        """The state as it is: a command leaves nothing on the host that could be read back."""
        del call
        return known

    async def delete(self, call: Call, old: Made) -> None:
        inputs: Properties = {name: old.state[name] for name in INPUTS if name in old.state}
        await _or_fail(
            self._executor.run(call.urn, "delete", inputs, _streams(old.state), call.timeout)
        )

    def cancel(self) -> None:
        self._executor.cancel()


def replaces(path: str) -> bool:
    """Whether a change at this path replaces the resource.

    Elements of `triggers` are not among them: that they replace, too, is asked for by the SDK.
    """
    return path in INPUTS and INPUTS[path].replaces


def _affects_outputs(state: Properties, inputs: Properties) -> bool:
    """Whether a preview has to call the outputs of an update unknown.

    An input that the old state does not have at all does not count: the real plugin looks only at
    what it can compare.
    """
    return any(
        inputs.get(name) is UNKNOWN or (name in state and state[name] != inputs.get(name))
        for name in INPUTS
    )


def _streams(state: Properties) -> Streams:
    known = cast(dict[str, str], plain_properties(state))
    return Streams(known.get("stdout", ""), known.get("stderr", ""))


def _state(inputs: Properties, streams: Streams) -> Properties:
    return {**inputs, "stdout": streams.stdout, "stderr": streams.stderr}


async def _or_fail(running: Awaitable[Streams]) -> Streams:
    try:
        return await running
    except ExecutionError as error:
        raise PluginError(str(error)) from error
