"""The container that backs up Rancher's data, as declared and as read."""

from typing import Any

import pytest

from components.rancher.server.backup.reading import made_at
from tests.unit.doubles.a_stack import HOST_KEY, run, valid, waits_for
from tools.offline.recording import Declared

_URL = "https://rancher.example.com"
_SSH = {"dockerHost": "ssh://operator@rancher.example.com", "dockerHostKey": HOST_KEY}


def _declared(backup: dict[str, Any] | None = None, **rancher: Any) -> Declared:
    given = {"folder": "/srv/backups", **(backup or {})}
    config = valid(rancher={"url": _URL, "backup": given, **rancher})
    return run(config).named("rancher-backup")


def _mounts(declared: Declared) -> dict[str, str]:
    return {
        each["containerPath"]: each.get("hostPath") or each["volumeName"]
        for each in declared.inputs["volumes"]
    }


def test_a_stack_that_does_not_ask_for_it_has_none() -> None:
    names = {each.name for each in run(valid(rancher={"url": _URL})).resources}
    assert "rancher-backup" not in names


def test_it_comes_after_rancher_and_comes_back_with_the_docker_host() -> None:
    config = valid(rancher={"url": _URL, "backup": {"folder": "/srv/backups"}})
    assert waits_for(run(config), "rancher-backup", "rancher-container")
    assert _declared().inputs["restart"] == "unless-stopped"


def test_it_is_of_ranchers_own_image_without_a_network_and_writes_to_the_folder_alone() -> None:
    declared = _declared(tag="v2.8.4")
    assert declared.inputs["image"] == "sha256:rancher-image"
    assert declared.inputs["networkMode"] == "none"
    assert not declared.inputs.get("privileged")
    read_only = {
        each["containerPath"] for each in declared.inputs["volumes"] if each.get("readOnly")
    }
    assert read_only == {"/var/lib/rancher"}
    assert _mounts(declared)["/backup"] == "/srv/backups"


@pytest.mark.parametrize(
    ("rancher", "data"),
    [
        ({}, "rancher-data"),
        ({"containerName": "console"}, "console-data"),
        ({"dataVolume": "/opt/r"}, "/opt/r"),
    ],
)
def test_it_packs_the_data_that_rancher_has(rancher: dict[str, Any], data: str) -> None:
    assert _mounts(_declared(**rancher))["/var/lib/rancher"] == data


def test_a_volume_that_is_replaced_waits_for_it_to_be_removed() -> None:
    config = valid(rancher={"url": _URL, "backup": {"folder": "/srv/backups"}})
    assert waits_for(run(config), "rancher-backup", "rancher-data")
    dependencies = _declared().request.propertyDependencies["volumes"].urns
    assert [urn.rpartition("::")[2] for urn in dependencies] == ["rancher-data"]


def test_the_schedule_is_told_in_seconds() -> None:
    given = {"at": "23:05", "everyDays": 3, "keep": 4}
    assert _declared(given, tag="v2.8.4").inputs["command"] == [
        *("loop", "rancher", "rancher", "v2.8.4"),
        *(str(23 * 3600 + 5 * 60), str(3 * 86400), "4"),
    ]


@pytest.mark.parametrize(
    ("rancher", "backup", "socket"),
    [
        ({}, {}, "/var/run/docker.sock"),
        ({"dockerHost": "unix:///run/user/1000/docker.sock"}, {}, "/run/user/1000/docker.sock"),
        (_SSH, {}, "/var/run/docker.sock"),
        (_SSH, {"dockerSocket": "/run/other.sock"}, "/run/other.sock"),
    ],
)
def test_the_socket_is_the_docker_hosts_own(
    rancher: dict[str, Any], backup: dict[str, Any], socket: str
) -> None:
    assert _mounts(_declared(backup, **rancher))["/docker.sock"] == socket


def test_up_ends_only_when_a_backup_could_be_made() -> None:
    inputs = _declared(containerName="console", dataVolume="console-data").inputs
    assert inputs["healthcheck"]["tests"] == ["CMD", "sh", "/rancher-backup.sh", "ready", "console"]
    assert inputs["wait"] is True


def test_a_name_without_a_time_has_none() -> None:
    assert made_at("") is None
    assert made_at("rancher-v2.8.5-2024-05-01.tar.gz") is None
