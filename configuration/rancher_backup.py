"""The backup of Rancher's own data."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from configuration.base import AbsolutePath, StackModel, pattern
from configuration.problems import rule

LONGEST_BACKUP = timedelta(hours=2)
"""For Rancher to stop, and its data to be packed."""

_TimeOfDay = Annotated[
    str,
    pattern(
        "time of day",
        r"([01][0-9]|2[0-3]):[0-5][0-9]",
        "must be a time of day from 00:00 to 23:59",
        'For example "02:30", in quotes.',
    ),
]


class RancherBackupSettings(StackModel):
    """Archives of Rancher's data in a folder of the Docker host. Rancher is stopped for each."""

    folder: AbsolutePath
    """Absolute folder on the Docker host for the archives; it outlives the stack. They hold every
    secret of Rancher's."""
    at: _TimeOfDay = "02:30"
    """When, in UTC; Rancher is away for a minute or more."""
    every_days: int = Field(default=1, ge=1, le=31)
    """Every how many days."""
    keep: int = Field(default=7, ge=1, le=1000)
    """How many archives are kept."""
    docker_socket: AbsolutePath | None = None
    """The Docker engine's socket as containers may mount it; that of rancher.dockerHost, and
    /var/run/docker.sock where that is another machine."""

    @field_validator("folder", "docker_socket")
    @classmethod
    def _mountable(cls, value: str | None) -> str | None:
        if value is not None and (":" in value or value == "/"):
            raise rule("is no path that Docker can mount", "Use another, without a colon.")
        return value

    @property
    def seconds_after_midnight(self) -> int:
        """When, in UTC."""
        hours, minutes = self.at.split(":")
        return int(hours) * 3600 + int(minutes) * 60

    @property
    def period_seconds(self) -> int:
        """The time between two archives."""
        return self.every_days * 86400
