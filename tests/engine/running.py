"""An engine operation under way: wait for it, for something in it, or break it off."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from tests.engine.outcome import Outcome

_POLL_SECONDS = 0.05
_LAST_EVENTS_SECONDS = 10.0

Report: TypeAlias = "Callable[[Outcome], None] | None"


class EngineTimeoutError(AssertionError):
    """An operation did not end, or did not get somewhere, in the time it was given."""


def operation_environment(event_log: Path) -> dict[str, str]:
    """What marks the engine of one operation and the plugins that it starts."""
    return {"ENGINE_TEST_OPERATION": str(event_log)}


class Running:
    """One `pulumi` process, and the process that hosts its program, if it has one."""

    def __init__(
        self,
        outcome: Outcome,
        engine: subprocess.Popen[str],
        program_host: subprocess.Popen[str] | None,
        event_log: Path,
        seconds: float,
    ) -> None:
        """Take over the processes.

        Args:
            engine: started with operation_environment of the same event log.
            event_log: the file to which the engine writes its events; no two operations share one.
            seconds: after which everything is killed.
        """
        self.outcome = outcome
        self._engine = engine
        self._program_host = program_host
        self._event_log = event_log
        self._deadline = time.monotonic() + seconds
        self._reports: queue.Queue[Report] = queue.Queue()
        self._sources = [
            threading.Thread(target=source, daemon=True)
            for source in (self._read_lines, self._read_events)
        ]
        for source in self._sources:
            source.start()
        self._open_sources = len(self._sources)

    def wait(self) -> Outcome:
        """The outcome at the end. Past the deadline everything is killed and that is an error."""
        while self._take_report(self._deadline):
            pass
        self.outcome.succeeded = self._engine.wait() == 0
        self._end()
        return self.outcome

    def wait_for(self, condition: Callable[[Outcome], bool], seconds: float = 60.0) -> None:
        """Return as soon as the outcome so far meets the condition."""
        deadline = min(self._deadline, time.monotonic() + seconds)
        while not condition(self.outcome):
            if not self._take_report(deadline):
                self._end()
                raise AssertionError(
                    f"{self.outcome.operation} ended before it got there:\n{self.outcome.log}"
                )

    def interrupt(self) -> None:
        """What Ctrl-C does: the engine lets steps under way finish and starts no new ones."""
        self._engine.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """What a power cut does: engine and plugins are gone at once, the stack's lock stays."""
        self._engine.kill()
        self._engine.wait()
        # An engine ends its plugins; one that was killed leaves them to notice for themselves,
        # which takes some of them minutes.
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def kill_plugins(self) -> None:
        """What running out of memory does: the plugins are gone at once, the engine goes on."""
        plugins = [process for process in self._processes() if process != self._engine.pid]
        assert plugins, "the operation has started no plugin"
        for process in plugins:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _take_report(self, deadline: float) -> bool:
        while self._open_sources:
            try:
                report = self._reports.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._end()
                raise EngineTimeoutError(
                    f"{self.outcome.operation} was not done in time:\n{self.outcome.log}"
                ) from None
            if report is not None:
                report(self.outcome)
                return True
            self._open_sources -= 1
        return False

    def _end(self) -> None:
        """Leave no process behind."""
        self.kill()
        if self._program_host is not None:
            assert self._program_host.stdin is not None
            with suppress(BrokenPipeError):
                self._program_host.stdin.close()
            try:
                self._program_host.wait(timeout=_LAST_EVENTS_SECONDS)
            except subprocess.TimeoutExpired:
                self._program_host.kill()
                self._program_host.wait()

    def _processes(self) -> Iterator[int]:
        """The engine and its plugins, known by what they inherited."""
        ((name, value),) = operation_environment(self._event_log).items()
        mark = f"{name}={value}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            # A process may end at any point of this, and others' can't be looked at.
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    yield int(process.name)

    def _read_lines(self) -> None:
        assert self._engine.stdout is not None
        for line in self._engine.stdout:
            text = line.rstrip("\n")
            self._reports.put(lambda outcome, text=text: outcome.lines.append(text))
        self._reports.put(None)

    def _read_events(self) -> None:
        for line in _follow(self._event_log, lambda: self._engine.poll() is not None):
            event = json.loads(line)
            self._reports.put(lambda outcome, event=event: outcome.add_event(event))
        self._reports.put(None)


def _follow(path: Path, is_over: Callable[[], bool]) -> Iterator[str]:
    """The complete lines of a file that grows until `is_over`."""
    unfinished = ""
    with path.open() as file:
        while True:
            last_look = is_over()
            unfinished += file.read()
            *lines, unfinished = unfinished.split("\n")
            yield from lines
            if last_look:
                return
            if not lines:
                time.sleep(_POLL_SECONDS)
