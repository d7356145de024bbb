"""Whether Rancher's containers run as `up` left them, and what starts them again. Pure.

A backup of Rancher's data stops Rancher for as long as its data is packed, and starts it again
(backup/backup.sh). That is no defect, and nobody else may start Rancher meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from components.docker.state import DEAD, GONE, PAUSED, RESTARTING, ContainerState
from components.rancher.server.backup.reading import BackupWork
from configuration.rancher_backup import LONGEST_BACKUP


@dataclass(frozen=True, kw_only=True)
class RancherContainers:
    """The containers of a stack with a Rancher server."""

    rancher: ContainerState
    backup: ContainerState | None = None
    """The one that makes backups; None where the stack has none."""
    owner: str = ""
    """What `this_stack` tells: whose they are to be."""
    work: BackupWork = field(default_factory=BackupWork)
    """What it does; asked only where Rancher is stopped."""

    @property
    def each(self) -> tuple[ContainerState, ...]:
        """Those that are to run."""
        return (self.rancher,) if self.backup is None else (self.rancher, self.backup)

    @property
    def is_stopped_by_backup(self) -> bool:
        """Whether a backup has stopped Rancher, and could still start it again."""
        # An error is of a start: the backup has tried it in vain.
        return self.work.has_stopped_rancher and not self.rancher.error


@dataclass(frozen=True, kw_only=True)
class Start:
    """What makes a container run again."""

    name: str
    verb: str
    """Of Docker's API: start or unpause."""


def running_finding(found: RancherContainers, docker_host: str, now: datetime) -> str | None:
    """Which containers do not run, in one line; None where all do.

    Args:
        found: What there is.
        docker_host: Where.
        now: The time, with its zone.
    """
    ended = found.rancher.ended
    is_young = ended is not None and now - ended < LONGEST_BACKUP
    states = found.each
    if found.rancher.is_stopped and found.is_stopped_by_backup and is_young:
        states = states[1:]
    return _line(docker_host, [words for each in states if (words := _problem(each, found.owner))])


def lost_finding(found: RancherContainers, docker_host: str) -> str | None:
    """Which containers can't be started again, in one line; None where all can."""
    lost = [each for each in found.each if _is_lost(each, found.owner)]
    return _line(docker_host, [_problem(each, found.owner) for each in lost])


def _is_lost(state: ContainerState, owner: str) -> bool:
    return state.status in (GONE, DEAD) or state.owner != owner


def _line(docker_host: str, problems: list[str]) -> str | None:
    # The host at the end: Pulumi cuts a long value off, and shows the host beside it.
    return f"{'; '.join(problems)} (Docker host {docker_host})" if problems else None


def _problem(state: ContainerState, owner: str) -> str:
    """Why a container does not run; empty where it does, or Docker starts it by itself."""
    name = f"container {state.name}"
    if state.status == GONE:
        return f"{name} is not there; if somebody removed it, `pulumi up --refresh` makes it again"
    if state.owner != owner:
        return (
            f"{name} is not the one that this stack has made; take it away, and `pulumi up "
            "--refresh` makes the stack's own again"
        )
    if state.status == DEAD:
        return f"{name} is dead, and `pulumi up --refresh` makes it anew"
    if state.is_running or state.status == RESTARTING:
        return ""
    if state.status != "exited":
        words = {PAUSED: "is paused", "created": "was never started"}
        said = words.get(state.status, f"is {state.status}")
        return f"{name} {said}{f' ({state.error})' if state.error else ''}"
    since = "" if state.ended is None else f" since {state.ended:%F %T} UTC"
    why = f": {state.error}" if state.error else ""
    return f"{name} is stopped{since} (exit code {state.exit_code}{why})"


def starts(found: RancherContainers) -> Iterator[Start]:
    """What makes the containers run; nothing that would disturb a backup."""
    rancher, backup = found.rancher, found.backup
    may_be_packing = found.work.is_packing or (backup is not None and backup.status == PAUSED)
    if _is_lost(rancher, found.owner):
        pass
    elif rancher.status == PAUSED:
        yield Start(name=rancher.name, verb="unpause")
    elif rancher.is_stopped and not may_be_packing and not found.is_stopped_by_backup:
        yield Start(name=rancher.name, verb="start")
    if backup is None or _is_lost(backup, found.owner):
        return
    if backup.status == PAUSED:
        yield Start(name=backup.name, verb="unpause")
    elif backup.is_stopped:
        yield Start(name=backup.name, verb="start")


def not_yet(found: RancherContainers) -> list[str]:
    """What is still to come, one line each; empty once Rancher is healthy, and all of them run."""
    rancher, backup = found.rancher, found.backup
    lines: list[str] = []
    if rancher.is_running:
        if rancher.health not in ("", "healthy"):
            lines.append(f"container {rancher.name} is {rancher.health}")
    elif rancher.is_stopped and (found.is_stopped_by_backup or found.work.is_packing):
        lines.append(
            f"container {rancher.name} is stopped until a backup of its data is made (docker logs "
            f"{backup.name if backup else rancher.name})"
        )
    else:
        lines.append(f"container {rancher.name} is {rancher.status}")
    if backup is not None and not backup.is_running:
        lines.append(f"container {backup.name} is {backup.status}")
    return lines
