"""Which volumes recurring jobs reach, and what becomes of a changed StorageClass. Pure.

Source: longhorn-manager v1.5.3, types/types.go (the labels), app/recurring_job.go (whose volumes a
job works on) and datastore/longhorn.go (labelRecurringJobDefault).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.common.answers import mapped
from components.common.names import some_names
from components.longhorn.fields import Object
from components.longhorn.policies.class_parameters import class_changes
from components.longhorn.policies.kept_rules import wanted_classes
from components.longhorn.volumes import named
from components.preflight.report import CheckResult, of_cluster
from configuration.recurring_jobs import BACKUP_TASKS, DEFAULT_GROUP
from configuration.stack_file import StackFile

_JOB, _GROUP = "recurring-job.longhorn.io/", "recurring-job-group.longhorn.io/"
_ENABLED = "enabled"


def check_recurring_jobs(volumes: Iterable[Object], file: StackFile) -> Iterator[CheckResult]:
    """Groups that nothing is in, and volumes that no job of the stack backs up.

    Args:
        volumes: Every volumes.longhorn.io object. Longhorn puts one without any label of these
            into the group `default`.
    """
    jobs = file.longhorn.recurring_jobs
    held = {named(volume): _selected(volume) for volume in volumes}
    of_classes = {g for each in file.longhorn.storage_classes for g in each.recurring_job_groups}
    present = of_classes | {DEFAULT_GROUP}
    present |= {key.removeprefix(_GROUP) for keys in held.values() for key in keys}
    for group in sorted({group for job in jobs for group in job.groups} - present):
        users = some_names(sorted(job.name for job in jobs if group in job.groups))
        yield of_cluster(
            "recurringJobs",
            "warning",
            f"no volume and no class is in the group {group}, so that the job {users} does "
            "nothing for it",
            "Name it in a class (recurringJobGroups), or label volumes with "
            f"{_GROUP}{group}={_ENABLED}.",
        )
    backing = [job for job in jobs if job.task in BACKUP_TASKS]
    reached = {f"{_JOB}{job.name}" for job in backing}
    reached |= {f"{_GROUP}{group}" for job in backing for group in job.groups}
    missed = [name for name, keys in held.items() if not keys & reached]
    if file.longhorn.backup is not None and missed:
        yield of_cluster(
            "recurringJobs",
            "warning",
            f"no backup job of this stack reaches {some_names(sorted(missed))}. The group default "
            "holds only volumes that name no job and no group",
            "Give their groups to a job with task backup (longhorn.recurringJobs), or label them.",
        )


def check_changed_classes(
    present: Mapping[str, Mapping[str, Any]], file: StackFile
) -> Iterator[CheckResult]:
    """Classes of the stack that are another one in the cluster, and are about to be made anew.

    The stack file may say another thing now, or somebody has made the class again in the cluster.

    Args:
        present: The fixed parts of the cluster's classes by name (Snapshot.class_parts).
    """
    for name, wanted in wanted_classes(file).items():
        changes = [
            f"{key} {before} to {after}"
            for key, before, after in class_changes(present.get(name, wanted), wanted)
        ]
        if not changes:
            continue
        yield of_cluster(
            "storageClass",
            "warning",
            f"StorageClass {name} is made anew ({some_names(changes)}): new volumes get what is "
            "written now, and volumes that exist keep what they were made with",
            "To have it for them too, change them in Longhorn's interface, or move their data to "
            "new claims.",
        )


def _selected(volume: Object) -> set[str]:
    """The labels of jobs and groups that a volume has."""
    labels = mapped(mapped(volume.get("metadata")).get("labels"))
    keys = {
        key
        for key, value in labels.items()
        if value == _ENABLED and key.startswith((_JOB, _GROUP)) and key != f"{_JOB}source"
    }
    return keys or {f"{_GROUP}{DEFAULT_GROUP}"}
