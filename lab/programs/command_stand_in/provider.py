"""The plugin protocol for `command:remote:Command`.

What a call decides (check, diff, which command runs, what a preview can know) is here; running it
is execution.py's. The rules follow the plugin of VERSION: a failed create leaves no resource, a
failed update leaves the old inputs.
"""

# ruff: noqa: N802 - the protocol names the methods

import secrets
from collections.abc import Awaitable, Mapping
from typing import Any, NoReturn, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.programs.command_stand_in import VERSION
from lab.programs.command_stand_in.changes import Change, changes, replaces, root
from lab.programs.command_stand_in.engine_log import EngineLog
from lab.programs.command_stand_in.execution import ExecutionError, Executor
from lab.programs.command_stand_in.inputs import INPUTS, OUTPUTS, RESOURCE, check, schema
from lab.programs.command_stand_in.run import Streams
from lab.programs.command_stand_in.values import (
    UNKNOWN,
    Properties,
    Value,
    decode,
    encode,
    plain_properties,
)

NOTICE = (
    "this is the lab's stand-in for the command plugin: it knows remote.Command alone. "
    "Install Pulumi's command plugin for anything but a trial."
)

_KINDS = {
    (Change.ADDED, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADDED, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETED, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETED, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATED, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATED, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}

Context = grpc.aio.ServicerContext[Any, Any]
Result = TypeVar("Result")


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._executor = Executor(log)

    async def GetPluginInfo(self, request: empty_pb2.Empty, context: Context):
        del request, context
        return plugin_pb2.PluginInfo(version=VERSION)

    async def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Context):
        del request, context
        return provider_pb2.GetSchemaResponse(schema=schema())

    async def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context):
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context):
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: provider_pb2.ConfigureRequest, context: Context):
        del request, context
        await self._log.warning(NOTICE)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Check(self, request: provider_pb2.CheckRequest, context: Context):
        await _refuse_other_resources(request.urn, context)
        inputs, failures = check(decode(request.news))
        return provider_pb2.CheckResponse(
            inputs=encode(inputs),
            failures=[
                provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
                for failure in failures
            ],
        )

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context):
        await _refuse_other_resources(request.urn, context)
        found = changes(
            decode(request.old_inputs), decode(request.news), tuple(request.ignoreChanges)
        )
        some = provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(
            changes=some if found else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({root(path) for path in found}),
            replaces=sorted({root(path) for path in found if replaces(path)}),
            hasDetailedDiff=True,
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=_KINDS[change, replaces(path)])
                for path, change in found.items()
            },
        )

    async def Create(self, request: provider_pb2.CreateRequest, context: Context):
        await _refuse_other_resources(request.urn, context)
        inputs = decode(request.properties)
        identifier = f"{_name(request.urn)}{secrets.token_hex(4)}"
        if request.preview:
            unknown = dict.fromkeys(OUTPUTS, UNKNOWN)
            return provider_pb2.CreateResponse(
                id=identifier, properties=encode({**inputs, **unknown})
            )
        streams = await _or_abort(
            context,
            self._executor.run(request.urn, "create", inputs, Streams("", ""), request.timeout),
        )
        return provider_pb2.CreateResponse(id=identifier, properties=_state(inputs, streams))

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context):
        await _refuse_other_resources(request.urn, context)
        old, inputs = decode(request.olds), decode(request.news)
        for name in request.ignoreChanges:
            if name in old:
                inputs[name] = old[name]
        streams = _streams(old)
        if request.preview:
            known: Mapping[str, Value] = {"stdout": streams.stdout, "stderr": streams.stderr}
            if _affects_outputs(old, inputs):
                known = dict.fromkeys(OUTPUTS, UNKNOWN)
            return provider_pb2.UpdateResponse(properties=encode({**inputs, **known}))
        action = "update" if "update" in inputs else "create"
        streams = await _or_abort(
            context, self._executor.run(request.urn, action, inputs, streams, request.timeout)
        )
        return provider_pb2.UpdateResponse(properties=_state(inputs, streams))

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context):
        await _refuse_other_resources(request.urn, context)
        state = decode(request.properties)
        inputs: Properties = {name: state[name] for name in INPUTS if name in state}
        await _or_abort(
            context,
            self._executor.run(request.urn, "delete", inputs, _streams(state), request.timeout),
        )
        return empty_pb2.Empty()

    async def Read(self, request: provider_pb2.ReadRequest, context: Context):
        """The state as it is: a command leaves nothing on the host that could be read back."""
        await _refuse_other_resources(request.urn, context)
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context):
        await _abort(
            context,
            f"{request.tok} is not served: {NOTICE}",
            grpc.StatusCode.UNIMPLEMENTED,
        )

    async def Cancel(self, request: empty_pb2.Empty, context: Context):
        del request, context
        self._executor.cancel()
        return empty_pb2.Empty()


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


def _state(inputs: Properties, streams: Streams):
    return encode({**inputs, "stdout": streams.stdout, "stderr": streams.stderr})


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]


async def _refuse_other_resources(urn: str, context: Context) -> None:
    token = urn.split("::", 3)[2].split("$")[-1]
    if token != RESOURCE:
        await _abort(context, f"{token} is not served: {NOTICE}", grpc.StatusCode.UNIMPLEMENTED)


async def _or_abort(context: Context, work: Awaitable[Result]) -> Result:
    try:
        return await work
    except ExecutionError as error:
        await _abort(context, str(error))


async def _abort(
    context: Context, text: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
) -> NoReturn:
    await context.abort(code, text)
    raise AssertionError("abort raises")
