"""One step of Pulumi's engine on one resource, as far as a person is told of it. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi.automation import OpType, StepEventMetadata

STACK = "pulumi:pulumi:Stack"
_FOUND = "found: "
_CHANGES = {
    OpType.CREATE: "create",
    OpType.CREATE_REPLACEMENT: "replace",
    OpType.UPDATE: "update",
    OpType.DELETE: "delete",
    OpType.DISCARD: "forget",
    OpType.IMPORT: "import",
    OpType.IMPORT_REPLACEMENT: "import",
}
_REST_OF_A_REPLACEMENT = {OpType.DELETE_REPLACED, OpType.DISCARD_REPLACED}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the engine does to one resource."""

    operation: OpType
    urn: str
    type: str
    parent: str
    """URN; empty for the stack itself."""
    is_component: bool
    changed: Sequence[str]
    """Names of the inputs that changed."""
    found: str | None
    """What the preview found not to be as the program left it, in one line."""
    outputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def word(self) -> str | None:
        """What is done, in a word; None where nothing is, or where another step says it."""
        return _CHANGES.get(self.operation)

    @property
    def is_work(self) -> bool:
        """Whether something is done to the resource."""
        return self.word is not None or self.operation in _REST_OF_A_REPLACEMENT


def step_of(told: StepEventMetadata) -> Step:
    """The step that an event of the engine tells of."""
    state = told.new or told.old
    inputs = (told.new and told.new.inputs) or {}
    return Step(
        operation=told.op,
        urn=told.urn,
        type=told.type,
        parent=state.parent if state else "",
        is_component=state is not None and not state.custom,
        changed=tuple(sorted(told.diffs or ())),
        found=_found(inputs),
        outputs=(state and state.outputs) or {},
    )


def _found(inputs: Mapping[str, Any]) -> str | None:
    """A dynamic resource has it as an input, a script's command as the last of its words."""
    finding = inputs.get("finding")
    if isinstance(finding, str):
        return finding
    line = inputs.get("update")
    last = shlex.split(line)[-1] if isinstance(line, str) and _FOUND in line else ""
    return last.removeprefix(_FOUND) if last.startswith(_FOUND) else None
