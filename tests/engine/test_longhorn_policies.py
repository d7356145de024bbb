"""Classes, recurring jobs, encryption key and backup target, as Longhorn's own manager takes them.

The real longhorn-manager and its webhooks judge. No engine of Longhorn's runs here, so no backup
target ever becomes available: seen is that `up` does not end well then, and with which words. The
tests share one stack and follow one another.
"""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn_manager

pytestmark = needs_longhorn_manager

_LONGHORN = "longhorn-rancher:longhorn"
_KEY = "longhorn-rancher:longhornEncryptionKey"
_JOBS = [
    {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *", "retain": 7},
    {"name": "trim", "task": "filesystem-trim", "cron": "@weekly", "groups": ["default"]},
]
_CLASSES = [
    {"name": "fast", "replicas": 1, "recurringJobs": ["nightly"]},
    {"name": "secret", "replicas": 1, "encrypted": True, "bindingMode": "WaitForFirstConsumer"},
]
_SECRET = "longhorn-encryption-key"  # noqa: S105  the name of the object
_UP_SECONDS = 900


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_LONGHORN", "real")
        with longhorn_lab(2) as one:
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
    assert {job["metadata"]["name"] for job in jobs} == {"nightly", "trim"}
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_an_encrypted_class_names_a_key_that_is_there(lab: LonghornLab) -> None:
    assert _key(lab) == "former words"
    (found,) = [
        each for each in lab.objects("storageclasses") if each["metadata"]["name"] == "secret"
    ]
    assert found["parameters"]["csi.storage.k8s.io/node-stage-secret-name"] == _SECRET


def test_what_kubernetes_lets_nobody_change_makes_only_that_class_new(
    stack: Stack, config: dict[str, Any]
) -> None:
    changed = [{**_CLASSES[0], "reclaimPolicy": "Retain"}, _CLASSES[1]]
    stack.configure({_LONGHORN: {**config[_LONGHORN], "storageClasses": changed}})
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert {step.name for step in outcome.steps if step.operation == "replace"} == {
        "longhorn-policies-class-fast"
    }
    assert stack.preview().or_fail().operations() == {}


def test_a_key_that_a_volume_needs_is_neither_changed_nor_taken_away(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    lab.apply(
        {
            "apiVersion": "longhorn.io/v1beta2",
            "kind": "Volume",
            "metadata": {"name": "held", "namespace": LONGHORN},
            "spec": {"size": "10485760", "numberOfReplicas": 1, "encrypted": True}
            | {"frontend": "blockdev", "accessMode": "rwo"},
        }
    )
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


def test_a_target_that_longhorn_can_not_open_ends_no_up_well(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    backup = {"target": "nfs://192.0.2.1:/backups", "timeoutSeconds": 20}
    stack.configure({_LONGHORN: {**config[_LONGHORN], "storageClasses": [], "backup": backup}})
    outcome = stack.up(seconds=_UP_SECONDS)
    assert not outcome.succeeded
    assert "backup target nfs://192.0.2.1:/backups: not reached within 20 s" in outcome.log
    assert "Longhorn: " in outcome.log
    settings = {
        each["metadata"]["name"]: each["value"]
        for each in lab.objects("settings.longhorn.io", "-n", LONGHORN)
    }
    assert settings["backup-target"] == "nfs://192.0.2.1:/backups"


def test_a_destroy_leaves_none_of_it(stack: Stack, lab: LonghornLab) -> None:
    stack.destroy(seconds=_UP_SECONDS).or_fail()
    assert {each["metadata"]["name"] for each in lab.objects("storageclasses")} == set()


def _key(lab: LonghornLab) -> str:
    (found,) = lab.objects("secrets", "-n", LONGHORN, f"--field-selector=metadata.name={_SECRET}")
    return base64.b64decode(found["data"]["CRYPTO_KEY_VALUE"]).decode()
