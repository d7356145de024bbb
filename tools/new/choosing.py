"""Which disks a new stack gets: asked once for hosts that are alike, and never taken unasked."""

from collections.abc import Callable, Mapping, Sequence

from tools.new.disks import Disk, HostDisks
from tools.new.stack_file import size_words
from tools.plan.nodes import ranges

# Of hosts that are alike: how many are shown with each disk, and how many of more.
_MOST_SHOWN, _SHOWN_OF_MANY = 8, 3

Confirm = Callable[[str], bool]
"""Asks a question whose answer is no unless a person says yes."""


def alike(hosts: Mapping[str, HostDisks]) -> list[list[str]]:
    """The names of hosts with free disks, those together whose disks have the same sizes and
    models."""
    groups: dict[object, list[str]] = {}
    for name, host in hosts.items():
        if host.free:
            kind = tuple((disk.size, disk.model) for disk in host.free)
            groups.setdefault(kind, []).append(name)
    return list(groups.values())


def choose(
    hosts: Mapping[str, HostDisks], confirm: Confirm, say: Callable[[str], None]
) -> dict[str, list[Disk]]:
    """The disks that a person says yes to, by host.

    Args:
        hosts: What each host has.
        confirm: Asks for each kind of disk.
        say: Shows a line.
    """
    chosen: dict[str, list[Disk]] = {}
    for names in alike(hosts):
        say(f"{ranges(names)}:")
        shown = len(names) if len(names) <= _MOST_SHOWN else _SHOWN_OF_MANY
        for name in names[:shown]:
            for disk in hosts[name].free:
                say(f"  {name}  {described(disk)}")
        if shown < len(names):
            say(f"  and {len(names) - shown} more, with disks of the same sizes and models")
        for number, disk in enumerate(hosts[names[0]].free):
            where = f"on each of {len(names)} nodes" if len(names) > 1 else f"on {names[0]}"
            words = " ".join(filter(None, [size_words(disk.size), disk.model]))
            if confirm(f"Give Longhorn the blank disk of {words} {where}? It is formatted by `up`"):
                for name in names:
                    chosen.setdefault(name, []).append(hosts[name].free[number])
    return chosen


def described(disk: Disk) -> str:
    """A disk in one line: its name now, size, model and lasting name."""
    name = disk.name if disk.name != disk.device else "no lasting name"
    return "  ".join(filter(None, [disk.device, size_words(disk.size), disk.model, name]))


def remarks(
    nodes: Sequence[str], hosts: Mapping[str, HostDisks], chosen: Mapping[str, Sequence[Disk]]
) -> dict[str, str]:
    """What a person should know of a node's disks, where it is not plain."""
    found: dict[str, str] = {}
    for name in nodes:
        host = hosts.get(name)
        if host is not None and host.problem is not None:
            found[name] = f"Its disks could not be read: {host.problem}"
        elif host is not None and not host.free:
            found[name] = _nothing_free(host)
        elif any(disk.name == disk.device for disk in chosen.get(name, ())):
            found[name] = "A disk has no name that it keeps at a restart."
    return found


def _nothing_free(host: HostDisks) -> str:
    """Why a host has no disk to offer, with the reason for each that it has."""
    reasons = [
        reason if reason.startswith(disk.device) else f"{disk.device}: {reason}"
        for disk in host.disks
        for reason in [disk.refused or ""]
    ]
    return "; ".join(["It has no disk that can be taken", *reasons]) + "."
