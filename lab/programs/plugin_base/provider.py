"""The plugin protocol of a stand-in: messages in, messages out, whatever the kinds decide."""

# ruff: noqa: N802 - the protocol names the methods

import json
from collections.abc import Awaitable, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.programs.plugin_base.changes import Change, changes, root
from lab.programs.plugin_base.engine_log import EngineLog
from lab.programs.plugin_base.kind import Call, Found, HalfMadeError, Kind, Made, PluginError
from lab.programs.plugin_base.launcher import StandIn
from lab.programs.plugin_base.values import Properties, decode, encode

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
    """Serves one engine of Pulumi's.

    Attributes:
        accepts_secrets: whether secrets arrive marked. Pulumi marks them again itself where
            they do not.
    """

    accepts_secrets = True

    def __init__(
        self, stand_in: StandIn, notice: str, kinds: Sequence[Kind], log: EngineLog
    ) -> None:
        """Know the kinds.

        Args:
            notice: what the person reads in every run.
        """
        self._stand_in = stand_in
        self._notice = notice
        self._kinds = {kind.token: kind for kind in kinds}
        self._log = log

    async def configure(self, settings: Properties) -> None:
        """Take the provider's own inputs. Raises PluginError."""
        del settings

    async def GetPluginInfo(self, request: empty_pb2.Empty, context: Context):
        del request, context
        return plugin_pb2.PluginInfo(version=self._stand_in.version)

    async def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Context):
        del request, context
        described = {
            "name": self._stand_in.name,
            "version": self._stand_in.version,
            "resources": {token: kind.schema() for token, kind in self._kinds.items()},
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps(described))

    async def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context):
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context):
        del context
        found = changes(decode(request.old_inputs), decode(request.news))
        some = provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(
            changes=some if found else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({root(path) for path in found}),
        )

    async def Configure(self, request: provider_pb2.ConfigureRequest, context: Context):
        await self._log.warning(self._notice)
        await _or_abort(context, self.configure(decode(request.args)))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=self.accepts_secrets, supportsPreview=True
        )

    async def Check(self, request: provider_pb2.CheckRequest, context: Context):
        kind = await self._kind(request.urn, context)
        inputs, failures = kind.check(decode(request.news))
        return provider_pb2.CheckResponse(
            inputs=encode(inputs),
            failures=[
                provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
                for failure in failures
            ],
        )

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context):
        kind = await self._kind(request.urn, context)
        old = Found(request.id, decode(request.olds), decode(request.old_inputs))
        found = kind.diff(old, decode(request.news), tuple(request.ignoreChanges))
        some = provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(
            changes=some if found.changes else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({root(path) for path in found.changes}),
            replaces=sorted({root(path) for path in found.replacing}),
            deleteBeforeReplace=found.old_goes_first and bool(found.replacing),
            hasDetailedDiff=True,
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=_KINDS[change, path in found.replacing])
                for path, change in found.changes.items()
            },
        )

    async def Create(self, request: provider_pb2.CreateRequest, context: Context):
        kind = await self._kind(request.urn, context)
        call = Call(request.urn, request.preview, request.timeout)
        made = await _or_abort(context, kind.create(call, decode(request.properties)))
        return provider_pb2.CreateResponse(id=made.identifier, properties=encode(made.state))

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context):
        kind = await self._kind(request.urn, context)
        call = Call(request.urn, request.preview, request.timeout)
        old, inputs = decode(request.olds), decode(request.news)
        for name in request.ignoreChanges:
            if name in old:
                inputs[name] = old[name]
        state = await _or_abort(context, kind.update(call, Made(request.id, old), inputs))
        return provider_pb2.UpdateResponse(properties=encode(state))

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context):
        kind = await self._kind(request.urn, context)
        call = Call(request.urn, timeout=request.timeout)
        await _or_abort(context, kind.delete(call, Made(request.id, decode(request.properties))))
        return empty_pb2.Empty()

    async def Read(self, request: provider_pb2.ReadRequest, context: Context):
        kind = await self._kind(request.urn, context)
        known = Found(request.id, decode(request.properties), decode(request.inputs))
        found = await _or_abort(context, kind.read(Call(request.urn), known))
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.identifier, properties=encode(found.state), inputs=encode(found.inputs)
        )

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context):
        await self._refuse(request.tok, context)

    async def Cancel(self, request: empty_pb2.Empty, context: Context):
        del request, context
        for kind in self._kinds.values():
            kind.cancel()
        return empty_pb2.Empty()

    async def _kind(self, urn: str, context: Context) -> Kind:
        token = urn.split("::", 3)[2].split("$")[-1]
        if token not in self._kinds:
            await self._refuse(token, context)
        return self._kinds[token]

    async def _refuse(self, token: str, context: Context) -> NoReturn:
        text = f"{token} is not served: {self._notice}"
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
        raise AssertionError("abort raises")


async def _or_abort(context: Context, work: Awaitable[Result]) -> Result:
    try:
        return await work
    except HalfMadeError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error), _half_made(error))
    except PluginError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort raises")


def _half_made(error: HalfMadeError) -> tuple[tuple[str, bytes]]:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.made.identifier,
            properties=encode(error.made.state),
            reasons=[str(error)],
        )
    )
    status = status_pb2.Status(
        code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail]
    )
    return (("grpc-status-details-bin", status.SerializeToString()),)
