"""Running one script on many hosts at once: one connection per host, one deadline for all.

Whatever a host does (refuse, hang, answer garbage), it ends in a Said: with its output, or with one
line of reason.
"""

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import asyncssh

from components.hosts.address import HostAddress
from components.hosts.connection import CredentialsError, HostCredentials, Opener
from components.hosts.facts import MAXIMUM_BYTES, FactsError
from components.hosts.script import command_line, script_input
from components.hosts.trouble import ScriptError, lacked_secret, reason
from configuration.secrets import Secret

_AT_ONCE = 64
"""Hosts that are asked at the same time; more would only wait for this machine's processor."""
_CLOSING_SECONDS = 2.0
_ENDING_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One host and the script that runs there as root."""

    address: HostAddress
    script: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """How one host ended; exactly one of both is there."""

    output: bytes | None = None
    problem: str | None = None
    """Why there is no output, in one line."""
    lacks: Secret | None = None
    """The secret that is missing or wrong, where that is why."""


@dataclass(frozen=True, kw_only=True)
class ReadingPlan:
    """What holds for all hosts."""

    credentials: HostCredentials = field(repr=False)
    jump: HostAddress | None = None
    """The host through which all others are reached, over one connection."""
    connect_seconds: float = 15.0
    """How long connecting to one host may take."""
    deadline_seconds: float = 30.0
    """How long all of them may take."""


def ask_hosts(asks: Sequence[Ask], plan: ReadingPlan) -> dict[str, Said]:
    """What every host said, by its name. Raises nothing that a host can cause."""
    said: dict[str, Said] = {}
    # The program itself already runs inside an event loop, so this one gets a thread of its own.
    thread = threading.Thread(
        target=lambda: said.update(asyncio.run(_ask_all(asks, plan))), daemon=True
    )
    thread.start()
    thread.join(plan.deadline_seconds + _ENDING_SECONDS)
    lost = Said(problem="reading the hosts broke off")
    return {each.address.name: said.get(each.address.name, lost) for each in asks}


async def _ask_all(asks: Sequence[Ask], plan: ReadingPlan) -> dict[str, Said]:
    try:
        opener = Opener(plan.credentials, plan.connect_seconds)
    except CredentialsError as error:
        return {each.address.name: Said(problem=str(error)) for each in asks}
    try:
        async with AsyncExitStack() as stack:
            return await _within_deadline(asks, plan, opener, stack)
    finally:
        await _briefly(opener.close())


async def _within_deadline(
    asks: Sequence[Ask], plan: ReadingPlan, opener: Opener, stack: AsyncExitStack
) -> dict[str, Said]:
    places = asyncio.Semaphore(_AT_ONCE)
    jump = None if plan.jump is None else asyncio.create_task(opener.open(plan.jump, None))
    if jump is not None:
        stack.push_async_callback(_close_tunnel, jump)
    tasks = {
        each.address.name: asyncio.create_task(_ask(each, plan, opener, jump, places))
        for each in asks
    }
    if not tasks:
        return {}
    _, late = await asyncio.wait(tasks.values(), timeout=plan.deadline_seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    too_late = Said(problem=f"no answer within {plan.deadline_seconds:g} s")
    return {name: too_late if task in late else task.result() for name, task in tasks.items()}


async def _ask(
    ask: Ask,
    plan: ReadingPlan,
    opener: Opener,
    jump: "asyncio.Task[asyncssh.SSHClientConnection] | None",
    places: asyncio.Semaphore,
) -> Said:
    try:
        tunnel = None if jump is None else await asyncio.shield(jump)
    except Exception as error:
        where = plan.jump.name if plan.jump else "jump host"
        return Said(problem=f"{where}: {reason(error)}", lacks=lacked_secret(error))
    try:
        async with places:
            return Said(output=await _run(ask, plan, opener, tunnel))
    except Exception as error:  # whatever a host answers, the others and the program go on
        return Said(problem=reason(error), lacks=lacked_secret(error))


async def _run(
    ask: Ask,
    plan: ReadingPlan,
    opener: Opener,
    tunnel: asyncssh.SSHClientConnection | None,
) -> bytes:
    """What the script prints. Raises FactsError when it fails on the host."""
    text = script_input(ask.script, (), plan.credentials.sudo_password)
    connection = await opener.open(ask.address, tunnel)
    try:
        process = await connection.create_process(command_line("facts"), encoding=None)
        # A login shell that runs nothing may be gone by now; what it said still counts.
        with suppress(BrokenPipeError):
            process.stdin.write(text.encode())
            process.stdin.write_eof()
        complaint, answer = await asyncio.gather(_at_most(process.stderr), _at_most(process.stdout))
        await process.wait_closed()
    finally:
        connection.abort()
    if process.exit_status != 0:
        # A login that is refused by a command of its own says why on standard output, as that of
        # root on cloud images.
        said = _last_line(complaint) or _last_line(answer)
        raise ScriptError(said, ask.address.user)
    return answer


async def _at_most(stream: "asyncssh.SSHReader[bytes]") -> bytes:
    """Everything that the stream has. Raises FactsError past what any host has to say."""
    received = bytearray()
    while part := await stream.read(65536):
        received += part
        if len(received) > MAXIMUM_BYTES:
            raise FactsError(f"it answered more than {MAXIMUM_BYTES} bytes")
    return bytes(received)


async def _close_tunnel(jump: "asyncio.Task[asyncssh.SSHClientConnection]") -> None:
    jump.cancel()
    results: Sequence[object] = await asyncio.gather(jump, return_exceptions=True)
    for result in results:
        if isinstance(result, asyncssh.SSHClientConnection):
            result.abort()
            await _briefly(result.wait_closed())


async def _briefly(closing: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(closing, _CLOSING_SECONDS)


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return "".join(c if c.isprintable() else "?" for c in lines[-1])[:300] if lines else ""
