"""What the program declares for the Rancher server."""

from typing import Any

import pytest

from components.rancher.api.readiness import CONFIRMATIONS
from components.rancher.server.host_rules import engine_host
from tests.unit.doubles.a_stack import HOST_KEY, parent_of, run, valid, waits_for, with_secrets
from tools.offline.answers import GENERATED_PASSWORD
from tools.offline.recording import Declared, Recording, SecretValue

_URL = "https://rancher.example.com"
_CONTAINER = "docker:index/container:Container"
_GENERATED = "pulumi-python:dynamic/rancher:GeneratedPassword"


def _run(**rancher: Any) -> Recording:
    return run(valid(rancher={"url": _URL, **rancher}))


def _container(**rancher: Any) -> Declared:
    (container,) = _run(**rancher).of_type(_CONTAINER)
    return container


def test_the_container_is_as_in_the_guide() -> None:
    inputs = _container().inputs
    assert inputs["privileged"] is True
    assert inputs["restart"] == "unless-stopped"
    assert [(port["external"], port["internal"]) for port in inputs["ports"]] == [
        (80, 80),
        (443, 443),
    ]


def test_ports_and_address_are_as_the_stack_says() -> None:
    ports = _container(httpPort=8080, httpsPort=8443, listenAddress="192.0.2.1").inputs["ports"]
    assert [(p["external"], p["internal"], p["ip"]) for p in ports] == [
        (8080, 80, "192.0.2.1"),
        (8443, 443, "192.0.2.1"),
    ]


def test_the_image_is_pinned_by_its_id_so_that_a_name_never_replaces_the_container() -> None:
    recording = _run(tag="v2.8.4")
    image = recording.named("rancher-image")
    assert image.inputs["name"] == "rancher/rancher:v2.8.4"
    assert image.inputs["keepLocally"] is True
    assert recording.named("rancher-container").inputs["image"] == "sha256:rancher-image"


def test_an_image_that_the_engine_holds_is_not_pulled() -> None:
    recording = _run(pullImage=False)
    assert recording.of_type("docker:index/remoteImage:RemoteImage") == []
    assert recording.of_type(_CONTAINER)[0].inputs["image"] == "rancher/rancher:v2.8.5"


def test_the_network_mode_is_given_or_every_preview_would_show_a_difference() -> None:
    assert _container().inputs["networkMode"] == "bridge"


def test_it_is_done_only_when_rancher_answers_several_times_in_a_row() -> None:
    container = _container(startTimeoutSeconds=300)
    assert container.inputs["wait"] is True
    assert container.inputs["waitTimeout"] == 300
    kind, script = container.inputs["healthcheck"]["tests"]
    assert kind == "CMD-SHELL"
    assert script.startswith(f"for i in $(seq {CONFIRMATIONS}); do curl ")
    assert "https://localhost/ping || exit 1" in script
    assert container.request.customTimeouts.create == "360s"


def test_the_old_container_goes_before_the_new_one_since_name_and_ports_are_fixed() -> None:
    assert _container().request.deleteBeforeReplace is True


def test_another_docker_host_gets_a_container_and_an_image_of_its_own() -> None:
    recording = _run(dockerHost="ssh://operator@one.example.com", dockerHostKey=HOST_KEY)
    for name in ("rancher-container", "rancher-image"):
        trigger = recording.named(name).request.replacement_trigger
        assert trigger.string_value == "one.example.com:22"


@pytest.mark.parametrize(
    ("docker_host", "host"),
    [
        ("ssh://operator@one.example.com", "one.example.com:22"),
        ("ssh://root@one.example.com:22", "one.example.com:22"),
        ("ssh://one.example.com:2222", "one.example.com:2222"),
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
    ],
)
def test_a_docker_host_is_known_by_name_and_port_and_not_by_who_logs_in(
    docker_host: str, host: str
) -> None:
    assert engine_host(docker_host) == host


def test_the_data_volume_outlives_the_stack() -> None:
    recording = _run()
    volume = recording.named("rancher-data")
    assert volume.request.retainOnDelete is True
    assert recording.named("rancher-container").inputs["volumes"] == [
        {"containerPath": "/var/lib/rancher", "volumeName": "rancher-data"}
    ]


def test_a_folder_of_the_host_needs_no_volume() -> None:
    recording = _run(dataVolume="/opt/rancher")
    assert recording.of_type("docker:index/volume:Volume") == []
    assert recording.of_type(_CONTAINER)[0].inputs["volumes"] == [
        {"containerPath": "/var/lib/rancher", "hostPath": "/opt/rancher"}
    ]


def test_a_generated_bootstrap_password_is_secret_wherever_it_stands() -> None:
    recording = _run()
    assert recording.named("rancher-bootstrap-password").type == _GENERATED
    (variable,) = _secrets_of(recording.named("rancher-container"))
    assert variable == f"CATTLE_BOOTSTRAP_PASSWORD={GENERATED_PASSWORD}"
    assert isinstance(recording.outputs["rancherBootstrapPassword"], SecretValue)


def test_the_generated_password_is_marked_secret_in_the_state() -> None:
    request = _run().named("rancher-bootstrap-password").request
    assert list(request.additionalSecretOutputs) == ["value"]


def test_a_given_bootstrap_password_is_used_and_none_is_made() -> None:
    recording = run(with_secrets(valid(), rancherBootstrapPassword="correct horse battery"))
    assert "rancher-bootstrap-password" not in [r.name for r in recording.resources]
    (variable,) = _secrets_of(recording.named("rancher-container"))
    assert variable == "CATTLE_BOOTSTRAP_PASSWORD=correct horse battery"
    assert recording.outputs["rancherBootstrapPassword"] == SecretValue("correct horse battery")


@pytest.mark.parametrize("child", ["rancher-container", "rancher-image", "rancher-data"])
def test_every_part_stands_below_the_component(child: str) -> None:
    recording = _run()
    assert parent_of(recording, recording.named(child)) == "rancher"


def test_the_server_stands_beside_longhorn_and_does_not_wait_for_it() -> None:
    recording = _run()
    assert not waits_for(recording, "rancher-container", "longhorn-release")
    assert not waits_for(recording, "rancher-container", "node-1-packages-install")
    assert not waits_for(recording, "longhorn-release", "rancher-container")


def test_without_the_stage_no_container_and_no_provider_is_declared() -> None:
    recording = run(valid(rancher=None, stages={"rancher": False}))
    kinds = {resource.type.split(":")[0] for resource in recording.resources}
    assert "docker" not in kinds
    assert recording.of_type("pulumi:providers:docker") == []
    assert not {"rancherUrl", "rancherBootstrapPassword"} & set(recording.outputs)


def _secrets_of(container: Declared) -> list[str]:
    envs = container.inputs["envs"]
    if isinstance(envs, SecretValue):
        return [str(env) for env in envs.value]
    assert all(isinstance(env, SecretValue) for env in envs)
    return [str(env.value) for env in envs]
