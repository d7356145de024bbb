"""runc, but asking for no capability that this machine cannot give.

`docker run --privileged` asks for every capability that the kernel knows. Where the machine's own
bounding set lacks one (it may itself be a container or a trimmed virtual machine), runc refuses
to start the container at all. This runtime takes such names out of the bundle's config.json, and
out of the process file of an exec, and becomes runc. It adds nothing and changes nothing else.

Started by containerd's shim with runc's own command line, so it uses the standard library alone:
    python3 within_bounds.py RUNC [runc's arguments …]
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The names of capabilities 0, 1, 2, … in the order of linux/capability.h.
_WORDS = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
    "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER "
    "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF "
    "CHECKPOINT_RESTORE"
)
NAMES = [f"CAP_{word}" for word in _WORDS.split()]


def bounding_set(status: str) -> int:
    """The mask after "CapBnd:" in the text of /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    raise ValueError("/proc/self/status has no line CapBnd")


def missing(bound: int) -> list[str]:
    """The capabilities that a process with this bounding set can never have."""
    return [name for number, name in enumerate(NAMES) if not bound >> number & 1]


def without(process: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The OCI `process` object with these names taken out of each of its capability sets."""
    sets = process.get("capabilities") or {}
    kept = {kind: [name for name in held if name not in names] for kind, held in sets.items()}
    return {**process, "capabilities": kept} if sets else process


def file_to_change(arguments: Sequence[str]) -> tuple[Path, str] | None:
    """The file of a runc command that names capabilities, and "bundle" or "process" for its kind.

    None for commands that start no process (state, kill, delete, …).
    """
    words = list(arguments)
    if "create" in words or "run" in words or "restore" in words:
        bundle = _option(words, "--bundle", "-b") or "."
        return Path(bundle) / "config.json", "bundle"
    if "exec" in words:
        process = _option(words, "--process", "-p")
        return (Path(process), "process") if process else None
    return None


def _option(words: Sequence[str], *names: str) -> str | None:
    for position, word in enumerate(words):
        for name in names:
            if word == name and position + 1 < len(words):
                return words[position + 1]
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
    return None


def main() -> None:
    """Change the file if there is one, then become runc."""
    runc, *arguments = sys.argv[1:]
    lacking = missing(bounding_set(Path("/proc/self/status").read_text()))
    found = file_to_change(arguments)
    if lacking and found is not None:
        file, kind = found
        content = json.loads(file.read_text())
        if kind == "bundle":
            content["process"] = without(content["process"], lacking)
        else:
            content = without(content, lacking)
        file.write_text(json.dumps(content))
    os.execv(runc, [runc, *arguments])  # noqa: S606 - becoming runc is the point


if __name__ == "__main__":
    main()
