"""Running the command of an action on its host, and saying so in Pulumi's log.

Pulumi, when interrupted, stops what still tries to connect, but a command that runs comes to its
end: cut off halfway it would leave its host in a state that nobody knows.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar, cast

from lab.programs.command_stand_in.dial import DialError, Endpoint, connection
from lab.programs.command_stand_in.run import (
    CommandError,
    EnvironmentRefusedError,
    Request,
    Streams,
    run,
)
from lab.programs.plugin_base.engine_log import EngineLog
from lab.programs.plugin_base.values import Properties, plain_properties

ExecutionError = (CommandError, DialError)
"""Whatever keeps a command from succeeding; the text is for the person at the terminal."""

Result = TypeVar("Result")


class Executor:
    """Runs commands for one engine of Pulumi's."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        """Give up connecting, now and from now on."""
        self._cancelled.set()

    async def run(
        self, urn: str, action: str, inputs: Properties, previous: Streams, timeout: float
    ) -> Streams:
        """Run the command of an action, or nothing where there is none.

        Args:
            previous: what the last run wrote; the result where nothing runs.
            timeout: seconds for getting connected, 0 for the connection's own limits alone.

        Raises:
            ExecutionError: connecting or the command failed.
        """
        known = cast(dict[str, Any], plain_properties(inputs))
        command: str | None = known.get(action)
        if command is None:
            return previous
        request = _request(command, known, previous)
        work = self._run_on_host(urn, known["connection"], request, timeout)
        # Pulumi's engine may give up this call; a command must not be cut off halfway for that.
        return await asyncio.shield(asyncio.ensure_future(work))

    async def _run_on_host(
        self, urn: str, target: Endpoint, request: Request, timeout: float
    ) -> Streams:
        async def log(line: str) -> None:
            await self._log.status(line, urn)

        async def warn(name: str) -> None:
            await self._log.warning(_refused(name), urn)

        opening = connection(target, log)
        opened = await self._unless_cancelled(opening.__aenter__(), timeout)
        try:
            return await run(opened, request, log, warn)
        except EnvironmentRefusedError as error:
            await self._log.error(_refused(error.name), urn)
            raise
        finally:
            await opening.__aexit__(None, None, None)

    async def _unless_cancelled(self, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
        working = asyncio.ensure_future(work)
        cancelled = asyncio.ensure_future(self._cancelled.wait())
        done, pending = await asyncio.wait(
            {working, cancelled},
            timeout=timeout or None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in pending:
            task.cancel()
        if working in done:
            return working.result()
        raise DialError("context canceled" if done else "context deadline exceeded")


def _request(command: str, inputs: Mapping[str, Any], previous: Streams) -> Request:
    logging: str = inputs.get("logging", "stdoutAndStderr")
    before: dict[str, str] = {}
    if inputs.get("addPreviousOutputInEnv", True):
        before = {
            "PULUMI_COMMAND_STDOUT": previous.stdout,
            "PULUMI_COMMAND_STDERR": previous.stderr,
        }
    return Request(
        command=command,
        stdin=inputs.get("stdin"),
        environment=inputs.get("environment", {}),
        optional_environment={name: text for name, text in before.items() if text},
        log_stdout=logging in {"stdout", "stdoutAndStderr"},
        log_stderr=logging in {"stderr", "stdoutAndStderr"},
    )


def _refused(name: str) -> str:
    return (
        f"Unable to set '{name}': the SSH server does not accept it. Name the variable in "
        f"AcceptEnv of its sshd_config, or set it in the command itself: '{name}=value command'."
    )
