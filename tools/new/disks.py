"""The disks of each host that a program may use, as the hosts tell. Reads only.

Which disk may be used is decided where `up` decides it: the host is asked what the disk's own
script would find. Only a blank disk is offered.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components.hosts.address import HostAddress
from components.hosts.asking import Ask, ReadingPlan, Said, ask_hosts
from components.hosts.facts import Refusal
from components.hosts.reading import Question, Reading, read_hosts
from components.nodes.script_parts import questions
from components.nodes.verdicts import Verdict
from configuration.hosts import DiskSettings
from configuration.secrets import Secret

_SCRIPT = Path(__file__).with_name("disks.sh")
# A name by the disk itself comes before one by where it is plugged in.
_BEST_NAMES = ("wwn-", "nvme-eui.", "nvme-", "scsi-", "ata-", "virtio-")


@dataclass(frozen=True)
class Disk:
    """One disk of a host."""

    device: str
    """Its name now, such as /dev/sdb."""
    name: str
    """A name that it keeps at a restart; the one of now if it has no other."""
    size: int
    """In bytes."""
    model: str
    """As the disk calls itself; may be empty."""
    mount_point: str
    """Where it would be mounted, and is judged."""
    refused: str | None = None
    """Why it can't be used; None for a blank disk."""


@dataclass(frozen=True)
class HostDisks:
    """What one host has."""

    disks: Sequence[Disk] = ()
    problem: str | None = None
    """Why it could not be read, in one line."""
    lacks: Secret | None = None
    """The secret that is missing or wrong, where that is why."""

    @property
    def free(self) -> Sequence[Disk]:
        """The blank ones."""
        return [disk for disk in self.disks if disk.refused is None]


def read_disks(addresses: Sequence[HostAddress], plan: ReadingPlan) -> dict[str, HostDisks]:
    """The disks of every host by the host's name. Raises nothing that a host can cause."""
    script = _SCRIPT.read_text()
    said = ask_hosts([Ask(address=each, script=script) for each in addresses], plan)
    found = {name: listed(each) for name, each in said.items()}
    asked = [each for each in addresses if found[each.name].disks]
    readings = read_hosts(
        [
            Question(address=each, parts=questions(_as_settings(found[each.name].disks)))
            for each in asked
        ],
        plan,
    )
    return {
        name: _judged(host, readings[name]) if name in readings else host
        for name, host in found.items()
    }


def listed(said: Said) -> HostDisks:
    """The disks that a host lists, not yet judged."""
    if said.output is None:
        return HostDisks(problem=said.problem, lacks=said.lacks)
    try:
        lines = said.output.decode(errors="replace").splitlines()
        # A login shell may have said something before that.
        while lines and not lines[0].startswith("{"):
            lines = lines[1:]
        first, *links = lines
        names = [(name, device) for name, device in (line.split() for line in links)]
        usable = [
            each
            for each in json.loads(first)["blockdevices"]
            if each["type"] == "disk" and int(each["size"]) and str(each["ro"]) in ("0", "False")
        ]
        return HostDisks(
            [
                Disk(
                    device=each["name"],
                    name=_best(each["name"], names),
                    size=int(each["size"]),
                    model=(each["model"] or "").strip(),
                    mount_point=f"/mnt/longhorn-{number}",
                )
                for number, each in enumerate(usable, 1)
            ]
        )
    except (ValueError, KeyError, TypeError):
        return HostDisks(problem="it did not list its disks (lsblk of util-linux 2.27 or later)")


def _best(device: str, names: Sequence[tuple[str, str]]) -> str:
    own = sorted(name for name, of_device in names if of_device == device)
    for prefix in _BEST_NAMES:
        for name in own:
            if name.rpartition("/")[2].startswith(prefix):
                return name
    return own[0] if own else device


def _as_settings(disks: Sequence[Disk]) -> list[DiskSettings]:
    return [
        DiskSettings.model_validate({"device": disk.device, "mountPoint": disk.mount_point})
        for disk in disks
    ]


def _judged(host: HostDisks, reading: Reading) -> HostDisks:
    if reading.answer is None:
        return HostDisks(problem=reading.problem)
    said: Mapping[str, object] = reading.answer.verdicts
    for each in said.values():
        # The script ends there, before it looks at any disk.
        if isinstance(each, Refusal) and each.missing_command:
            return HostDisks(problem=f"{each.found}. {each.remedy}")
    return HostDisks(
        [replace(disk, refused=_refusal(said[disk.mount_point])) for disk in host.disks]
    )


def _refusal(said: object) -> str | None:
    match said:
        case Verdict(content="blank"):
            return None
        case Verdict(content=content):
            return f"holds a file system of this program ({content})"
        case Refusal(found=found):
            return found
        case _:
            return "the host said nothing of it"
