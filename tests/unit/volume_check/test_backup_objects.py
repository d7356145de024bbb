"""The objects of a check's backup and restore, what Longhorn says of them, and whose they are."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.longhorn.backups import backup_volumes_of
from components.volume_check.backup_objects import (
    OWNER,
    backup_missing,
    backup_of,
    own_backups,
    restore_missing,
    restoring_class,
    snapshot_of,
)

_URL = "s3://bucket@region/?backup=b&volume=v"
_DONE = {"state": "Completed", "url": _URL, "lastSyncedAt": "2024-05-01T02:00:00Z"}


def _class(**changes: Any) -> Any:
    found: dict[str, Any] = {
        "provisioner": "driver.longhorn.io",
        "parameters": {"numberOfReplicas": "2", "fromBackup": "", "encrypted": "true"},
        "volume_binding_mode": "WaitForFirstConsumer",
        "reclaim_policy": "Retain",
        "mount_options": None,
    }
    return SimpleNamespace(**{**found, **changes})


def _backup(name: str, volume: str, **parts: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"backup-volume": volume}}, **parts}


def test_the_backup_names_volume_and_snapshot_and_bears_the_cluster() -> None:
    snapshot, backup = snapshot_of("run", "pvc-1"), backup_of("run", "pvc-1", "uid")
    assert snapshot["spec"]["volume"] == "pvc-1"
    assert snapshot["spec"]["createSnapshot"] is True
    assert backup["metadata"]["labels"]["backup-volume"] == "pvc-1"
    assert backup["spec"] == {"snapshotName": "run", "labels": {OWNER: "uid"}}


def test_the_restored_volume_is_one_of_the_checked_class_but_for_its_content() -> None:
    made = restoring_class("run", _URL, _class())
    assert made["parameters"] == {"numberOfReplicas": "2", "encrypted": "true", "fromBackup": _URL}
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"


def test_a_restored_volume_is_in_no_recurring_job_and_goes_with_its_claim() -> None:
    made = restoring_class("run", _URL, _class(parameters={"recurringJobSelector": "[]"}))
    assert made["parameters"] == {"fromBackup": _URL}
    assert made["reclaimPolicy"] == "Delete"


@pytest.mark.parametrize("part", ["spec", "status"])
def test_a_backup_is_known_by_the_cluster_s_uid_also_when_it_was_read_from_the_target(
    part: str,
) -> None:
    backup = _backup("b", "pvc-1", **{part: {"labels": {OWNER: "uid"}}})
    assert own_backups([backup], "uid") == [("b", "pvc-1")]


@pytest.mark.parametrize("labels", [None, {}, {OWNER: "another"}, {"RecurringJob": "nightly"}])
def test_no_other_backup_is_a_check_s_own(labels: dict[str, str] | None) -> None:
    parts: dict[str, Any] = {"spec": {"labels": labels}, "status": {"labels": labels}}
    assert own_backups([_backup("b", "pvc-1", **parts)], "uid") == []


def test_a_volume_s_backups_are_found_under_its_name_and_under_that_of_1_8() -> None:
    objects = [
        {"metadata": {"name": "pvc-1"}, "spec": {}},
        {"metadata": {"name": "pvc-1-0f3c"}, "spec": {"volumeName": "pvc-1"}},
        {"metadata": {"name": "pvc-2"}, "spec": {"volumeName": "pvc-2"}},
        {"metadata": {"name": "pvc-1-not"}},
    ]
    assert backup_volumes_of(["pvc-1"], objects) == ["pvc-1", "pvc-1-0f3c"]


def test_a_backup_is_made_once_longhorn_has_read_it_from_the_target() -> None:
    assert backup_missing({"status": _DONE}) == []
    for absent in _DONE:
        assert backup_missing({"status": {**_DONE, absent: ""}}) != []
    assert backup_missing({"status": {"state": "InProgress", "progress": 40}}) == [
        "the backup is InProgress, 40 %"
    ]
    assert backup_missing(None) == ["the backup is gone"]


@pytest.mark.parametrize("state", ["Error", "Unknown"])
def test_a_backup_that_failed_ends_the_check_with_longhorn_s_reason(state: str) -> None:
    with pytest.raises(RuntimeError, match=r"AccessDenied.*See longhorn\.backup"):
        backup_missing({"status": {"state": state, "error": "AccessDenied"}})


def test_a_volume_has_its_content_once_longhorn_no_longer_restores_it() -> None:
    assert restore_missing({"status": {"restoreRequired": True}}) != []
    assert restore_missing({"status": {"restoreRequired": False}}) == []
    assert restore_missing(None) == []


def test_a_restore_that_failed_ends_the_check_with_longhorn_s_reason() -> None:
    failed = {"type": "Restore", "reason": "RestoreFailure", "message": "All replicas failed"}
    with pytest.raises(RuntimeError, match="All replicas failed"):
        restore_missing({"status": {"restoreRequired": True, "conditions": [failed]}})
    going_on = {"type": "Restore", "reason": "RestoreInProgress"}
    assert restore_missing({"status": {"restoreRequired": True, "conditions": [going_on]}}) != []
