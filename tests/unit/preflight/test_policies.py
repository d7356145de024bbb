"""Which volumes no recurring job reaches, and what is said of a class that is made anew."""

from typing import Any

import pytest

from components.longhorn.policies.class_parameters import fixed_parts
from components.preflight.policies import check_changed_classes, check_recurring_jobs
from configuration.stack_file import StackFile
from tests.unit.doubles.a_stack import load, valid

_GROUP, _JOB = "recurring-job-group.longhorn.io/", "recurring-job.longhorn.io/"
_BACKUP = {"target": "nfs://server:/backups"}
_NIGHTLY = {"name": "nightly", "task": "backup", "cron": "0 2 * * *", "groups": ["default"]}


def _file(**longhorn: Any) -> StackFile:
    return load(valid(longhorn={"backup": _BACKUP, **longhorn}))


def _volume(name: str, *labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": dict.fromkeys(labels, "enabled")}}


def _said(file: StackFile, *volumes: dict[str, Any]) -> list[str]:
    return [each.found for each in check_recurring_jobs(volumes, file)]


@pytest.mark.parametrize("labels", [(), (f"{_GROUP}default",), (f"{_JOB}nightly",)])
def test_a_volume_of_the_default_group_or_with_the_job_itself_is_backed_up(
    labels: tuple[str, ...],
) -> None:
    assert _said(_file(recurringJobs=[_NIGHTLY]), _volume("a", *labels)) == []


@pytest.mark.parametrize("label", [f"{_GROUP}gold", f"{_JOB}trim"])
def test_a_volume_that_names_another_job_or_group_has_left_the_default_one(label: str) -> None:
    (said,) = _said(_file(recurringJobs=[_NIGHTLY]), _volume("a", label), _volume("b"))
    assert "no backup job of this stack reaches a." in said
    assert "only volumes that name no job and no group" in said


def test_where_a_claim_says_its_jobs_from_is_no_job() -> None:
    assert _said(_file(recurringJobs=[_NIGHTLY]), _volume("a", f"{_JOB}source")) == []


def test_a_job_that_makes_no_backup_reaches_nothing_in_that_sense() -> None:
    trim = {**_NIGHTLY, "task": "filesystem-trim"}
    (said,) = _said(_file(recurringJobs=[trim]), _volume("a"))
    assert "reaches a" in said


def test_without_a_target_nobody_asks_for_backups() -> None:
    assert [*check_recurring_jobs([_volume("a")], load(valid()))] == []


def test_a_group_that_nothing_is_in_is_told_with_its_jobs() -> None:
    job = {**_NIGHTLY, "groups": ["default", "gold"]}
    (said,) = _said(_file(recurringJobs=[job]), _volume("a"))
    assert "is in the group gold, so that the job nightly does nothing for it" in said
    assert _said(_file(recurringJobs=[job]), _volume("a", f"{_GROUP}gold")) == []
    classes = [{"name": "fast", "recurringJobGroups": ["gold"]}]
    assert _said(_file(recurringJobs=[job], storageClasses=classes)) == []


def test_a_class_that_is_made_anew_says_what_changes_and_that_volumes_keep_theirs() -> None:
    former = _file(storageClasses=[{"name": "fast", "replicas": 1}]).longhorn.storage_classes[0]
    changed = {"name": "fast", "replicas": 2, "reclaimPolicy": "Retain"}
    present = {"fast": fixed_parts(former, 3)}
    (said,) = check_changed_classes(present, _file(storageClasses=[changed]))
    assert (
        "StorageClass fast is made anew (numberOfReplicas 1 to 2, reclaimPolicy Del" in said.found
    )
    assert "reclaimPolicy Delete to Retain)" in said.found
    assert "volumes that exist keep what they were made with" in said.found


def test_a_class_has_the_replicas_of_the_chart_s_value() -> None:
    values = {"persistence": {"defaultClassReplicaCount": 1}}
    file = _file(storageClasses=[{"name": "fast"}], values=values)
    present = {"fast": fixed_parts(file.longhorn.storage_classes[0], 1)}
    assert list(check_changed_classes(present, file)) == []


def test_a_class_that_stays_or_is_new_says_nothing() -> None:
    file = _file(storageClasses=[{"name": "fast", "replicas": 2}])
    made = fixed_parts(file.longhorn.storage_classes[0], 3)
    for present in ({}, {"fast": made}, {"other": {}, "fast": made}):
        found = list(check_changed_classes(present, file))
        assert found == []
