"""The question that every host is asked: facts about it, and what each script handed in says.

One script, so that one session (and one sudo) answers all of it. The scripts themselves say what
they would find, so a preview can refuse nothing that a run would not refuse, and the other way
round.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from components.common.script_text import BENEATH, PRELUDE, script_text
from components.hosts.facts import AnswerModel
from configuration.hosts import DiskSettings

SYSTEM = "hosts/scripts/system.sh"
"""What kind of system a host is."""
NODE_FACTS = (PRELUDE, BENEATH, SYSTEM, "hosts/scripts/node-facts.sh")
_END = "END_OF_SCRIPT"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One script that is asked what it would find; it answers in one line of JSON."""

    key: str
    """Under which its answer is found."""
    text: str
    """The script; it changes nothing."""
    words: tuple[str, ...]
    """Its arguments."""
    model: type[AnswerModel]
    """What its answer has to fit, unless it is a Refusal."""


def host_question(disks: Sequence[DiskSettings], parts: Sequence[Part] = ()) -> str:
    """The script to run as root.

    Args:
        disks: Those of which facts are asked.
        parts: What else is asked.
    """
    names: dict[str, str] = {script_text(*NODE_FACTS): "node_facts"}
    for part in parts:
        names.setdefault(part.text, f"script_{len(names)}")
    pairs = [f"{disk.device}:{disk.mount_point}" for disk in disks]
    return "\n".join(
        [
            "set -eu",
            *(_function(name, text) for text, name in names.items()),
            shlex.join(["node_facts", *pairs]),
            *(shlex.join([names[part.text], *part.words]) for part in parts),
            "",
        ]
    )


def _function(name: str, script: str) -> str:
    """A shell function that runs the script with its own arguments, in a shell of its own."""
    return f"{name}() {{\n    sh -s -- \"$@\" <<'{_END}'\n{script}\n{_END}\n}}"
