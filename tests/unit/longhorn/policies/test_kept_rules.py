"""What is said of classes and jobs of the stack that are gone or differ."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from components.longhorn.policies.kept_rules import (
    class_problem,
    job_problem,
    policies_finding,
    wanted_classes,
    wanted_jobs,
)
from components.preflight.longhorn import longhorn_findings
from configuration.settings import Settings
from tests.unit.doubles.a_stack import load, valid
from tests.unit.doubles.a_storage import a_storage

_JOB = {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *", "retain": 7}
_CONFIG = valid(
    longhorn={
        "recurringJobs": [_JOB, {**_JOB, "name": "trim", "task": "filesystem-trim"}],
        "storageClasses": [{"name": "fast", "replicas": 1}, {"name": "slow"}],
    }
)


@pytest.fixture
def file() -> Settings:
    return load(_CONFIG)


def _said(
    file: Settings,
    *,
    classes: Mapping[str, Any] | None = None,
    jobs: Mapping[str, Any] | None = None,
) -> str | None:
    """What is found where the cluster has what the stack wants, but for this; None is gone."""
    specs = {**wanted_jobs(file), **(jobs or {})}
    held = {**wanted_classes(file), **(classes or {})}
    storage = a_storage(
        classes={name: parts for name, parts in held.items() if parts is not None},
        recurring_jobs=[
            {"metadata": {"name": name}, "spec": spec} for name, spec in specs.items() if spec
        ],
    )
    return longhorn_findings(storage, file, None, ()).policies


def test_all_of_it_as_the_stack_file_says_is_no_finding(file: Settings) -> None:
    assert _said(file) is None
    assert _said(file, classes={"other": {}}, jobs={"other": {"cron": "@daily"}}) is None


def test_what_is_gone_is_named(file: Settings) -> None:
    assert _said(file, classes={"fast": None}) == "StorageClass fast is not there"
    assert _said(file, jobs={"trim": None}) == "recurring job trim is not there"


def test_what_differs_is_named_in_one_line(file: Settings) -> None:
    fast, nightly = wanted_classes(file)["fast"], wanted_jobs(file)["nightly"]
    parameters = {**fast["parameters"], "numberOfReplicas": "2", "more": "1"}
    changed = {**fast, "parameters": parameters, "reclaimPolicy": "Retain"}
    assert _said(file, classes={"fast": changed}, jobs={"nightly": {**nightly, "retain": 9}}) == (
        "recurring job nightly has retain 9, not 7; StorageClass fast has more 1, not nothing and "
        "numberOfReplicas 2, not 1 and reclaimPolicy Retain, not Delete"
    )


def test_a_class_of_another_driver_is_left_to_its_check(file: Settings) -> None:
    parts = wanted_classes(file)
    del parts["fast"]
    snapshot = replace(a_storage(classes=parts).snapshot, storage_classes=["slow", "fast"])
    jobs = [{"metadata": {"name": name}, "spec": spec} for name, spec in wanted_jobs(file).items()]
    assert policies_finding(snapshot, jobs, file) is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"groups": ["b", "a"], "labels": {"x": "y"}}, "groups b, a, not empty and labels x=y"),
        ({"cron": ""}, "cron empty, not 0 2 * * *"),
        ({"task": None}, "task empty, not snapshot"),
    ],
)
def test_a_value_is_said_as_a_person_writes_it(
    file: Settings, found: dict[str, Any], said: str
) -> None:
    wanted = wanted_jobs(file)["nightly"]
    assert said in str(job_problem("nightly", {**wanted, **found}, wanted))


def test_a_class_without_parameters_differs_in_all_of_them(file: Settings) -> None:
    said = class_problem("fast", {"parameters": None}, wanted_classes(file)["fast"])
    assert said is not None
    assert "numberOfReplicas nothing, not 1" in said


def test_a_stack_without_longhorn_s_stage_has_no_finding() -> None:
    off = {"packages": False, "disks": False, "longhorn": False, "frontend": False}
    file = load(valid(longhorn={"recurringJobs": [_JOB]}, stages=off))
    assert longhorn_findings(a_storage(), file, None, ()).policies is None
