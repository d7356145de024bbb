"""What of a recurring job differs, and how it is given back."""

from typing import Any

import pytest

from components.longhorn.policies.job_spec import job_changes, job_spec
from configuration.recurring_jobs import RecurringJobSettings

_WANTED = job_spec(
    RecurringJobSettings.model_validate(
        {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *", "retain": 7}
    )
)


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"groups": None, "labels": None},
        {"parameters": {}, "another": 1},
    ],
)
def test_what_longhorn_itself_writes_is_no_change(written: dict[str, Any]) -> None:
    assert job_changes({**_WANTED, **written}, _WANTED) == {}
    bare = {key: value for key, value in _WANTED.items() if key not in ("groups", "labels")}
    assert job_changes({**bare, **written}, _WANTED) == {}


@pytest.mark.parametrize(
    ("found", "patch"),
    [
        ({"cron": "@daily"}, {"cron": "0 2 * * *"}),
        ({"retain": 9, "concurrency": 3}, {"retain": 7, "concurrency": 1}),
        ({"groups": ["gold"]}, {"groups": []}),
        ({"task": "backup"}, {"task": "snapshot"}),
    ],
)
def test_only_what_differs_is_given_back(found: dict[str, Any], patch: dict[str, Any]) -> None:
    assert job_changes({**_WANTED, **found}, _WANTED) == patch


def test_a_label_of_somebody_else_is_taken_out_by_its_name() -> None:
    wanted = {**_WANTED, "labels": {"a": "b"}}
    found = {**_WANTED, "labels": {"a": "c", "x": "y"}}
    assert job_changes(found, wanted) == {"labels": {"a": "b", "x": None}}
    assert job_changes(found, _WANTED) == {"labels": {"a": None, "x": None}}
