"""A stand-in's process: print the port, serve one engine of Pulumi's, end with it."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from signal import SIGINT, SIGTERM

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from lab.programs.plugin_base.engine_log import EngineLog

_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024
_WATCH_SECONDS = 1.0

MakeProvider = Callable[[EngineLog], provider_pb2_grpc.ResourceProviderServicer]


def serve(make_provider: MakeProvider) -> None:
    """Serve Pulumi's engine whose own service has the address that it passes last."""
    arguments = [word for word in sys.argv[1:] if not word.startswith("-")]
    asyncio.run(_serve(make_provider, arguments[-1] if arguments else None))


async def _serve(make_provider: MakeProvider, engine_address: str | None) -> None:
    parent = os.getppid()
    asked_to_end = asyncio.Event()
    for signal in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal, asked_to_end.set)
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
        ]
    )
    provider = make_provider(EngineLog(engine_address))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    # Pulumi asks its plugins to end; one that was killed can't, so the plugin looks for itself.
    while os.getppid() == parent and not asked_to_end.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(asked_to_end.wait(), _WATCH_SECONDS)
    await server.stop(grace=None)
