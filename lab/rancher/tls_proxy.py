"""A proxy that ends TLS in front of Rancher, as a load balancer does.

It hands each request on as plain HTTP with `X-Forwarded-Proto: https`, one to a connection, and
lets WebSockets through. It checks, balances and caches nothing.
"""

import asyncio
import contextlib
import re
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from pathlib import Path

_HEAD_END = b"\r\n\r\n"
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_LISTEN_SECONDS = 10.0


@contextlib.contextmanager
def tls_proxy(
    listen: tuple[str, int], backend: tuple[str, int], folder: Path, *, says_https: bool = True
) -> Iterator[int]:
    """A proxy while the block runs. Yields the port that it listens on.

    Args:
        listen: Its address and port; port 0 takes a free one.
        backend: Where Rancher answers plain HTTP.
        folder: Has cert.pem and key.pem.
        says_https: Whether it says that TLS ended here.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = _rewritten(await reader.readuntil(_HEAD_END), says_https=says_https)
            answers, onwards = await asyncio.open_connection(*backend)
            onwards.write(request)
            await asyncio.gather(_pump(reader, onwards), _pump(answers, writer))
        writer.close()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        starting = asyncio.start_server(serve, *listen, ssl=tls)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(_LISTEN_SECONDS)
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_end_all())
        loop.close()


def _rewritten(head: bytes, *, says_https: bool) -> bytes:
    head = head.removesuffix(_HEAD_END)
    if says_https:
        head += b"\r\nX-Forwarded-Proto: https"
    if not _UPGRADE.search(head):
        head = _CONNECTION.sub(b"", head) + b"\r\nConnection: close"
    return head + _HEAD_END


async def _pump(source: StreamReader, target: StreamWriter) -> None:
    """Hand on until one side ends; then the other side is told."""
    with contextlib.suppress(OSError):
        while read := await source.read(65536):
            target.write(read)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()


async def _end_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
