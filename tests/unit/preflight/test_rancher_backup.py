"""Rancher's data without a backup as young as the schedule allows is named in the preview."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.preflight.rancher_backup import check_rancher_backup
from components.preflight.report import CheckResult
from components.rancher.server.backup.reading import BackupFacts
from configuration.rancher import RancherSettings

_NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
_URL = "https://rancher.example.com"
_FOLDER = {"folder": "/srv/backups"}


def _checked(found: BackupFacts | None, **backup: Any) -> list[CheckResult]:
    given = {"url": _URL, "backup": {**_FOLDER, **backup}}
    return list(check_rancher_backup(RancherSettings.model_validate(given), found, _NOW))


def _facts(*, hours: float | None, since_hours: float = 1000) -> BackupFacts:
    return BackupFacts(
        started=_NOW - timedelta(hours=since_hours),
        newest=None if hours is None else _NOW - timedelta(hours=hours),
    )


@pytest.mark.parametrize(("hours", "days"), [(1, 1), (25.9, 1), (73, 3)])
def test_a_young_archive_is_well(hours: float, days: int) -> None:
    assert _checked(_facts(hours=hours), everyDays=days) == []


@pytest.mark.parametrize(
    ("hours", "days", "said"), [(26.1, 1, "every day"), (75, 3, "every 3 days")]
)
def test_an_archive_older_than_the_schedule_is_told_with_its_time(
    hours: float, days: int, said: str
) -> None:
    (found,) = _checked(_facts(hours=hours), everyDays=days)
    assert (found.check, found.severity) == ("rancherBackup", "warning")
    assert said in found.found
    assert f"{_NOW - timedelta(hours=hours):%F %R} UTC" in found.found
    assert "docker logs --tail 20 rancher-backup" in found.remedy


def test_the_first_archive_has_as_much_time() -> None:
    assert _checked(_facts(hours=None, since_hours=25)) == []
    (found,) = _checked(_facts(hours=None, since_hours=27))
    assert "has no backup" in found.found


def test_where_the_container_does_not_run_nothing_is_said() -> None:
    assert _checked(None) == []


def test_a_container_that_could_make_no_backup_is_told_before_one_is_due() -> None:
    why = "Docker does not tell of container rancher"
    (found,) = _checked(replace(_facts(hours=1), problem=why))
    assert (found.check, found.severity) == ("rancherBackup", "warning")
    assert why in found.found
    assert "dockerSocket" in found.remedy
