"""What one operation of Pulumi's engine did, read from its event log and its output."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_STAGES = {
    "resourcePreEvent": "begun",
    "resOutputsEvent": "done",
    "resOpFailedEvent": "failed",
}
_CHANGES_NOTHING = {"same", "read", "refresh"}


@dataclass(frozen=True)
class Step:
    """What the engine does to one resource.

    Attributes:
        operation: the engine's word: create, update, delete, same, create-replacement, ...
        stage: begun, done or failed.
        detail: changed property paths and how they changed (add, update, delete, and the same
            with -replace).
    """

    operation: str
    stage: str
    urn: str
    type: str
    detail: Mapping[str, str]

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.split("::", 3)[3]


@dataclass(frozen=True)
class Diagnostic:
    """One message of the engine, the program or a plugin; ephemeral ones are progress."""

    severity: str
    message: str
    urn: str
    ephemeral: bool


@dataclass
class Outcome:
    """What an operation did so far; `succeeded` is None until it ends.

    Attributes:
        changes: how many resources each operation touched, by the engine's own count at the end.
    """

    operation: str
    succeeded: bool | None = None
    lines: list[str] = field(default_factory=list[str])
    changes: dict[str, int] = field(default_factory=dict[str, int])
    steps: list[Step] = field(default_factory=list[Step])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def log(self) -> str:
        """What a person would have seen at the terminal."""
        return "\n".join(self.lines)

    def operations(self, kind: str | None = None) -> dict[str, int]:
        """How many resources each operation was begun on, without those that change nothing.

        Args:
            kind: count only resources of this type token.
        """
        return dict(
            Counter(
                step.operation
                for step in self.steps
                if step.stage == "begun"
                and step.operation not in _CHANGES_NOTHING
                and kind in {None, step.type}
            )
        )

    def step(self, name: str, operation: str | None = None) -> Step:
        """The first step on the resource of that name (and that operation)."""
        for step in self.steps:
            if step.name == name and operation in {None, step.operation}:
                return step
        raise AssertionError(f"no step {operation or ''} on {name!r} among {self.steps}")

    def errors(self) -> str:
        """All error messages of the engine, the program and the plugins."""
        return "\n".join(d.message for d in self.diagnostics if d.severity == "error")

    def or_fail(self) -> "Outcome":
        """This outcome, if the operation succeeded; an AssertionError with the log if not."""
        assert self.succeeded, f"{self.operation} failed:\n{self.log}"
        return self

    def add_event(self, event: Mapping[str, Any]) -> None:
        """Take in one line of the event log."""
        if diagnostic := event.get("diagnosticEvent"):
            if diagnostic["severity"] != "debug":
                self.diagnostics.append(
                    Diagnostic(
                        diagnostic["severity"],
                        diagnostic["message"],
                        diagnostic.get("urn", ""),
                        diagnostic.get("ephemeral", False),
                    )
                )
        elif summary := event.get("summaryEvent"):
            self.changes = dict(summary["resourceChanges"])
        for kind, stage in _STAGES.items():
            if step := event.get(kind):
                self._add_step(stage, step["metadata"])

    def _add_step(self, stage: str, metadata: Mapping[str, Any]) -> None:
        detail: Mapping[str, Any] = metadata.get("detailedDiff") or {}
        self.steps.append(
            Step(
                metadata["op"],
                stage,
                metadata["urn"],
                metadata["type"],
                {path: difference["diffKind"] for path, difference in detail.items()},
            )
        )
