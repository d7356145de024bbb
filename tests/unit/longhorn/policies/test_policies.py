"""Classes, jobs and the backup target as the program declares them."""

import json
from typing import Any

import pytest

from components.longhorn.findings import LonghornFindings
from components.longhorn.policies.backup_credentials import credentials
from components.longhorn.policies.class_parameters import parameters
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from configuration.backup import BackupSettings
from configuration.storage_classes import StorageClassSettings
from tests.unit.doubles.a_stack import run, valid, waits_for, with_secrets

_BACKUP = {"target": "s3://bucket@region/", "user": "key"}
_JOB = {"name": "nightly", "task": "backup", "cron": "0 2 * * *", "groups": ["default"]}
_CONFIG = with_secrets(
    valid(
        longhorn={
            "backup": _BACKUP,
            "recurringJobs": [_JOB],
            "storageClasses": [
                {"name": "fast", "recurringJobs": ["nightly"], "encrypted": True, "replicas": 1}
            ],
        },
        stages={"volumeCheck": True},
        volumeCheck={"storageClass": "fast"},
    ),
    longhornBackupPassword="correct horse",
    longhornEncryptionKey="battery staple",
)


def _parameters(**settings: Any) -> dict[str, str]:
    return parameters(StorageClassSettings.model_validate({"name": "a", **settings}), 3)


def test_a_class_has_the_stacks_replicas_unless_it_says_otherwise() -> None:
    assert _parameters()["numberOfReplicas"] == "3"
    assert _parameters(replicas=1)["numberOfReplicas"] == "1"


def test_a_class_has_the_replicas_of_the_chart_s_value() -> None:
    values = {"persistence": {"defaultClassReplicaCount": 1}}
    recording = run(valid(longhorn={"storageClasses": [{"name": "fast"}], "values": values}))
    (made,) = recording.of_type("kubernetes:storage.k8s.io/v1:StorageClass")
    assert made.inputs["parameters"]["numberOfReplicas"] == "1"


def test_what_a_class_does_not_say_is_left_to_longhorn() -> None:
    assert set(_parameters()) == {
        *("numberOfReplicas", "staleReplicaTimeout", "dataLocality", "fsType"),
    }


def test_tags_jobs_and_groups_are_written_as_the_driver_reads_them() -> None:
    found = _parameters(
        diskTags=["ssd", "fast"],
        nodeTags=["a"],
        nfsOptions="vers=4.1",
        recurringJobs=["nightly"],
        recurringJobGroups=["gold"],
    )
    assert found["diskSelector"] == "ssd,fast"
    assert found["nodeSelector"] == "a"
    assert found["nfsOptions"] == "vers=4.1"
    assert json.loads(found["recurringJobSelector"]) == [
        {"name": "nightly", "isGroup": False},
        {"name": "gold", "isGroup": True},
    ]


def test_an_encrypted_class_names_the_key_only_where_the_driver_reads_it() -> None:
    found = _parameters(encrypted=True)
    users = {key.split("/")[1] for key in found if key.startswith("csi.")}
    assert users == {
        f"{user}-secret-{part}"
        for user in ("node-stage", "node-publish", "node-expand")
        for part in ("name", "namespace")
    }


@pytest.mark.parametrize(
    ("backup", "keys"),
    [
        ({"target": "cifs://s/p", "user": "u"}, {"CIFS_USERNAME", "CIFS_PASSWORD"}),
        (
            {"target": "azblob://c@e/", "user": "u"},
            {"AZBLOB_ACCOUNT_NAME", "AZBLOB_ACCOUNT_KEY"},
        ),
        (_BACKUP, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}),
        (
            {**_BACKUP, "endpoint": "https://a.example.com", "virtualHostedStyle": True},
            {
                *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
                *("AWS_ENDPOINTS", "VIRTUAL_HOSTED_STYLE"),
            },
        ),
    ],
)
def test_credentials_have_the_names_that_longhorn_reads(
    backup: dict[str, Any], keys: set[str]
) -> None:
    assert set(credentials(BackupSettings.model_validate(backup), "word", None)) == keys


def test_the_ca_is_written_without_the_line_end_that_longhorn_refuses() -> None:
    found = credentials(BackupSettings.model_validate(_BACKUP), "word", "PEM\n")
    assert found["AWS_CERT"] == "PEM"


def test_all_of_it_waits_for_longhorn_and_the_volume_check_waits_for_it() -> None:
    recording = run(_CONFIG)
    for name in ("backup-target", "job-nightly", "class-fast", "encryption-key"):
        assert waits_for(recording, f"longhorn-policies-{name}", "longhorn-ready"), name
    assert waits_for(recording, "volume-check", "longhorn-policies-class-fast")


def test_a_class_waits_for_its_jobs_and_its_key() -> None:
    recording = run(_CONFIG)
    for name in ("job-nightly", "encryption-key"):
        assert waits_for(recording, "longhorn-policies-class-fast", f"longhorn-policies-{name}")


def test_the_target_waits_for_its_credentials() -> None:
    recording = run(_CONFIG)
    assert waits_for(
        recording, "longhorn-policies-backup-target", "longhorn-policies-backup-credentials"
    )


def test_no_password_and_no_key_is_in_plain_text() -> None:
    recording = run(_CONFIG)
    for each in recording.resources:
        assert "correct horse" not in repr(each.inputs)
        assert "battery staple" not in repr(each.inputs)


def test_a_job_is_what_the_stack_file_says() -> None:
    inputs = run(_CONFIG).named("longhorn-policies-job-nightly").inputs
    assert inputs["spec"] == {**_JOB, "retain": 1, "concurrency": 1, "labels": {}}


@pytest.mark.parametrize(
    ("task", "retain"),
    [("filesystem-trim", 0), ("snapshot-cleanup", 0), ("snapshot-delete", 7), ("snapshot", 7)],
)
def test_a_number_that_longhorn_would_write_over_is_not_said(task: str, retain: int) -> None:
    job = {"name": "a", "task": task, "cron": "@daily", "retain": 7}
    spec = run(valid(longhorn={"recurringJobs": [job]})).named("longhorn-policies-job-a").inputs
    assert spec["spec"]["retain"] == retain


def test_a_stack_without_any_of_it_declares_nothing_of_it() -> None:
    assert [r.name for r in run(valid()).resources if "policies" in r.name] == []


def test_the_whole_stacks_guard_goes_before_any_of_it() -> None:
    recording = run(_CONFIG)
    assert waits_for(recording, "removal-guard", "longhorn-policies-backup-target")


def test_why_longhorn_can_not_use_its_target_reaches_the_resource_that_owns_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Findings(longhorn=LonghornFindings(backup_target="Longhorn: AccessDenied"))
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: found)
    # A configuration of its own, since equal ones share one run.
    backup = {"target": "nfs://server:/backups", "pollSeconds": 77}
    target = run(valid(longhorn={"backup": backup})).named("longhorn-policies-backup-target")
    assert target.inputs["finding"] == "Longhorn: AccessDenied"
