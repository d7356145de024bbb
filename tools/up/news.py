"""What of an operation's events a person is told, each thing once. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pulumi.automation import DiagnosticEvent, EngineEvent, OpType

from tools.up.parts import Part, Parts
from tools.up.steps import STACK, Step, step_of

_WARNS = ": warning: "
_HEADING = "# "
# What ends only itself. REPLACE does nothing: the engine tells it between the two halves.
_HALVES = {
    OpType.REPLACE,
    OpType.CREATE_REPLACEMENT,
    OpType.DELETE_REPLACED,
    OpType.DISCARD_REPLACED,
}
Kind = Literal["starts", "done", "failed", "waits", "says", "warning", "error"]


@dataclass(frozen=True)
class Line:
    """One thing that a person is told."""

    kind: Kind
    text: str


class News:
    """Turns events into lines, across a preview and the `up` after it.

    Attributes:
        steps: Those of the preview, in its order.
        readme: What the stack says of itself at its end; None until it does.
        parts: Who belongs to what.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.steps: list[Step] = []
        self.readme: str | None = None
        self.parts = Parts()
        self._told = set[str]()
        self._undone: dict[Part, set[tuple[str, OpType]]] = {}
        self._since: dict[Part, int] = {}
        self._failed = set[Part]()

    def of_preview(self, event: EngineEvent) -> Iterator[Line]:
        """Take in what `up` would do; only messages are told."""
        if event.resource_pre_event:
            step = step_of(event.resource_pre_event.metadata)
            self.steps.append(step)
            self._begin(step)
        yield from self._messages(event)

    def of_up(self, event: EngineEvent) -> Iterator[Line]:
        """What begins, what is done, what failed, and every message."""
        yield from self._messages(event)
        if event.resource_pre_event:
            step = step_of(event.resource_pre_event.metadata)
            part = self._begin(step)
            if part is not None and part not in self._since:
                self._since[part] = event.timestamp
                yield Line("starts", part.title)
        elif event.res_outputs_event:
            yield from self._end(step_of(event.res_outputs_event.metadata), event.timestamp)
        elif event.res_op_failed_event:
            step = step_of(event.res_op_failed_event.metadata)
            part = self.parts.part_of(step)
            if part is not None and part not in self._failed:
                self._failed.add(part)
                yield Line("failed", part.title)

    def _begin(self, step: Step) -> Part | None:
        """The part on which work begins with this step."""
        self.parts.learn([step])
        part = self.parts.part_of(step)
        if part is None or step.is_component or not step.is_work or self.parts.is_noted(step):
            return None
        self._undone.setdefault(part, set()).add((step.urn, step.operation))
        return part

    def _end(self, step: Step, now: int) -> Iterator[Line]:
        if step.type == STACK:
            self.readme = step.outputs.get("readme", self.readme)
        part = self.parts.part_of(step)
        undone = self._undone.get(part, set()) if part else set[tuple[str, OpType]]()
        # A replacement is two steps; anything else ends what was expected, also if a preview could
        # not know it.
        undone -= {
            (urn, operation)
            for urn, operation in undone
            if urn == step.urn and (operation == step.operation or step.operation not in _HALVES)
        }
        if part in self._since and not undone:
            yield Line("done", f"{part.title} ({duration(now - self._since.pop(part))})")

    def _messages(self, event: EngineEvent) -> Iterator[Line]:
        if event.stdout_event:
            yield Line("says", event.stdout_event.message.strip())
        if event.diagnostic_event:
            line = _line(event.diagnostic_event)
            if line is not None and line.text not in self._told:
                self._told.add(line.text)
                yield line


def _line(said: DiagnosticEvent) -> Line | None:
    """The message whole; None for what is of no use to a person at a terminal."""
    text = said.message.strip()
    name = (said.urn or "").rpartition("::")[2]
    match said.severity:
        case "error":
            return Line("error", f"{name}: {text}" if name and _is_custom(said) else text)
        case "warning" if not said.ephemeral:
            return Line("warning", text)
        case "info" | "info#err" if not said.ephemeral:
            # The stack's summary, which comes at the end.
            return None if text.startswith(_HEADING) else Line("says", text)
        case "info" if not name:
            return Line("waits", text)
        case "info" if _WARNS in text:
            return Line("warning", text.replace(_WARNS, ": "))
        case _:
            return None


def _is_custom(said: DiagnosticEvent) -> bool:
    return f"::{STACK}::" not in (said.urn or "")


def steps_of_work(steps: Sequence[Step]) -> list[Step]:
    """Those that a plugin does, once for each resource."""
    return [step for step in steps if step.word is not None and not step.is_component]


def duration(seconds: int) -> str:
    """Seconds in words, such as 2 min 5 s."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
