"""Lines in Pulumi's log, which is what the person at the terminal sees."""

from collections.abc import Awaitable
from typing import cast

import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """A connection to the log of Pulumi's engine that started this plugin."""

    def __init__(self, address: str | None) -> None:
        """Connect lazily to Pulumi's engine.

        Args:
            address: host:port as Pulumi's engine gave it; None drops every line.
        """
        self._engine = None
        if address is not None:
            self._engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address))

    async def status(self, text: str, urn: str) -> None:
        """Progress of a resource: shown while it runs, not kept."""
        await self._log(engine_pb2.INFO, text, urn, ephemeral=True)

    async def warning(self, text: str, urn: str = "") -> None:
        """Something that the person should know of, whether or not the run succeeds."""
        await self._log(engine_pb2.WARNING, text, urn)

    async def error(self, text: str, urn: str) -> None:
        """Why a resource fails. Pulumi's engine fails the whole run for it."""
        await self._log(engine_pb2.ERROR, text, urn)

    async def _log(
        self,
        severity: engine_pb2.LogSeverity.ValueType,
        text: str,
        urn: str,
        *,
        ephemeral: bool = False,
    ) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(
            severity=severity, message=text, urn=urn, ephemeral=ephemeral
        )
        # The SDK's stub is typed for blocking channels only.
        await cast(Awaitable[object], self._engine.Log(request))
