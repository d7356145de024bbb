"""An SSH server on 127.0.0.1, in a thread of its own, that answers whatever a test wants."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

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
    reads: bool = True
    """Whether a command reads what it is given before it prints."""
    host_key_types: tuple[str, ...] = ("ssh-ed25519",)
    """What it shows; `host_key` is the first."""
    docker_socket: Path | None = None
    """Where `docker system dial-stdio` leads, which is then answered by nothing else."""
    port: int = 0
    host_key: str = ""
    client_key: str = field(default="", repr=False)
    asked: list[Asked] = field(default_factory=list)
    tunnels: list[tuple[str, int]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its address as a Docker host."""
        return f"ssh://operator@127.0.0.1:{self.port}"


@contextmanager
def ssh_server(**options: Any) -> Iterator[Server]:
    """A server that lets in the holder of server.client_key, and whoever knows PASSWORD."""
    server = Server(**options)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        keys = [asyncssh.generate_private_key(kind) for kind in server.host_key_types]
        client_key = asyncssh.generate_private_key("ssh-ed25519")
        server.host_key = keys[0].export_public_key().decode().strip()
        server.client_key = client_key.export_private_key().decode()
        listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Connection(server, client_key.export_public_key()),
            server_host_keys=keys,
            process_factory=_process(server),
            encoding=None,
        )
        server.port = listener.get_port()
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        # One run of the loop, which whoever needs no answer at all may stop at once.
        serving = loop.create_task(serve())
        loop.run_forever()
        serving.cancel()

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
        is_docker = process.command == "docker system dial-stdio"
        # Docker's command speaks before its input ends, and so does a shell that has none.
        stdin = await process.stdin.read() if server.reads and not is_docker else b""
        user = process.get_extra_info("username")
        server.asked.append(Asked(user, process.command, stdin.decode()))
        if is_docker and server.docker_socket:
            await _dial(process, server.docker_socket)
            process.exit(server.status)
            return
        if server.answer is None:
            await asyncio.Event().wait()
        process.stdout.write(server.answer)
        process.stderr.write(server.complaint)
        process.exit(server.status)

    return handle


async def _dial(process: Any, path: Path) -> None:
    """Carry both directions until the other side has said all."""
    reader, writer = await asyncio.open_unix_connection(path)

    async def inward() -> None:
        while data := await process.stdin.read(65536):
            writer.write(data)
        writer.write_eof()

    task = asyncio.create_task(inward())
    while data := await reader.read(65536):
        process.stdout.write(data)
    task.cancel()
    writer.close()


needs_ssh_agent = pytest.mark.skipif(
    shutil.which("ssh-agent") is None, reason="needs the commands ssh, ssh-agent and ssh-add"
)


@contextmanager
def trusted_agent(server: Server, socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An SSH agent of this process that holds the server's client key, as a person's own would."""
    said = subprocess.run(
        ["ssh-agent", "-s", "-a", str(socket)], capture_output=True, text=True, check=True
    ).stdout
    process = int(said.partition("SSH_AGENT_PID=")[2].partition(";")[0])
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    try:
        subprocess.run(
            ["ssh-add", "-"], input=server.client_key, text=True, capture_output=True, check=True
        )
        yield
    finally:
        os.kill(process, signal.SIGTERM)
