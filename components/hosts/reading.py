"""Reading every host once: all at the same time, one connection per host, one deadline.

Reads only. Whatever a host does (refuse, hang, answer garbage), it ends in a Reading: with facts,
or with one line of reason.
"""

import asyncio
import threading
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import asyncssh

from components.hosts.address import HostAddress
from components.hosts.connection import CredentialsError, HostCredentials, Opener
from components.hosts.facts import (
    MAXIMUM_BYTES,
    FactsError,
    HostAnswer,
    NothingRanError,
    parse_answer,
)
from components.hosts.question import Part, host_question
from components.hosts.script import command_line, script_input
from configuration.hosts import DiskSettings

_AT_ONCE = 64
"""Hosts that are read at the same time; more would only wait for this machine's processor."""
_CLOSING_SECONDS = 2.0
_ENDING_SECONDS = 15.0
_SUDO_REMEDIES = {
    "must have a tty": "Let sudo work without a terminal: a line `Defaults:{user} !requiretty` in "
    "a file of /etc/sudoers.d",
    "a password is required": "Give sudo's password as the secret sudoPassword, or let sudo not "
    "ask: a line `{user} ALL=(ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d",
}
"""What to do about an answer of sudo itself, by words in it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One host and the words that the script gets there."""

    address: HostAddress
    disks: Sequence[DiskSettings] = ()
    """The disks of which facts are asked."""
    parts: Sequence[Part] = ()
    """The scripts that are asked beside that."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How reading one host ended; exactly one of both is there."""

    answer: HostAnswer | None = None
    problem: str | None = None
    """Why there is no answer, in one line."""
    nothing_ran: bool = False
    """Whether it let the stack's user in and then ran nothing, without a word."""


@dataclass(frozen=True, kw_only=True)
class ReadingPlan:
    """What holds for all hosts."""

    credentials: HostCredentials = field(repr=False)
    jump: HostAddress | None = None
    """The host through which all others are reached, over one connection."""
    connect_seconds: float = 15.0
    """How long connecting to one host may take."""
    deadline_seconds: float = 30.0
    """How long reading all of them may take."""


def read_hosts(questions: Sequence[Question], plan: ReadingPlan) -> dict[str, Reading]:
    """A reading for every question, by the host's name. Raises nothing that a host can cause."""
    readings: dict[str, Reading] = {}
    # The program itself already runs inside an event loop, so this one gets a thread of its own.
    thread = threading.Thread(
        target=lambda: readings.update(asyncio.run(_read_all(questions, plan))), daemon=True
    )
    thread.start()
    thread.join(plan.deadline_seconds + _ENDING_SECONDS)
    lost = Reading(problem="reading the hosts broke off")
    return {q.address.name: readings.get(q.address.name, lost) for q in questions}


async def _read_all(questions: Sequence[Question], plan: ReadingPlan) -> dict[str, Reading]:
    try:
        opener = Opener(plan.credentials, plan.connect_seconds)
    except CredentialsError as error:
        return {q.address.name: Reading(problem=str(error)) for q in questions}
    try:
        async with AsyncExitStack() as stack:
            return await _within_deadline(questions, plan, opener, stack)
    finally:
        await _briefly(opener.close())


async def _within_deadline(
    questions: Sequence[Question], plan: ReadingPlan, opener: Opener, stack: AsyncExitStack
) -> dict[str, Reading]:
    places = asyncio.Semaphore(_AT_ONCE)
    jump = None if plan.jump is None else asyncio.create_task(opener.open(plan.jump, None))
    if jump is not None:
        stack.push_async_callback(_close_tunnel, jump)
    tasks = {
        question.address.name: asyncio.create_task(_read(question, plan, opener, jump, places))
        for question in questions
    }
    _, late = await asyncio.wait(tasks.values(), timeout=plan.deadline_seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    too_late = Reading(problem=f"no answer within {plan.deadline_seconds:g} s")
    return {name: too_late if task in late else task.result() for name, task in tasks.items()}


async def _read(
    question: Question,
    plan: ReadingPlan,
    opener: Opener,
    jump: "asyncio.Task[asyncssh.SSHClientConnection] | None",
    places: asyncio.Semaphore,
) -> Reading:
    try:
        tunnel = None if jump is None else await asyncio.shield(jump)
    except Exception as error:
        where = plan.jump.name if plan.jump else "jump host"
        return Reading(problem=f"{where}: {_reason(error)}")
    try:
        async with places:
            said = await _ask(question, plan, opener, tunnel)
        mount_points = [disk.mount_point for disk in question.disks]
        models = {part.key: part.model for part in question.parts}
        return Reading(answer=parse_answer(said, mount_points, models))
    except NothingRanError as error:
        return Reading(problem=str(error), nothing_ran=True)
    except Exception as error:  # whatever a host answers, the others and the program go on
        return Reading(problem=_reason(error))


async def _ask(
    question: Question,
    plan: ReadingPlan,
    opener: Opener,
    tunnel: asyncssh.SSHClientConnection | None,
) -> bytes:
    """What the question's script prints. Raises FactsError when it fails on the host."""
    text = host_question(question.disks, question.parts)
    text = script_input(text, (), plan.credentials.sudo_password)
    connection = await opener.open(question.address, tunnel)
    try:
        process = await connection.create_process(command_line("facts"), encoding=None)
        process.stdin.write(text.encode())
        process.stdin.write_eof()
        complaint, answer = await asyncio.gather(_at_most(process.stderr), _at_most(process.stdout))
        await process.wait_closed()
    finally:
        connection.abort()
    if process.exit_status != 0:
        raise FactsError(_failure(_last_line(complaint), question.address.user))
    return answer


def _failure(complaint: str, user: str) -> str:
    remedies = (text for words, text in _SUDO_REMEDIES.items() if words in complaint)
    remedy = next(remedies, "").format(user=user)
    return f"reading it failed: {complaint or 'no message'}{remedy and f'. {remedy}'}"


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


def _reason(error: Exception) -> str:
    if isinstance(error, FactsError):
        return str(error)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "it shows another host key than the stack file pins"
    if isinstance(error, asyncssh.PermissionDenied):
        return "it lets nobody in with the stack's user and keys"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"the way to it is refused: {error.reason}"
    if isinstance(error, OSError):
        return f"it can't be reached: {error.strerror or error}"
    return f"{type(error).__name__}: {error}"


def unread(readings: Mapping[str, Reading]) -> dict[str, str]:
    """Reason by name for every host that was not read."""
    return {
        name: reading.problem for name, reading in readings.items() if reading.problem is not None
    }
