"""Rancher on a Docker engine that is reached over SSH alone, its host key pinned."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.docker import engine as docker_engine
from lab.docker.host import docker_host
from lab.hosts import hosts
from lab.hosts import network as host_network
from lab.hosts.hosts import HostHandle
from lab.rancher.stand_in import image
from tests.engine.engine import Engine
from tests.engine.needs import docker_marks
from tests.engine.program_lab import on_host
from tests.engine.rancher_lab import TAG, server_config, ssh_agent

pytestmark = docker_marks("docker")


@dataclass(frozen=True)
class SshDocker:
    """The Docker host, and the agent that holds the key to it."""

    host: HostHandle
    agent_socket: Path
    address: str


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshDocker]:
    """A lab host with the docker command, and an SSH agent with its client key."""
    socket = tmp_path_factory.mktemp("agent") / "socket"
    try:
        # The bridge is there with the first host, and the container listens on it.
        hosts.add_host("first")
        handle = docker_engine.up()
        image.build(handle, TAG)
        host = docker_host(handle)
        with ssh_agent(socket, host.client_key_path):
            yield SshDocker(host, socket, host_network.gateway())
    finally:
        docker_engine.down()
        hosts.down()


def config(docker: SshDocker, **rancher: Any) -> dict[str, Any]:
    given = {"dockerHostKey": docker.host.host_key, "removeDataOnDestroy": True, **rancher}
    return server_config(docker.address, f"ssh://operator@{docker.host.address}", **given)


@pytest.fixture
def engine(tmp_path: Path, docker: SshDocker) -> Engine:
    made = Engine(tmp_path / "engine")
    made.environment["SSH_AUTH_SOCK"] = str(docker.agent_socket)
    return made


def test_the_server_comes_up_on_an_ssh_host_and_a_preview_shows_no_change(
    engine: Engine, docker: SshDocker
) -> None:
    stack = engine.project_stack("ssh", config=config(docker))
    stack.up().or_fail()
    assert stack.outputs()["rancherUrl"] == f"https://{docker.address}:8443"
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()


def test_an_ssh_host_with_another_key_gets_nothing(engine: Engine, docker: SshDocker) -> None:
    wrong = hosts.handle("first").host_key
    stack = engine.project_stack("key", config=config(docker, dockerHostKey=wrong))
    refused = stack.up()
    assert not refused.succeeded
    assert "host key" in refused.log.lower()
    assert not [
        resource
        for resource in stack.resources()
        if resource["type"] == "docker:index/container:Container"
    ]


def test_a_container_in_its_place_is_removed_there_and_one_with_other_data_is_left(
    engine: Engine, docker: SshDocker
) -> None:
    stack = engine.project_stack("place", config=config(docker))
    stack.up().or_fail()
    ours = "--volume=rancher-data:/var/lib/rancher"
    for volume, succeeds in ((ours, True), ("--volume=other:/var/lib/rancher", False)):
        run = f"docker run --detach --name=rancher {volume} {image.NAME}:{TAG}"
        on_host(docker.host, f"docker rm --force rancher && {run}")
        stack.refresh().or_fail()
        assert stack.up().succeeded == succeeds
    on_host(docker.host, "docker rm --force rancher")
    stack.destroy().or_fail()
