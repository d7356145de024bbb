"""Classes and jobs that somebody deleted or changed: found, and put right."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn.findings import LonghornFindings
from components.longhorn.policies import kept
from components.longhorn.policies.class_parameters import fixed_parts
from components.longhorn.policies.job_spec import job_spec
from components.longhorn.policies.kept import KeptPoliciesProvider
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from configuration.recurring_jobs import RecurringJobSettings
from configuration.storage_classes import StorageClassSettings
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error, storage_class
from tests.unit.doubles.a_stack import run, valid, waits_for

_DRIVER = "driver.longhorn.io"
_JOB = {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *", "labels": {"a": "b"}}
_LONGHORN: dict[str, Any] = {
    "recurringJobs": [_JOB],
    "storageClasses": [{"name": "fast", "replicas": 2, "reclaimPolicy": "Retain"}],
}
_CLASSES = {
    each["name"]: fixed_parts(StorageClassSettings.model_validate(each), 2)
    for each in _LONGHORN["storageClasses"]
}
_JOBS = {"nightly": job_spec(RecurringJobSettings.model_validate(_JOB))}
_PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "classes": _CLASSES,
    # As Pulumi's engine hands them to the provider.
    "jobs": {
        name: {key: float(value) if isinstance(value, int) else value for key, value in job.items()}
        for name, job in _JOBS.items()
    },
    "finding": None,
}
PROVIDER = KeptPoliciesProvider()


class _Cluster(ACluster):
    """As the stack has made it."""

    def __init__(self) -> None:
        super().__init__()
        spec: dict[str, Any] = {**_JOBS["nightly"], "labels": {"a": "b"}}
        self.objects["recurringjobs"] = {"nightly": {"spec": spec}}
        self.put_class(**_CLASSES["fast"])
        self.calls: list[str] = []

    def put_class(self, provisioner: str = _DRIVER, **parts: Any) -> None:
        """One that somebody made."""
        metadata = {"name": "fast", **parts.pop("metadata", {})}
        self.classes["fast"] = storage_class(provisioner, metadata, **parts)

    @property
    def job(self) -> dict[str, Any]:
        return self.objects["recurringjobs"]["nightly"]["spec"]

    def __getattribute__(self, name: str) -> Any:
        if name.startswith(("create_", "delete_", "patch_")):
            self.calls.append(name)
        return super().__getattribute__(name)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> _Cluster:
    one = _Cluster()
    monkeypatch.setattr(kept, "open_cluster", lambda _props: one)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return one


def test_what_is_as_wanted_is_not_written(
    cluster: _Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROVIDER.make(_PROPS) == ("kept-policies", _PROPS)
    assert cluster.calls == []
    assert capsys.readouterr().err == ""


def test_a_class_that_is_gone_is_made_as_its_own_resource_has_it(
    cluster: _Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    del cluster.classes["fast"]
    PROVIDER.make(_PROPS)
    made = cluster.classes["fast"]
    assert (made.provisioner, made.allow_volume_expansion) == (_DRIVER, True)
    assert made.parameters == _CLASSES["fast"]["parameters"]
    assert (made.reclaim_policy, made.volume_binding_mode) == ("Retain", "Immediate")
    assert made.metadata.labels == {"app.kubernetes.io/managed-by": "pulumi"}
    assert cluster.deleted == []
    assert "StorageClass fast is not there: put right" in capsys.readouterr().err


def test_a_class_with_other_parts_is_made_again_with_the_marks_that_it_had(
    cluster: _Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    copy = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    metadata = {"annotations": {**default, **copy}, "labels": {"of": "somebody"}}
    cluster.put_class(parameters={"numberOfReplicas": "3"}, metadata=metadata)
    PROVIDER.make(_PROPS)
    made = cluster.classes["fast"]
    assert made.parameters == _CLASSES["fast"]["parameters"]
    assert made.metadata.annotations == default
    assert made.metadata.labels == {"of": "somebody", "app.kubernetes.io/managed-by": "pulumi"}
    assert cluster.calls == ["delete_storage_class", "create_storage_class"]
    said = capsys.readouterr().err
    assert "numberOfReplicas 3, not 2 and " in said
    assert "reclaimPolicy Delete, not Retain: put right" in said


def test_a_class_of_another_driver_stays_and_is_named(cluster: _Cluster) -> None:
    cluster.put_class("ebs.csi.aws.com")
    with pytest.raises(RuntimeError, match=r"fast is there already, for .* of ebs\.csi\.aws\.com"):
        PROVIDER.make(_PROPS)
    assert "fast" in cluster.classes


def test_an_api_server_that_is_away_between_removal_and_creation_costs_no_mark(
    cluster: _Cluster,
) -> None:
    metadata = {"annotations": {"of": "somebody"}}
    cluster.put_class(parameters={}, metadata=metadata)
    cluster.refusals = [api_error(503), api_error(500)]
    PROVIDER.make(_PROPS)
    assert cluster.classes["fast"].metadata.annotations == {"of": "somebody"}


def test_a_class_that_goes_slowly_is_waited_for(
    cluster: _Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put_class(parameters={}, metadata={"annotations": {"of": "somebody"}})
    really = cluster.delete_storage_class
    asked: list[str] = []

    def slowly(name: str) -> None:
        asked.append(name)
        if len(asked) > 2:
            really(name)

    monkeypatch.setattr(cluster, "delete_storage_class", slowly)
    PROVIDER.make(_PROPS)
    made = cluster.classes["fast"]
    assert made.parameters == _CLASSES["fast"]["parameters"]
    assert made.metadata.annotations == {"of": "somebody"}


def test_a_class_that_something_else_always_changes_is_made_again_once(cluster: _Cluster) -> None:
    create = cluster.create_storage_class

    def changed(body: dict[str, Any]) -> None:
        create({**body, "parameters": {"by": "a webhook"}})

    cluster.put_class(parameters={})
    cluster.create_storage_class = changed
    with pytest.raises(TimeoutError, match="by a webhook, not nothing"):
        PROVIDER.make(_PROPS)
    assert cluster.deleted == ["fast"]


def test_a_job_that_is_gone_is_made(cluster: _Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    del cluster.objects["recurringjobs"]["nightly"]
    PROVIDER.make(_PROPS)
    made = cluster.objects["recurringjobs"]["nightly"]
    assert (made["apiVersion"], made["kind"]) == ("longhorn.io/v1beta2", "RecurringJob")
    assert made["spec"] == _JOBS["nightly"]
    assert type(made["spec"]["retain"]) is int
    said = capsys.readouterr().err
    assert "recurring job nightly is not there: put right" in said
    assert "recurring-job.longhorn.io/nightly=enabled" in said


def test_a_job_that_is_about_to_go_is_waited_for_and_then_made(cluster: _Cluster) -> None:
    jobs = cluster.objects["recurringjobs"]
    jobs["nightly"]["metadata"] = {"deletionTimestamp": "2026-11-30T10:00:00Z"}
    read, looks = cluster.get_namespaced_custom_object, []

    def gone_at_the_third_look(*words: Any, **options: Any) -> Any:
        looks.append(words)
        if len(looks) == 3:
            del jobs["nightly"]
        return read(*words, **options)

    cluster.get_namespaced_custom_object = gone_at_the_third_look
    PROVIDER.make(_PROPS)
    assert "deletionTimestamp" not in jobs["nightly"]["metadata"]
    assert len(looks) > 3


def test_a_job_that_somebody_changed_is_patched_and_never_goes(
    cluster: _Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.job.update(cron="@daily", retain=9, labels={"x": "y"}, another="stays")
    PROVIDER.make(_PROPS)
    assert cluster.job == {**_JOBS["nightly"], "another": "stays"}
    assert type(cluster.job["retain"]) is int
    assert cluster.calls == ["patch_namespaced_custom_object"]
    assert "recurring job nightly has cron @daily, not 0 2 * * *" in capsys.readouterr().err


def _spoil_job(cluster: _Cluster, *, is_gone: bool) -> None:
    if is_gone:
        del cluster.objects["recurringjobs"]["nightly"]
    else:
        cluster.job["cron"] = "@daily"


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_webhook_that_is_away_for_a_moment_is_asked_again(
    cluster: _Cluster, is_gone: bool
) -> None:
    _spoil_job(cluster, is_gone=is_gone)
    cluster.refusals = [api_error(500, "failed calling webhook"), api_error(403, "denied")]
    PROVIDER.make(_PROPS)
    assert cluster.job == _JOBS["nightly"]


@pytest.mark.parametrize("is_gone", [True, False])
def test_what_longhorn_refuses_for_good_ends_with_its_words(
    cluster: _Cluster, is_gone: bool
) -> None:
    _spoil_job(cluster, is_gone=is_gone)
    cluster.refusals = [api_error(422, "no such task")] * 100
    with pytest.raises(TimeoutError, match="no such task"):
        PROVIDER.make(_PROPS)


def test_who_may_not_write_jobs_is_told_so_at_once(cluster: _Cluster) -> None:
    cluster.job["cron"] = "@daily"
    cluster.refusals = [api_error(403, "recurringjobs.longhorn.io is forbidden: User x")]
    with pytest.raises(ApiError, match="forbidden"):
        PROVIDER.make(_PROPS)


def test_jobs_come_first_since_a_class_may_stay_in_the_way(cluster: _Cluster) -> None:
    cluster.put_class("ebs.csi.aws.com")
    cluster.job["cron"] = "@daily"
    with pytest.raises(RuntimeError, match="Give the class"):
        PROVIDER.make(_PROPS)
    assert cluster.job["cron"] == "0 2 * * *"


def test_a_refresh_changes_nothing_and_a_removal_takes_nothing(cluster: _Cluster) -> None:
    assert PROVIDER.look(_PROPS) == _PROPS
    PROVIDER.remove(_PROPS)
    assert cluster.calls == []


def test_it_is_declared_behind_every_class_and_job(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "StorageClass fast is not there"
    found = Findings(longhorn=LonghornFindings(policies=said))
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: found)
    # A configuration of its own, since equal ones share one run.
    recording = run(valid(longhorn={**_LONGHORN, "timeoutSeconds": 1777}))
    inputs = recording.named("longhorn-policies-kept").inputs
    assert (inputs["finding"], inputs["classes"]) == (said, _CLASSES)
    assert inputs["jobs"] == _JOBS
    for name in ("class-fast", "job-nightly"):
        assert waits_for(recording, "longhorn-policies-kept", f"longhorn-policies-{name}")
    assert waits_for(recording, "removal-guard", "longhorn-policies-kept")


@pytest.mark.parametrize(
    ("longhorn", "is_there"),
    [
        ({"backup": {"target": "nfs://server:/backups"}}, False),
        ({"recurringJobs": [_JOB]}, True),
        ({"storageClasses": [{"name": "fast"}]}, True),
    ],
)
def test_it_is_declared_only_where_the_stack_has_classes_or_jobs(
    longhorn: dict[str, Any], is_there: bool
) -> None:
    names = {each.name for each in run(valid(longhorn=longhorn)).resources}
    assert ("longhorn-policies-kept" in names) is is_there
