"""Volumes without a young backup are named, where the stack file says how young it has to be."""

from datetime import UTC, datetime
from typing import Any

import pytest

from components.preflight.backup_age import check_backup_age
from configuration.backup import BackupSettings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = "2025-01-01T00:00:00Z"


def _backup(**more: Any) -> BackupSettings:
    return BackupSettings.model_validate({"target": "nfs://10.0.0.9:/backups", **more})


def _volume(
    name: str, last: str | None, *, made: str = LONG_AGO, claim: str = "", standby: bool = False
) -> dict[str, Any]:
    noted = {"namespace": "default", "pvcName": claim} if claim else {}
    return {
        "metadata": {"name": name, "creationTimestamp": made},
        "spec": {"Standby": standby},
        "status": {"lastBackupAt": last or "", "kubernetesStatus": noted},
    }


def _said(*volumes: dict[str, Any], backup: BackupSettings | None) -> list[tuple[str, str]]:
    return [(each.severity, each.found) for each in check_backup_age(volumes, backup, NOW)]


def test_volumes_without_a_backup_of_that_age_are_named_with_claim_and_last_one() -> None:
    volumes = [
        _volume("b", None),
        _volume("a", "2026-03-08T12:00:00Z", claim="data"),
        _volume("c", "2026-03-10T11:00:00Z"),
    ]
    assert _said(*volumes, backup=_backup(maximumAgeHours=24)) == [
        (
            "warning",
            "2 volumes without a backup of the last 24 hours: "
            "a (claim default/data, last 2026-03-08T12:00:00Z), b (never)",
        )
    ]


@pytest.mark.parametrize(
    "volume",
    [
        _volume("young itself", None, made="2026-03-10T00:00:00Z"),
        _volume("fed from elsewhere", None, standby=True),
        _volume("just young enough", "2026-03-09T12:00:00Z"),
    ],
    ids=lambda volume: volume["metadata"]["name"],
)
def test_a_volume_that_needs_none_yet_is_left_out(volume: dict[str, Any]) -> None:
    assert _said(volume, backup=_backup(maximumAgeHours=24)) == []


@pytest.mark.parametrize("backup", [None, _backup()], ids=["no backups", "no age"])
def test_who_asks_for_no_age_is_told_of_none(backup: BackupSettings | None) -> None:
    assert _said(_volume("a", None), backup=backup) == []


@pytest.mark.parametrize("unread", ["", "yesterday"])
def test_a_time_that_says_nothing_counts_as_no_backup(unread: str) -> None:
    ((_, found),) = _said(_volume("a", unread), backup=_backup(maximumAgeHours=1))
    assert found.startswith("1 volume without a backup of the last 1 hours: a (")
