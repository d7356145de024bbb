"""An SSH server on 127.0.0.1, in a thread of its own, that answers whatever a test wants."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

PASSWORD = "opens-the-door"  # noqa: S105
_STARTING_SECONDS = 30


@dataclass
class Asked:
    """One command that a client ran."""

    user: str
    command: str
    stdin: str


@dataclass
class Server:
    """A running server: where it listens, and what happened there."""

    answer: bytes | None = b""
    """What every command prints; None lets it hang."""
    complaint: bytes = b""
    status: int = 0
    port: int = 0
    host_key: str = ""
    client_key: str = field(default="", repr=False)
    asked: list[Asked] = field(default_factory=list)
    tunnels: list[tuple[str, int]] = field(default_factory=list)
    connections: int = 0


@contextmanager
def ssh_server(**options: Any) -> Iterator[Server]:
    """A server that lets in the holder of server.client_key, and whoever knows PASSWORD."""
    server = Server(**options)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        client_key = asyncssh.generate_private_key("ssh-ed25519")
        server.host_key = host_key.export_public_key().decode().strip()
        server.client_key = client_key.export_private_key().decode()
        listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Connection(server, client_key.export_public_key()),
            server_host_keys=[host_key],
            process_factory=_process(server),
            encoding=None,
        )
        server.port = listener.get_port()
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(_STARTING_SECONDS)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class _Connection(asyncssh.SSHServer):
    def __init__(self, server: Server, client_key: bytes) -> None:
        self._server = server
        self._key = asyncssh.import_public_key(client_key)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:  # noqa: ARG002
        self._server.connections += 1

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        return key == self._key

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:  # noqa: ARG002
        return password == PASSWORD

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002
        orig_port: int,  # noqa: ARG002
    ) -> bool:
        self._server.tunnels.append((dest_host, dest_port))
        return True


def _process(server: Server) -> Callable[[Any], Any]:
    async def handle(process: Any) -> None:
        stdin = await process.stdin.read()
        user = process.get_extra_info("username")
        server.asked.append(Asked(user, process.command, stdin.decode()))
        if server.answer is None:
            await asyncio.Event().wait()
        process.stdout.write(server.answer)
        process.stderr.write(server.complaint)
        process.exit(server.status)

    return handle
