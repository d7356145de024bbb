"""What a container does right now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from components.common.answers import listed, mapped, time_in
from components.common.owner import MARK
from components.docker.facts import inspected

RUNNING, PAUSED, RESTARTING, DEAD, GONE = "running", "paused", "restarting", "dead", "gone"
_STOPPED = ("created", "exited")


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """One container, or that there is none of that name."""

    name: str
    status: str
    """Docker's own word: created, running, paused, restarting, removing, exited or dead; GONE where
    there is no such container."""
    health: str = ""
    """What its health check says: starting, healthy or unhealthy; empty where it has none."""
    health_said: str = ""
    """The last words of its health check, in one line."""
    owner: str | None = None
    """The stack that made it, by its label MARK; None where nothing says so."""
    exit_code: int = 0
    """With what it has ended."""
    error: str = ""
    """Why Docker could not start it the last time; empty if it could."""
    made: datetime | None = None
    ended: datetime | None = None
    """When it ended; None if it never did."""

    @property
    def is_running(self) -> bool:
        """Whether it works: one that is paused, or that Docker is to start again, does not."""
        return self.status == RUNNING

    @property
    def is_stopped(self) -> bool:
        """Whether it is there, and starts when Docker is told to."""
        return self.status in _STOPPED


def read_state(api: httpx.Client, name: str) -> ContainerState:
    """Ask Docker, over a connection that is there already."""
    return container_state(name, inspected(api, name))


def container_state(name: str, said: Mapping[str, Any] | None) -> ContainerState:
    """What `inspect` tells of a container; None where there is none of that name. Pure."""
    if said is None:
        return ContainerState(name=name, status=GONE)
    state = mapped(said["State"])
    health = mapped(state.get("Health"))
    log = [str(each.get("Output") or "") for each in listed(health.get("Log"))]
    status = str(health.get("Status") or "")
    return ContainerState(
        name=name,
        status=str(state["Status"]),
        # Docker may have a word for it, too.
        health="" if status == "none" else status,
        health_said=" ".join(log[-1].split()) if log else "",
        owner=mapped(mapped(said.get("Config")).get("Labels")).get(MARK),
        exit_code=int(state.get("ExitCode") or 0),
        error=" ".join(str(state.get("Error") or "").split()),
        made=_time(said.get("Created")),
        ended=_time(state.get("FinishedAt")),
    )


def _time(said: object) -> datetime | None:
    """The year 1 is Docker's word for never."""
    found = time_in(said)
    return found if found is not None and found.year > 1 else None
