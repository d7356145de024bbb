"""The settings that the stack file names have its values in Longhorn, or the reason is told."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn import settings
from components.longhorn.settings import LonghornSettingValuesProvider, setting_values
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error
from tests.unit.doubles.a_stack import run, valid, waits_for

PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "values": {"default-replica-count": "3", "of-another-version": "1"},
    "finding": None,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    one = ACluster()
    one.objects["settings"] = {"default-replica-count": {"value": "1"}, "other": {"value": "x"}}
    monkeypatch.setattr(settings, "open_cluster", lambda _props: one)
    return one


def test_the_charts_names_and_values_become_those_of_longhorns_settings() -> None:
    given = {
        "defaultReplicaCount": 3,
        "createDefaultDiskLabeledNodes": True,
        "guaranteedInstanceManagerCPU": 12,
        "v2DataEngine": False,
        "replicaFileSyncHttpClientTimeout": "30",
        "storageNetwork": "",
        "priorityClass": None,
    }
    assert setting_values(given) == {
        "default-replica-count": "3",
        "create-default-disk-labeled-nodes": "true",
        "guaranteed-instance-manager-cpu": "12",
        "v2-data-engine": "false",
        "replica-file-sync-http-client-timeout": "30",
    }


def test_only_what_differs_is_written(cluster: ACluster) -> None:
    written: list[str] = []
    cluster.after_write = lambda: written.append("once")
    LonghornSettingValuesProvider().create(PROPS)
    LonghornSettingValuesProvider().create(PROPS)
    assert cluster.objects["settings"]["default-replica-count"] == {"value": "3"}
    assert set(cluster.objects["settings"]) == {"default-replica-count", "other"}
    assert written == ["once"]


def test_what_longhorn_refuses_is_said_in_its_words(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    cluster.refusals = [api_error(403, "denied: volumes are attached")] * 1000
    with pytest.raises(
        TimeoutError,
        match=r"default-replica-count yet: denied: volumes are attached \(wanted: 3\)",
    ):
        LonghornSettingValuesProvider().create(PROPS)


def test_what_the_person_may_not_write_fails_at_once(cluster: ACluster) -> None:
    cluster.refusals = [api_error(403, 'settings.longhorn.io is forbidden: User "jane" cannot')]
    with pytest.raises(ApiError):
        LonghornSettingValuesProvider().create(PROPS)
    assert cluster.objects["settings"]["default-replica-count"] == {"value": "1"}


def test_what_a_refresh_finds_shows_and_a_setting_of_another_version_does_not(
    cluster: ACluster,
) -> None:
    provider = LonghornSettingValuesProvider()
    state = provider.read("longhorn-settings", PROPS).outs or {}
    assert state["values"] == {"default-replica-count": "1", "of-another-version": "1"}
    assert provider.diff("id", state, PROPS).changes is True
    cluster.objects["settings"]["default-replica-count"]["value"] = "3"
    state = provider.read("longhorn-settings", PROPS).outs or {}
    assert provider.diff("id", state, PROPS).changes is False


def test_the_stack_keeps_the_settings_that_it_names_once_longhorn_runs() -> None:
    recording = run(valid(longhorn={"defaultSettings": {"defaultDataLocality": "best-effort"}}))
    values = recording.named("longhorn-settings").inputs["values"]
    assert values["default-data-locality"] == "best-effort"
    assert values["create-default-disk-labeled-nodes"] == "true"
    assert waits_for(recording, "longhorn-settings", "longhorn-ready")
