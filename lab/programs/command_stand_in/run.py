"""Running one command over an open SSH connection."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR
from asyncssh.packet import String

from lab.programs.command_stand_in.quoting import quoted


class CommandError(Exception):
    """A command could not be run or failed; the text is what Pulumi's engine shows."""


@dataclass(frozen=True)
class Request:
    """What to run, and with what.

    Attributes:
        command: the text that the host's login shell gets.
        stdin: what the command reads; None or "" for nothing.
        environment: variables that the host has to accept, or the command is not run.
        optional_environment: variables that it may refuse.
        log_stdout: whether lines on stdout are logged while the command runs.
        log_stderr: the same for stderr.
    """

    command: str
    stdin: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    optional_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    log_stdout: bool = True
    log_stderr: bool = True


@dataclass(frozen=True)
class Streams:
    """What a command that succeeded wrote, each without its last line end."""

    stdout: str
    stderr: str


async def run(
    connection: asyncssh.SSHClientConnection,
    request: Request,
    log: Callable[[str], Awaitable[None]],
    warn: Callable[[str], Awaitable[None]],
) -> Streams:
    """Run the command to its end.

    Args:
        log: awaited with each line of the streams that are to be logged, in order.
        warn: awaited with the name of each optional variable that the host refused.

    Raises:
        CommandError: a variable was refused, the connection broke, the exit status is not 0 or
            the output is not text. With a status the error has the command and both streams, too.
    """
    session = _Session(request, warn)
    try:
        channel, _ = await connection.create_session(
            lambda: session, request.command, encoding=None
        )
    except asyncssh.Error as error:
        raise CommandError(f"the host refused to run a command: {error.reason}") from error
    if request.stdin:
        # A command that has ended without reading all of it says by its status if that's bad.
        with suppress(BrokenPipeError):
            channel.write(request.stdin.encode())
    if not channel.is_closing():
        channel.write_eof()
    while (line := await session.lines.get()) is not None:
        await log(line)
    failure = _failure(channel)
    if failure is not None:
        both = session.both.decode(errors="replace")
        raise CommandError(f"{failure}: running {quoted(request.command)}:\n{both}")
    try:
        return Streams(_text(session.stdout), _text(session.stderr))
    except UnicodeDecodeError as error:
        # The protocol carries text only, so the real plugin fails at this point, too.
        raise CommandError(
            f"running {quoted(request.command)}: its output contains invalid UTF-8"
        ) from error


def _failure(channel: asyncssh.SSHClientChannel[bytes]) -> str | None:
    status = channel.get_exit_status()
    if status is None:
        return "wait: remote command exited without exit status or exit signal"
    if status < 0:
        given = channel.get_exit_signal()
        name = given[0] if given else "unknown"
        number = next((known for known in Signals if known.name == f"SIG{name}"), 0)
        return f"Process exited with status {128 + number} from signal {name}"
    return f"Process exited with status {status}" if status else None


def _text(stream: bytearray) -> str:
    return stream.decode().removesuffix("\n")


class _Session(asyncssh.SSHClientSession[bytes]):
    """Collects what the command writes, and asks for its environment before it starts."""

    def __init__(self, request: Request, warn: Callable[[str], Awaitable[None]]) -> None:
        self._request = request
        self._warn = warn
        self._unfinished = bytearray()
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.both = bytearray()
        self.lines = asyncio.Queue[str | None]()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        # asyncssh sends variables without asking whether they are accepted, so the question goes
        # in front of the request that starts the command.
        ask = chan._make_request

        async def ask_environment_first(request: bytes, *args: bytes) -> bool | None:
            if request == b"exec":
                await self._set_environment(ask)
            return await ask(request, *args)

        chan._make_request = ask_environment_first

    def data_received(self, data: bytes, datatype: int | None) -> None:
        is_stderr = datatype == EXTENDED_DATA_STDERR
        (self.stderr if is_stderr else self.stdout).extend(data)
        self.both.extend(data)
        if self._request.log_stderr if is_stderr else self._request.log_stdout:
            self._unfinished.extend(data)
            *finished, self._unfinished = self._unfinished.split(b"\n")
            for line in finished:
                self._put(line)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # The exit status tells: a connection that broke leaves none.
        if self._unfinished:
            self._put(self._unfinished)
        self.lines.put_nowait(None)

    def _put(self, line: bytearray) -> None:
        self.lines.put_nowait(line.decode(errors="replace").removesuffix("\r"))

    async def _set_environment(self, ask: Callable[..., Awaitable[Any]]) -> None:
        for name, value in self._request.environment.items():
            if not await ask(b"env", String(name), String(value)):
                raise EnvironmentRefusedError(name)
        for name, value in self._request.optional_environment.items():
            if not await ask(b"env", String(name), String(value)):
                await self._warn(name)


class EnvironmentRefusedError(CommandError):
    """The host does not accept a variable, which is the default of OpenSSH's server."""

    def __init__(self, name: str) -> None:
        super().__init__(f"could not set environment variable {quoted(name)}: ssh: setenv failed")
        self.name = name
