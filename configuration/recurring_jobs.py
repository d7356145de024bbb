"""What Longhorn does to volumes again and again."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from cronsim import CronSim, CronSimError
from pydantic import Field

from configuration.base import DnsLabel, StackModel, form
from configuration.problems import rule

DEFAULT_GROUP = "default"
"""The group of every volume that has neither a job nor a group of its own."""
BACKUP_TASKS = frozenset({"backup", "backup-force-create"})
# For them Longhorn writes 0 over whatever is said (webhook/resources/recurringjob/mutator.go).
_TASKS_WITHOUT_RETAIN = frozenset({"filesystem-trim", "snapshot-cleanup"})
_MAXIMUM_NAME = 40
# What robfig/cron's ParseStandard, with which Longhorn checks, reads beside five fields.
# The last is a duration of Go's (time.ParseDuration).
_SHORT = re.compile(
    r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)"
    r"|@every ([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+"
)
_NAMES = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT"
# cronsim reads `L` and `#`, which Longhorn does not.
_FIELD = re.compile(rf"([0-9*/,-]|{_NAMES})+", re.IGNORECASE)
# And 7 for Sunday, where Longhorn has days from 0 to 6; behind `/` it is a number of days.
_SEVENTH_DAY = re.compile(r"(^|[,-])0*7($|[,/-])")


def cron_time(value: str) -> str:
    """A time as cron writes it and Longhorn reads it. Raises ValueError (a rule)."""
    if _SHORT.fullmatch(value):
        return value
    fields = value.split()
    try:
        if len(fields) != 5 or not all(_FIELD.fullmatch(field) for field in fields):
            raise CronSimError
        CronSim(value, datetime.now(UTC))
    except CronSimError:
        raise rule(
            "is no time as cron writes it",
            "Write minute, hour, day of the month, month and day of the week: 0 2 * * * is two "
            "o'clock every night.",
        ) from None
    if _SEVENTH_DAY.search(fields[4]):
        raise rule(
            "has 7 as a day of the week, and Longhorn's go from 0 to 6",
            "Sunday is 0 or SUN: 0 2 * * 0 is every Sunday, and 1-7 is `*`.",
        )
    return value


def _name(value: str) -> str:
    if len(value) > _MAXIMUM_NAME:
        raise rule(f"is longer than {_MAXIMUM_NAME} characters", "Choose a shorter name.")
    return value


class RecurringJobSettings(StackModel):
    """One recurring job of Longhorn (longhorn-manager v1.5.3, datastore.ValidateRecurringJob)."""

    name: Annotated[DnsLabel, form("name of a job", _name)]
    """Its name, 40 characters at most."""
    task: Literal[
        "snapshot",
        "snapshot-force-create",
        "snapshot-cleanup",
        "snapshot-delete",
        "backup",
        "backup-force-create",
        "filesystem-trim",
    ]
    """What is done."""
    cron: Annotated[str, form("time as cron writes it", cron_time, r"@[ a-z0-9.]+|\S+(\s+\S+){4}")]
    """When, in the time zone of the cluster's controller manager (most often UTC)."""
    retain: int = Field(default=1, ge=1, le=100)
    """How many snapshots or backups of a volume it keeps; 100 at most for all jobs of a volume."""
    concurrency: int = Field(default=1, ge=1)
    """How many volumes it works on at once."""
    groups: tuple[DnsLabel, ...] = Field(default=(), strict=False)
    """Whose volumes it works on: groups of volumes. `default` holds only volumes that name no job
    and no group."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the snapshots and backups that it makes."""

    @property
    def effective_retain(self) -> int:
        """What Longhorn's object says."""
        return 0 if self.task in _TASKS_WITHOUT_RETAIN else self.retain

    @property
    def kept(self) -> int:
        """What it takes of a volume's 100 snapshots and backups."""
        return 0 if self.task == "snapshot-delete" else self.effective_retain
