"""Every question to a Docker engine has one answer, over its socket and over SSH."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.docker.api import docker_api
from components.docker.exec import run_in_container
from components.docker.facts import ContainerFacts, read_docker
from components.docker.leftovers import OwnContainer, remove_left_container
from tests.unit.doubles.a_docker import DockerDouble, docker_double
from tests.unit.doubles.a_stack import HOST_KEY
from tests.unit.doubles.an_ssh_server import Server, needs_ssh_agent, ssh_server, trusted_agent

OWN = OwnContainer(name="rancher", stack="p/s", data="rancher-data", data_path="/var/lib/rancher")
DIAL = "docker system dial-stdio"


def _rancher(**changes: Any) -> dict[str, Any]:
    config = {"Image": "rancher/rancher:v2.8.5", "Env": ["A=b", "CATTLE_SERVER_VERSION=v2.8.5"]}
    plain = {
        "Id": "c0ffee",
        "Name": "/rancher",
        "Config": {**config, "Labels": {"longhorn-rancher/stack": "p/s"}},
        "State": {"Running": True},
        "HostConfig": {
            "PortBindings": {
                "443/tcp": [{"HostIp": "192.0.2.1", "HostPort": "8443"}],
                "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
                "53/udp": [{"HostPort": "53"}],
                "22/tcp": None,
            }
        },
    }
    return {**plain, **changes}


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerDouble]:
    with docker_double(tmp_path) as double:
        double.containers.append(_rancher())
        yield double


@pytest.fixture
def server(
    docker: DockerDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    with (
        ssh_server(docker_socket=docker.socket) as made,
        trusted_agent(made, tmp_path / "agent", monkeypatch),
    ):
        yield made


@pytest.fixture(params=["socket", pytest.param("ssh", marks=needs_ssh_agent)])
def way(request: pytest.FixtureRequest, docker: DockerDouble) -> tuple[str, str | None]:
    """Address and host key of the Docker engine, one way and the other."""
    if request.param == "socket":
        return f"unix://{docker.socket}", None
    server: Server = request.getfixturevalue("server")
    return server.url, server.host_key


Way = tuple[str, str | None]


def test_the_engine_and_its_containers_are_told(way: Way) -> None:
    engine = read_docker(*way)
    assert (engine.version, engine.memory_bytes, engine.root_folder) == ("27.1.1", 5, "/data")
    assert not engine.is_podman
    assert engine.containers == (
        ContainerFacts(
            name="rancher",
            image="rancher/rancher:v2.8.5",
            is_running=True,
            ports=frozenset(
                {(8443, ipaddress.ip_address("192.0.2.1")), (8080, ipaddress.ip_address("::"))}
            ),
            rancher_version="v2.8.5",
        ),
    )


def test_a_command_in_a_container_gives_what_it_printed(docker: DockerDouble, way: Way) -> None:
    docker.output, docker.errors = "größer\n".encode() * 9000, b"a warning\n"
    assert run_in_container(*way, "rancher", ["kubectl", "get"]) == "größer\n" * 9000


def test_a_command_that_fails_is_told_with_container_status_and_words(
    docker: DockerDouble, way: Way
) -> None:
    docker.errors, docker.status = b"no such setting\n", 3
    with pytest.raises(RuntimeError, match="container rancher: exit status 3: no such setting"):
        run_in_container(*way, "rancher", ["kubectl"])


def test_a_container_that_is_not_there_is_told_in_docker_s_own_words(way: Way) -> None:
    with pytest.raises(RuntimeError, match=r"container other: .*404 .*No such container"):
        run_in_container(*way, "other", ["kubectl"])


def test_a_container_that_a_run_left_is_stopped_and_removed(docker: DockerDouble, way: Way) -> None:
    assert remove_left_container(*way, OWN)
    assert docker.containers == []
    assert docker.asked[1:] == ["POST /containers/c0ffee/stop", "DELETE /containers/c0ffee"]
    assert not remove_left_container(*way, OWN)


@needs_ssh_agent
def test_one_ssh_carries_all_questions_and_runs_nothing_else(server: Server) -> None:
    read_docker(server.url, server.host_key)
    assert [(each.user, each.command) for each in server.asked] == [("operator", DIAL)]


@needs_ssh_agent
def test_a_host_with_another_key_is_asked_nothing(server: Server) -> None:
    with pytest.raises(RuntimeError, match=f"(?s){server.url}.*Host key verification failed"):
        read_docker(server.url, HOST_KEY)
    assert server.asked == []


@needs_ssh_agent
@pytest.mark.parametrize(
    ("status", "complaint", "printed"),
    [
        (127, b"sh: docker: not found", b""),
        (1, b"unknown command: docker system dial-stdio", b""),
        (0, b"This account is for backups.", b""),
        (0, b"", b"Welcome!\nHave a nice day\n"),
    ],
    ids=["no docker", "too old a docker", "a restricted key", "a login shell that greets"],
)
def test_a_host_that_can_t_carry_the_api_is_told_with_its_words_and_what_it_needs(
    server: Server, status: int, complaint: bytes, printed: bytes
) -> None:
    server.docker_socket = None
    server.status, server.complaint, server.answer = status, complaint, printed
    with pytest.raises(RuntimeError) as raised:
        read_docker(server.url, server.host_key)
    said = str(raised.value)
    assert server.url in said
    assert (complaint or printed.splitlines()[0]).decode() in said
    assert "18.09" in said


@needs_ssh_agent
def test_an_answer_that_breaks_off_with_the_connection_is_not_taken_for_whole(
    docker: DockerDouble, server: Server
) -> None:
    docker.output, server.status = b"half of it", 1
    with pytest.raises(
        RuntimeError, match="container rancher: the Docker engine did not run kubectl"
    ):
        run_in_container(server.url, server.host_key, "rancher", ["kubectl"])


@needs_ssh_agent
def test_a_host_that_says_nothing_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.docker.api._ENDING_SECONDS", 0.1)
    server.docker_socket, server.answer = None, None
    with (
        pytest.raises(RuntimeError, match=r"nothing to be had: ssh: timed out\. Wait\."),
        docker_api(server.url, server.host_key, "nothing to be had", "Wait.", patience=0.5) as api,
    ):
        api.get("/version")
