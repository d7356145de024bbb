"""The question that every host is asked: facts about it, and what would happen to its disks.

One script, so that one session (and one sudo) answers all of it. node-disk.sh itself judges the
disks, so a preview can refuse nothing that a run would not refuse, and the other way round.
"""

import shlex
from collections.abc import Sequence

from components.host_facts import REFUSED, USABLE
from components.remote_script import script_text
from configuration.hosts import DiskSettings

_END_OF_FACTS, _END_OF_DISK = "END_OF_NODE_FACTS", "END_OF_NODE_DISK"


def host_question(disks: Sequence[DiskSettings]) -> str:
    """The script to run as root; it changes nothing on the host."""
    pairs = [f"{disk.device}:{disk.mount_point}" for disk in disks]
    return "\n".join(
        [
            _function("node_facts", script_text("node-facts.sh"), _END_OF_FACTS),
            _function("node_disk", script_text("node-disk.sh"), _END_OF_DISK),
            _JUDGE,
            shlex.join(["node_facts", *pairs]),
            *(shlex.join(["judge", *_words(disk)]) for disk in disks),
            "",
        ]
    )


_JUDGE = f"""\
set -eu
judge() {{
    if said=$(node_disk check "$@" 2>&1); then word={USABLE}; else word={REFUSED}; fi
    printf '%s %s\\n' "$word" "$(printf '%s' "$said" | tail -n 1)"
}}"""


def _words(disk: DiskSettings) -> tuple[str, str, str, str]:
    return disk.device, disk.mount_point, disk.file_system, disk.adopt_uuid or ""


def _function(name: str, script: str, end: str) -> str:
    """A shell function that runs the script with its own arguments, in a shell of its own."""
    return f"{name}() {{\n    sh -s -- \"$@\" <<'{end}'\n{script}\n{end}\n}}"
