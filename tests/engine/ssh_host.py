"""SSH hosts inside the test process, on 127.0.0.1: each runs its commands on this machine."""

import asyncio
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncssh
from asyncssh.packet import SSHPacket

_BLOCK_BYTES = 65536


@dataclass
class SshHost:
    """A host to connect to, and what it saw.

    Attributes:
        accepted_variables: environment variables that it lets a client set. None is OpenSSH's
            default.
        commands: every command that it was asked to run, in order.
        forwarded: every address that it was asked to connect through to.
    """

    port: int
    user: str
    private_key: str
    host_key: str
    accepted_variables: frozenset[str] = frozenset()
    commands: list[str] = field(default_factory=list[str])
    forwarded: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def connection(self, **changed: object) -> dict[str, object]:
        """The `connection` input that reaches this host, with members changed or added."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "private_key": self.private_key,
            "host_key": self.host_key,
            "dial_error_limit": 0,
            "per_dial_timeout": 10,
            **changed,
        }


@contextmanager
def ssh_host(
    *,
    host_key_type: str = "ssh-ed25519",
    login_key_type: str = "ssh-ed25519",
    accepted_variables: frozenset[str] = frozenset(),
) -> Iterator[SshHost]:
    """A running host with keys of its own; it accepts one private key and no password."""
    client_key = asyncssh.generate_private_key(login_key_type)
    server_key = asyncssh.generate_private_key(host_key_type)
    host = SshHost(
        port=0,
        user="tester",
        private_key=client_key.export_private_key().decode(),
        host_key=server_key.export_public_key().decode().strip(),
        accepted_variables=accepted_variables,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    allowed = asyncssh.import_authorized_keys(client_key.export_public_key().decode())

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Server(host),
            server_host_keys=[server_key],
            authorized_client_keys=allowed,
            config=None,
        )

    async def close(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(timeout=10)
    host.port = acceptor.get_port()
    try:
        yield host
    finally:
        asyncio.run_coroutine_threadsafe(close(acceptor), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


class _Server(asyncssh.SSHServer):
    def __init__(self, host: SshHost) -> None:
        self._host = host
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> bool:
        del orig_host, orig_port
        self._host.forwarded.append((dest_host, dest_port))
        return True

    def session_requested(self) -> Any:
        assert self._connection is not None
        channel = self._connection.create_server_channel(encoding=None)

        def set_variable(packet: SSHPacket) -> bool:
            # asyncssh's own lets a client set anything, unlike any other server.
            name, value = packet.get_string(), packet.get_string()
            if name.decode() not in self._host.accepted_variables:
                return False
            channel._env[name] = value
            return True

        channel._process_env_request = set_variable
        return channel, asyncssh.SSHServerProcess(self._run, None, 3, False)

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self._host.commands.append(command)
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **dict(process.env)},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        feeding = asyncio.ensure_future(_feed(process.stdin, child.stdin))
        await asyncio.gather(
            _relay(child.stdout, process.stdout), _relay(child.stderr, process.stderr)
        )
        status = await child.wait()
        feeding.cancel()
        if status < 0:
            process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            process.exit(status)


async def _feed(source: asyncssh.SSHReader[bytes], target: asyncio.StreamWriter) -> None:
    # The command may end, or close its end, without having read all that it is given.
    with suppress(BrokenPipeError, ConnectionResetError):
        while data := await source.read(_BLOCK_BYTES):
            target.write(data)
            await target.drain()
        target.close()


async def _relay(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    while data := await source.read(_BLOCK_BYTES):
        target.write(data)
        await target.drain()
