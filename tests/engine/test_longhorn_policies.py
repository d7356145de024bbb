"""Classes, recurring jobs, encryption key and backup target, as Longhorn's own manager takes them.

The real longhorn-manager and its webhooks judge. No engine of Longhorn's runs here, so no backup
target ever becomes available: seen is that `up` does not end well then, and with which words. The
tests share one stack and follow one another.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.volume_check.backup_objects import OWNER, backup_of, snapshot_of
from lab.common.waiting import wait_until
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn_manager

pytestmark = needs_longhorn_manager

_LONGHORN = "longhorn-rancher:longhorn"
_KEY = "longhorn-rancher:longhornEncryptionKey"
_PASSWORD = "longhorn-rancher:longhornBackupPassword"  # noqa: S105  the name of the secret
_JOBS = [
    {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *", "retain": 7},
    {"name": "trim", "task": "filesystem-trim", "cron": "@weekly", "groups": ["default"]},
    {"name": "force", "task": "snapshot-force-create", "cron": "@every 6h", "groups": ["gold"]},
    {"name": "cleanup", "task": "snapshot-cleanup", "cron": "*/30 * * * *", "labels": {"a": "b"}},
    {"name": "delete", "task": "snapshot-delete", "cron": "0 3 * * SUN", "retain": 3},
]
# Those that need a target, which no test before the last but one has.
_BACKUP_JOBS = [
    {"name": "backup", "task": "backup", "cron": "0 4 1 * *", "groups": ["default"], "retain": 14},
    {"name": "forced-backup", "task": "backup-force-create", "cron": "@daily", "concurrency": 2},
]
_CLASSES = [
    {"name": "fast", "replicas": 1, "recurringJobs": ["nightly"], "recurringJobGroups": ["gold"]},
    {"name": "secret", "replicas": 1, "encrypted": True, "bindingMode": "WaitForFirstConsumer"},
]
_SECRET = "longhorn-encryption-key"  # noqa: S105  the name of the object
_UP_SECONDS = 900


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(2, "real") as one:
        yield one


@pytest.fixture(scope="module")
def config(lab: LonghornLab) -> dict[str, Any]:
    return lab.config(recurringJobs=_JOBS, storageClasses=_CLASSES)


@pytest.fixture(scope="module")
def stack(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("policies") / "engine"
    one = Engine(folder).project_stack("policies", config=config, secrets={_KEY: "former words"})
    one.up(seconds=_UP_SECONDS).or_fail()
    return one


def test_longhorn_takes_the_jobs_and_a_preview_and_a_refresh_show_no_change(
    stack: Stack, lab: LonghornLab
) -> None:
    jobs = lab.objects("recurringjobs.longhorn.io", "-n", LONGHORN)
    assert {job["metadata"]["name"] for job in jobs} == {job["name"] for job in _JOBS}
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_an_encrypted_class_names_a_key_that_is_there(lab: LonghornLab) -> None:
    assert _key(lab) == "former words"
    (found,) = [
        each for each in lab.objects("storageclasses") if each["metadata"]["name"] == "secret"
    ]
    assert found["parameters"]["csi.storage.k8s.io/node-stage-secret-name"] == _SECRET


def test_a_key_that_somebody_deleted_is_named_and_written_again(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("delete", "secret", _SECRET, "-n", LONGHORN)
    shown = stack.preview().or_fail()
    assert {step.name for step in shown.steps if step.operation == "update"} == {
        "longhorn-policies-encryption-key"
    }
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _key(lab) == "former words"
    assert stack.preview().or_fail().operations() == {}


def test_a_class_that_somebody_deleted_is_named_and_made_again(
    stack: Stack, lab: LonghornLab
) -> None:
    before = _class(lab, "fast")
    lab.kubectl("delete", "storageclass", "fast")
    assert _finds(stack, "StorageClass fast is not there")
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert "StorageClass fast is not there: put right" in outcome.log
    assert _without_times(_class(lab, "fast")) == _without_times(before)
    _is_quiet(stack)


def test_a_class_that_somebody_made_again_with_other_parameters_is_made_as_the_stack_says(
    stack: Stack, lab: LonghornLab
) -> None:
    before = _class(lab, "fast")
    lab.kubectl("delete", "storageclass", "fast")
    kept = {"example.com/of": "somebody"}
    other = {**before["parameters"], "numberOfReplicas": "2"}
    lab.apply(
        {
            **{key: before[key] for key in ("apiVersion", "kind", "provisioner")},
            "metadata": {"name": "fast", "annotations": kept, "labels": kept},
            "parameters": other,
            "reclaimPolicy": "Retain",
        }
    )
    found = "StorageClass fast has numberOfReplicas 2, not 1 and reclaimPolicy Retain, not Delete"
    assert _finds(stack, found)
    told = "StorageClass fast is made anew (numberOfReplicas 2 to 1, reclaimPolicy Retain to Delete"
    assert told in stack.preview().or_fail().log
    stack.up(seconds=_UP_SECONDS).or_fail()
    made = _class(lab, "fast")
    assert made["metadata"]["annotations"] == kept
    assert made["metadata"]["labels"].items() >= kept.items()
    marked = ("metadata",)
    assert {k: v for k, v in made.items() if k not in marked} == {
        k: v for k, v in before.items() if k not in marked
    }
    _is_quiet(stack)


def test_a_job_that_somebody_deleted_is_named_and_made_again(
    stack: Stack, lab: LonghornLab
) -> None:
    before = _job(lab, "cleanup")["spec"]
    lab.kubectl("delete", "recurringjobs.longhorn.io", "cleanup", "-n", LONGHORN)
    assert _finds(stack, "recurring job cleanup is not there")
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _job(lab, "cleanup")["spec"] == before
    _is_quiet(stack)


def test_a_job_that_somebody_changed_is_patched_and_still_follows_the_stack_file(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    before = _job(lab, "nightly")
    changes = {"cron": "0 5 * * *", "labels": {"x": "y"}, "groups": ["silver"], "retain": 9}
    words = ("recurringjobs.longhorn.io", "nightly", "-n", LONGHORN, "--type=merge")
    lab.kubectl("patch", *words, "-p", json.dumps({"spec": changes}))
    found = (
        "recurring job nightly has cron 0 5 * * *, not 0 2 * * * and retain 9, not 7 and "
        "groups silver, not empty and labels x=y, not empty"
    )
    assert _finds(stack, found)
    stack.up(seconds=_UP_SECONDS).or_fail()
    after = _job(lab, "nightly")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    _is_quiet(stack)
    later = [{**_JOBS[0], "cron": "0 6 * * *", "labels": {"c": "d"}}, *_JOBS[1:]]
    stack.configure({_LONGHORN: {**config[_LONGHORN], "recurringJobs": later}})
    stack.up(seconds=_UP_SECONDS).or_fail()
    spec = _job(lab, "nightly")["spec"]
    assert (spec["cron"], spec["labels"]) == ("0 6 * * *", {"c": "d"})
    _is_quiet(stack)
    stack.configure(config)
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _job(lab, "nightly")["spec"] == before["spec"]


def test_a_job_that_the_program_made_again_still_follows_the_stack_file(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    """Longhorn's object then has other owners of its fields than those that the state knows."""
    later = [*_JOBS[:3], {**_JOBS[3], "cron": "*/20 * * * *", "labels": {}}, _JOBS[4]]
    stack.configure({_LONGHORN: {**config[_LONGHORN], "recurringJobs": later}})
    stack.up(seconds=_UP_SECONDS).or_fail()
    spec = _job(lab, "cleanup")["spec"]
    assert (spec["cron"], spec["labels"]) == ("*/20 * * * *", {})
    assert stack.preview().or_fail().operations() == {}
    stack.configure(config)
    stack.up(seconds=_UP_SECONDS).or_fail()


def test_what_kubernetes_lets_nobody_change_makes_only_that_class_new(
    stack: Stack, config: dict[str, Any]
) -> None:
    changed = [{**_CLASSES[0], "reclaimPolicy": "Retain"}, _CLASSES[1]]
    stack.configure({_LONGHORN: {**config[_LONGHORN], "storageClasses": changed}})
    told = "reclaimPolicy Delete to Retain): new volumes get what is written now, and volumes that"
    assert told in stack.preview().or_fail().log
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert {step.name for step in outcome.steps if step.operation == "replace"} == {
        "longhorn-policies-class-fast"
    }
    assert stack.preview().or_fail().operations() == {}


def test_a_key_that_a_volume_needs_is_neither_changed_nor_taken_away(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    lab.apply(_volume("held", encrypted=True))
    stack.configure(secrets={_KEY: "new words"})
    outcome = stack.up(seconds=_UP_SECONDS)
    assert not outcome.succeeded
    assert "held" in outcome.log
    assert _key(lab) == "former words"
    stack.configure({_LONGHORN: {**config[_LONGHORN], "storageClasses": []}})
    stack.pulumi("config", "rm", _KEY)
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert f"{_SECRET} stays" in outcome.log
    assert _key(lab) == "former words"
    lab.drop_volume("held")


def test_longhorn_takes_what_a_volume_check_backs_up_and_restores_with(lab: LonghornLab) -> None:
    lab.apply(_volume("checked"))
    lab.apply(snapshot_of("check", "checked"), backup_of("check", "checked", "uid"))
    (snapshot,) = lab.objects("snapshots.longhorn.io", "-n", LONGHORN)
    assert snapshot["metadata"]["ownerReferences"][0]["name"] == "checked"
    (backup,) = lab.objects("backups.longhorn.io", "-n", LONGHORN)
    assert backup["metadata"]["finalizers"] == ["longhorn.io"]
    assert backup["spec"]["labels"] == {OWNER: "uid", "longhorn.io/volume-access-mode": "rwo"}
    # As when Longhorn has read the backup from its target, which nothing here could.
    url = "s3://bucket@region/?backup=check&volume=checked"
    lab.apply(_object("BackupVolume", "checked", {}))
    status = {"status": {"url": url, "state": "Completed", "volumeSize": "20971520"}}
    words = ("backups.longhorn.io", "check", "-n", LONGHORN, "--subresource=status")
    lab.kubectl("patch", *words, "--type=merge", "-p", json.dumps(status))
    wait_until(lambda: _is_made_from(lab, url), doing="a volume is made from a backup", seconds=30)
    (made,) = [each for each in _volumes(lab) if each["metadata"]["name"] == "restored"]
    assert made["spec"]["size"] == "20971520", "the backup's size, not the one asked for"
    for volume in ("restored", "checked"):
        lab.drop_volume(volume)
    for kind in ("backups", "backupvolumes"):
        for each in lab.objects(f"{kind}.longhorn.io", "-n", LONGHORN):
            name = each["metadata"]["name"]
            lab.kubectl("delete", f"{kind}.longhorn.io", name, "-n", LONGHORN, "--wait=false")


@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("nfs://192.0.2.1:/backups", {}),
        ("s3://bucket@region/", {"user": "key", "endpoint": "https://192.0.2.1:9000"}),
    ],
)
def test_a_target_that_longhorn_can_not_open_ends_no_up_well(
    stack: Stack, lab: LonghornLab, config: dict[str, Any], target: str, more: dict[str, Any]
) -> None:
    backup = {"target": target, "timeoutSeconds": 20, **more}
    wanted = {"storageClasses": [], "backup": backup, "recurringJobs": [*_JOBS, *_BACKUP_JOBS]}
    stack.configure({_LONGHORN: {**config[_LONGHORN], **wanted}})
    if "user" in more:
        stack.configure(secrets={_PASSWORD: "correct horse"})
    outcome = stack.up(seconds=_UP_SECONDS)
    assert not outcome.succeeded
    assert f"backup target {target}: not reached within 20 s" in outcome.log
    assert "Longhorn: " in outcome.log
    settings = {
        each["metadata"]["name"]: each["value"]
        for each in lab.objects("settings.longhorn.io", "-n", LONGHORN)
    }
    assert settings["backup-target"] == target
    secret = "longhorn-backup-credentials" if "user" in more else ""
    assert settings["backup-target-credential-secret"] == secret
    found = {each["metadata"]["name"] for each in lab.objects("recurringjobs.longhorn.io", "-A")}
    assert {job["name"] for job in _BACKUP_JOBS} <= found


def test_a_destroy_leaves_none_of_it(stack: Stack, lab: LonghornLab) -> None:
    stack.destroy(seconds=_UP_SECONDS).or_fail()
    assert {each["metadata"]["name"] for each in lab.objects("storageclasses")} == set()


def _finds(stack: Stack, said: str) -> bool:
    """Whether a preview without a refresh says so, and updates nothing else."""
    outcome = stack.preview("--diff").or_fail()
    assert outcome.operations() == {"update": 1}
    assert outcome.step("longhorn-policies-kept", "update").stage == "begun"
    return f'"{said}"' in outcome.log


def _is_quiet(stack: Stack) -> None:
    """Neither a preview nor a refresh has anything more to do."""
    assert stack.preview().or_fail().operations() == {}
    assert stack.preview("--refresh").or_fail().operations() == {}


def _class(lab: LonghornLab, name: str) -> dict[str, Any]:
    (found,) = [each for each in lab.objects("storageclasses") if each["metadata"]["name"] == name]
    return found


def _without_times(item: dict[str, Any]) -> dict[str, Any]:
    of_this_one = ("creationTimestamp", "resourceVersion", "uid")
    metadata = {k: v for k, v in item["metadata"].items() if k not in of_this_one}
    return {**item, "metadata": metadata}


def _job(lab: LonghornLab, name: str) -> dict[str, Any]:
    words = ("-n", LONGHORN, f"--field-selector=metadata.name={name}")
    (found,) = lab.objects("recurringjobs.longhorn.io", *words)
    return found


def _key(lab: LonghornLab) -> str:
    (found,) = lab.objects("secrets", "-n", LONGHORN, f"--field-selector=metadata.name={_SECRET}")
    return base64.b64decode(found["data"]["CRYPTO_KEY_VALUE"]).decode()


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": kind,
        "metadata": {"name": name, "namespace": LONGHORN},
        "spec": spec,
    }


def _volume(name: str, **more: Any) -> dict[str, Any]:
    spec = {"size": "10485760", "numberOfReplicas": 1, "frontend": "blockdev", "accessMode": "rwo"}
    return _object("Volume", name, {**spec, **more})


def _volumes(lab: LonghornLab) -> list[dict[str, Any]]:
    return lab.objects("volumes.longhorn.io", "-n", LONGHORN)


def _is_made_from(lab: LonghornLab, url: str) -> bool:
    """Ask for a volume with a backup's content, until Longhorn's manager has seen the backup."""
    try:
        lab.apply(_volume("restored", fromBackup=url))
    except AssertionError as refused:
        if "cannot get backup" in str(refused) or "invalid size" in str(refused):
            return False
        raise
    return True
