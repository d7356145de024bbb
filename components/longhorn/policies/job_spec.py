"""What a recurring job of the stack says, and what of it is another in Longhorn. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from components.common.answers import mapped
from components.longhorn.objects import NAMESPACE
from configuration.recurring_jobs import RecurringJobSettings


def job_metadata(name: str) -> dict[str, Any]:
    """The metadata of the object of the job of that name."""
    return {"name": name, "namespace": NAMESPACE}


def job_spec(job: RecurringJobSettings) -> dict[str, Any]:
    """The spec of its recurringjobs.longhorn.io object."""
    return {
        "name": job.name,
        "task": job.task,
        "cron": job.cron,
        "retain": job.effective_retain,
        "concurrency": job.concurrency,
        "groups": list(job.groups),
        "labels": dict(job.labels),
    }


def job_changes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a job has to be given, as a merge patch of its spec; empty where nothing differs.

    Nothing, zero and an empty list or map are one and the same to Longhorn, which writes some of
    them itself (longhorn-manager v1.5.3, webhook/resources/recurringjob/mutator.go). What the stack
    says nothing about stays.
    """
    return {
        key: _patch(found.get(key), value)
        for key, value in wanted.items()
        if (found.get(key) or None) != (value or None)
    }


def _patch(before: Any, value: Any) -> Any:
    """A map is merged, so that entries have to be taken out of it by name."""
    if not isinstance(value, dict):
        return value
    return {**dict.fromkeys(mapped(before)), **cast("dict[str, Any]", value)}
