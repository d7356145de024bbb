"""The question that every host is asked: facts about it, and what would happen there.

One script, so that one session (and one sudo) answers all of it. disk.sh itself judges the
disks and control-plane-health.sh the manifests, so a preview can refuse nothing that a run would
not refuse, and the other way round.
"""

import shlex
from collections.abc import Sequence

from components.common.script_text import script_text
from components.hosts.facts import REFUSED, USABLE
from configuration.hosts import DiskSettings

_END_OF_FACTS, _END_OF_DISK = "END_OF_NODE_FACTS", "END_OF_NODE_DISK"
_END_OF_CONTROL_PLANE = "END_OF_CONTROL_PLANE_HEALTH"


def host_question(disks: Sequence[DiskSettings], *, control_plane: bool = False) -> str:
    """The script to run as root; it changes nothing on the host.

    Args:
        control_plane: Whether the manifests of scheduler and controller manager are asked about.
    """
    pairs = [f"{disk.device}:{disk.mount_point}" for disk in disks]
    return "\n".join(
        [
            _function("node_facts", script_text("hosts/scripts/node-facts.sh"), _END_OF_FACTS),
            _function("node_disk", script_text("nodes/scripts/disk.sh"), _END_OF_DISK),
            _JUDGE,
            shlex.join(["node_facts", *pairs]),
            *(shlex.join(["judge", "node_disk", "check", *_words(disk)]) for disk in disks),
            *(_about_control_plane() if control_plane else ()),
            "",
        ]
    )


def _about_control_plane() -> tuple[str, str]:
    script = script_text("nodes/scripts/control-plane-health.sh")
    function = _function("control_plane", script, _END_OF_CONTROL_PLANE)
    return function, "judge control_plane check"


_JUDGE = f"""\
set -eu
judge() {{
    if said=$("$@" 2>&1); then word={USABLE}; else word={REFUSED}; fi
    printf '%s %s\\n' "$word" "$(printf '%s' "$said" | tail -n 1)"
}}"""


def _words(disk: DiskSettings) -> tuple[str, str, str, str]:
    return disk.device, disk.mount_point, disk.file_system, disk.adopt_uuid or ""


def _function(name: str, script: str, end: str) -> str:
    """A shell function that runs the script with its own arguments, in a shell of its own."""
    return f"{name}() {{\n    sh -s -- \"$@\" <<'{end}'\n{script}\n{end}\n}}"
