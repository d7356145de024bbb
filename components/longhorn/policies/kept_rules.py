"""Which classes and recurring jobs of the stack are gone, or not as it says. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.common.answers import is_going, listed, mapped
from components.longhorn.fields import Object, name_of, spec_of
from components.longhorn.findings import line_of
from components.longhorn.policies.class_parameters import class_changes, fixed_parts
from components.longhorn.policies.job_spec import job_changes, job_spec
from components.longhorn.snapshot import Snapshot
from configuration.longhorn_rules import class_replicas
from configuration.stack_file import StackFile

Parts = Mapping[str, Any]


def wanted_classes(file: StackFile) -> dict[str, dict[str, Any]]:
    """The fixed parts of the stack's classes, by name."""
    replicas = class_replicas(file)
    return {each.name: fixed_parts(each, replicas) for each in file.longhorn.storage_classes}


def wanted_jobs(file: StackFile) -> dict[str, dict[str, Any]]:
    """The specs of the stack's recurring jobs, by name."""
    return {job.name: job_spec(job) for job in file.longhorn.recurring_jobs}


def policies_finding(snapshot: Snapshot, jobs: Iterable[Object], file: StackFile) -> str | None:
    """Which classes and jobs of the stack are not in the cluster as the stack file says.

    Args:
        snapshot: What the cluster has.
        jobs: Every recurringjobs.longhorn.io object.
        file: What the stack file says.
    """
    return line_of(
        [
            *_jobs_not_right(
                {name_of(each): spec_of(each) for each in jobs if not is_going(each)},
                wanted_jobs(file),
            ),
            *_classes_not_right(snapshot, wanted_classes(file)),
        ]
    )


def _jobs_not_right(found: Mapping[str, Parts], wanted: Mapping[str, Parts]) -> Iterator[str]:
    lines = (job_problem(name, found.get(name), spec) for name, spec in wanted.items())
    yield from (line for line in lines if line)


def _classes_not_right(snapshot: Snapshot, wanted: Mapping[str, Parts]) -> Iterator[str]:
    found = snapshot.class_parts
    for name, parts in wanted.items():
        # One of another driver is an error of its own (components/preflight/cluster_objects.py).
        if name in snapshot.storage_classes and name not in found:
            continue
        line = class_problem(name, found.get(name), parts)
        if line:
            yield line


def class_problem(name: str, found: Parts | None, wanted: Parts) -> str | None:
    """What is wrong with a class; None if nothing.

    Args:
        name: Its name.
        found: The fixed parts that it has (Snapshot.class_parts); None where it is gone.
        wanted: Those that it is to have.
    """
    if found is None:
        return f"StorageClass {name} is not there"
    changes = class_changes(found, wanted)
    words = " and ".join(f"{key} {before}, not {after}" for key, before, after in changes)
    return f"StorageClass {name} has {words}" if words else None


def job_problem(name: str, found: Parts | None, wanted: Parts) -> str | None:
    """What is wrong with a recurring job, by its specs; arguments as for class_problem."""
    if found is None:
        return f"recurring job {name} is not there"
    words = " and ".join(
        f"{key} {_text(found.get(key))}, not {_text(wanted[key])}"
        for key in job_changes(found, wanted)
    )
    return f"recurring job {name} has {words}" if words else None


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{key}={word}" for key, word in sorted(mapped(value).items())]
    if isinstance(value, list):
        value = ", ".join(map(str, listed(value)))
    return "empty" if value in (None, "") else str(value)
