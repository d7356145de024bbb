"""The import into a Rancher that is there already, as a stack declares it."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import run, valid, waits_for, with_secrets
from tools.offline.recording import Recording, SecretValue
from tools.offline.stack_file import StackConfig

_TOKEN = "tr0ub4dor-" + "token"
_IMPORT_ALONE = {
    **dict.fromkeys(("packages", "disks", "labels", "longhorn", "frontend", "rancher"), False),
    "rancherImport": True,
}


def _config(**changes: Any) -> StackConfig:
    import_ = {"url": "https://rancher.example.com", **changes}
    config = valid(stages=_IMPORT_ALONE, rancher=None, rancherImport=import_)
    return with_secrets(config, rancherToken=_TOKEN)


@pytest.fixture
def recording() -> Recording:
    return run(_config())


def test_the_cluster_is_registered_with_the_token_and_no_server_is_made(
    recording: Recording,
) -> None:
    registration = recording.named("rancher-registration")
    assert registration.type == "pulumi-python:dynamic/rancher:TokenRegistration"
    assert registration.inputs["api_token"] == SecretValue(_TOKEN)
    assert [each.type for each in recording.resources if each.type.startswith("docker:")] == []


def test_no_password_is_made_or_given(recording: Recording) -> None:
    assert recording.of_type("pulumi-python:dynamic/rancher:GeneratedPassword") == []
    password = recording.named("rancher-cluster-active").inputs["admin_password"]
    assert password == SecretValue("")
    assert "rancherAdminPassword" not in recording.outputs


def test_the_ca_of_the_file_is_the_only_one_that_is_trusted(tmp_path: Any) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("the CA")
    recording = run(_config(caFile=str(path)))
    for name in ("rancher-registration", "rancher-cluster-active"):
        assert recording.named(name).inputs["ca_pem"] == "the CA"


def test_the_cluster_is_waited_for_after_its_agent_is_there(recording: Recording) -> None:
    assert waits_for(recording, "rancher-cluster-active", "rancher-agent-deployment")


def test_the_token_reaches_no_input_in_plain_text(recording: Recording) -> None:
    assert all(_TOKEN not in repr(each.inputs) for each in recording.resources)
    assert _TOKEN not in repr(recording.outputs)
