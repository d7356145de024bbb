"""Entry point for Pulumi's engine: print the port, serve, end with the engine."""

import asyncio
import os
import sys
from contextlib import suppress
from signal import SIGINT, SIGTERM

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from lab.programs.command_stand_in.engine_log import EngineLog
from lab.programs.command_stand_in.provider import Provider

_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024
_WATCH_SECONDS = 1.0


async def serve(engine_address: str | None) -> None:
    """Serve one engine until it is gone.

    Args:
        engine_address: host:port of the engine's own service, the last argument it passes.
    """
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
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        Provider(EngineLog(engine_address)), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    # The engine asks its plugins to end; one that was killed can't, so the plugin looks for itself.
    while os.getppid() == parent and not asked_to_end.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(asked_to_end.wait(), _WATCH_SECONDS)
    await server.stop(grace=None)


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if not word.startswith("-")]
    asyncio.run(serve(arguments[-1] if arguments else None))
