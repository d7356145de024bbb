"""RancherServer on a real Docker engine with the real docker plugin; Rancher is the stand-in.

The host is looked at before anything is made on it, the data outlives the stack, and a
certificate of one's own is served and trusted. The tests of this module share one Docker engine.
"""

import json
import os
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.docker.exec import run_in_container
from components.docker.facts import read_docker
from components.rancher.server.ca import RancherCaProvider
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.rancher.stand_in import image
from tests.engine.certificates import make_authority, make_certificate
from tests.engine.engine import Engine, Outcome, Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import (
    HTTP,
    HTTPS,
    NEXT_MINOR,
    TAG,
    engine_apart,
    server_config,
)

SKIPPED_MINOR = "v2.10.1"
CONTAINER, VOLUME = "server-under-test", "server-under-test-data"
# Of this process alone, so that two runs of the tests do not meet.
_NAME = f"tr{os.getpid() % 100_000}"
_SECOND, _THIRD = 60 + os.getpid() % 20, os.getpid() // 20 % 256
KIND = "docker:index/container:Container"


pytestmark = docker_marks("docker")


@dataclass(frozen=True)
class Server:
    """Where the server is to run."""

    docker: DockerHandle
    address: str

    @property
    def url(self) -> str:
        return f"https://{self.address}:{HTTPS}"

    def has(self, kind: str, name: str) -> bool:
        """Whether the engine has a container or volume of that name."""
        words = [kind, "ls", "--filter", f"name={name}", "--format", "{{.}}"]
        if kind == "container":
            words.append("--all")
        return bool(docker_engine.command(self.docker, *words))

    def get(self, path: str, ca_pem: str) -> str:
        """What it answers to somebody who trusts that CA and no other."""
        trust = ssl.create_default_context(cadata=ca_pem)
        with urllib.request.urlopen(  # noqa: S310  https alone
            self.url + path, timeout=10, context=trust
        ) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Docker engine beside any other, with the stand-in's image; removed at the end."""
    directory = tmp_path_factory.mktemp("r")
    with engine_apart(directory, _NAME, f"10.{_SECOND}.{_THIRD}") as handle:
        image.build(handle, TAG)
        for tag in (NEXT_MINOR, SKIPPED_MINOR):
            docker_engine.command(handle, "tag", f"{image.NAME}:{TAG}", f"{image.NAME}:{tag}")
        # The address of the engine's bridge on this machine.
        yield Server(handle, f"10.{_SECOND ^ 128}.{_THIRD}.1")


def _config(server: Server, **rancher: Any) -> dict[str, Any]:
    given = {"containerName": CONTAINER, **rancher}
    return server_config(server.address, server.docker.host, **given)


@pytest.fixture
def stack(server: Server, tmp_path: Path) -> Iterator[Stack]:
    """A stack with nothing but the server, not brought up; its data goes with the test."""
    engine = Engine(tmp_path / "engine")
    made = engine.project_stack("server", config=_config(server))
    try:
        yield made
    finally:
        made.destroy().or_fail()
        if server.has("volume", VOLUME):
            docker_engine.command(server.docker, "volume", "rm", VOLUME)


def _refusal(outcome: Outcome) -> str:
    """The log of an operation that was refused, on one line."""
    assert not outcome.succeeded, outcome.log
    return " ".join(outcome.log.split())


def test_too_little_memory_is_refused_before_anything_is_made(stack: Stack, server: Server) -> None:
    stack.configure(_config(server, minimumMemoryGib=1024, minimumDiskGib=65536))
    said = _refusal(stack.up())
    assert "Rancher is asked to have 1024 GiB" in said
    assert "rancher.minimumMemoryGib" in said
    assert "rancher.minimumDiskGib" in said, "all problems are told at once"
    assert not server.has("container", CONTAINER)
    assert not server.has("volume", VOLUME)


def test_a_taken_port_is_refused_and_named_with_who_has_it(stack: Stack, server: Server) -> None:
    with socket.create_server((server.address, HTTPS)):
        said = _refusal(stack.up())
    process = Path("/proc/self/comm").read_text().strip()
    assert f"port {HTTPS} (rancher.httpsPort) is taken on {server.address}" in said
    assert f"process {process}" in said
    assert f"port {HTTP} " not in said
    assert not server.has("container", CONTAINER)


def test_a_port_that_another_container_publishes_is_refused(stack: Stack, server: Server) -> None:
    publish = f"--publish={server.address}:{HTTP}:80"
    docker_engine.command(
        server.docker, "run", "--detach", "--name=neighbour", publish, f"{image.NAME}:{TAG}"
    )
    try:
        said = _refusal(stack.up())
    finally:
        docker_engine.command(server.docker, "rm", "--force", "--volumes", "neighbour")
    assert f"port {HTTP} (rancher.httpPort)" in said
    assert "container neighbour" in said


def test_a_server_that_runs_is_left_alone_and_its_own_ports_are_no_obstacle(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    assert stack.preview().or_fail().operations() == {}
    stack.configure(_config(server, minimumMemoryGib=2))
    outcome = stack.up().or_fail()
    done = {each.name: each.operation for each in outcome.steps if each.name.startswith("rancher")}
    assert done.pop("rancher-preflight") == "update"
    assert "rancher-container" in done
    assert set(done.values()) == {"same"}


def test_a_container_of_another_name_serves_the_same_data_where_the_stack_file_keeps_them(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    before = _install_uuid(server)
    stack.configure(_config(server, containerName="server-renamed"))
    assert f"set rancher.dataVolume: {VOLUME}" in stack.preview().log
    stack.configure(_config(server, containerName="server-renamed", dataVolume=VOLUME))
    stack.up().or_fail()
    assert not server.has("container", CONTAINER)
    assert server.has("container", "server-renamed")
    assert _install_uuid(server, "server-renamed") == before
    assert stack.preview().or_fail().operations() == {}


def test_an_up_killed_while_rancher_starts_is_completed_by_the_next_with_the_same_data(
    stack: Stack, server: Server
) -> None:
    running = stack.start("up")
    wait_until(
        lambda: server.has("container", CONTAINER), doing="the container is made", seconds=120
    )
    running.kill()
    stack.unlock()
    assert stack.resources(KIND) == [], "the engine should not know of the container"
    left = docker_engine.command(server.docker, "inspect", "--format", "{{.Id}}", CONTAINER)
    stack.up().or_fail()
    made = docker_engine.command(server.docker, "inspect", "--format", "{{.Id}}", CONTAINER)
    assert made != left
    assert server.has("volume", VOLUME)
    assert stack.preview().or_fail().operations() == {}


def test_a_container_of_the_same_name_that_somebody_else_made_is_left_alone(
    stack: Stack, server: Server
) -> None:
    docker_engine.command(
        server.docker, "run", "--detach", f"--name={CONTAINER}", f"{image.NAME}:{TAG}"
    )
    try:
        outcome = stack.up()
        assert not outcome.succeeded
        assert server.has("container", CONTAINER)
    finally:
        docker_engine.command(server.docker, "rm", "--force", "--volumes", CONTAINER)


def test_an_upgrade_goes_one_minor_version_at_a_time_and_keeps_the_data(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    first = _install_uuid(server)
    stack.configure(_config(server, tag=SKIPPED_MINOR))
    for operation in ("preview", "up"):
        said = _refusal(stack.start(operation).wait())
        assert "skips a minor version" in said
        assert "v2.9.x" in said
    stack.configure(_config(server, tag=NEXT_MINOR))
    outcome = stack.up().or_fail()
    assert outcome.step("rancher-container", "create-replacement")
    assert _install_uuid(server) == first


def test_the_data_is_kept_on_destroy_and_the_next_up_finds_it(stack: Stack, server: Server) -> None:
    stack.up().or_fail()
    first = _install_uuid(server)
    stack.destroy().or_fail()
    assert not server.has("container", CONTAINER)
    assert server.has("volume", VOLUME)
    stack.up().or_fail()
    assert _install_uuid(server) == first


def _stop(server: Server) -> None:
    docker_engine.command(server.docker, "stop", CONTAINER)


def _remove(server: Server) -> None:
    docker_engine.command(server.docker, "rm", "--force", CONTAINER)


@pytest.mark.parametrize("by_hand", [_stop, _remove])
def test_a_container_stopped_or_removed_by_hand_shows_after_a_refresh_and_up_puts_it_right(
    stack: Stack, server: Server, by_hand: Callable[[Server], None]
) -> None:
    stack.up().or_fail()
    first = _install_uuid(server)
    by_hand(server)
    stack.refresh().or_fail()
    shown = stack.preview().or_fail().operations(KIND)
    assert shown in ({"create": 1}, {"delete-replaced": 1, "replace": 1, "create-replacement": 1})
    stack.up().or_fail()
    assert _install_uuid(server) == first
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def _pause(server: Server) -> None:
    docker_engine.command(server.docker, "pause", CONTAINER)


def _id(server: Server) -> str:
    return docker_engine.command(server.docker, "inspect", "--format", "{{.Id}}", CONTAINER)


@pytest.mark.parametrize(("by_hand", "said"), [(_stop, "is stopped since "), (_pause, "is paused")])
def test_a_container_stopped_or_paused_by_hand_is_named_in_a_preview_and_started_by_up(
    stack: Stack, server: Server, by_hand: Callable[[Server], None], said: str
) -> None:
    stack.up().or_fail()
    made, data = _id(server), _install_uuid(server)
    by_hand(server)
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {"update": 1}
    assert previewed.step("rancher-running", "update")
    assert f"container {CONTAINER} {said}" in previewed.log
    assert stack.up().or_fail().operations() == {"update": 1}
    assert (_id(server), _install_uuid(server)) == (made, data)
    assert stack.preview("--refresh").or_fail().operations() == {}


def test_a_container_removed_by_hand_is_named_and_up_fails_until_a_refresh_makes_it_again(
    stack: Stack, server: Server
) -> None:
    assert "is not there" not in stack.up().or_fail().log
    data = _install_uuid(server)
    _remove(server)
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {"update": 1}
    assert f"container {CONTAINER} is not there" in previewed.log
    said = _refusal(stack.up())
    assert f"container {CONTAINER} is not there" in said
    assert "`pulumi up --refresh` makes it again" in said
    stack.start("up", "--refresh").wait().or_fail()
    assert _install_uuid(server) == data
    assert stack.preview().or_fail().operations() == {}


def test_a_container_that_can_not_be_started_again_is_told_in_dockers_words(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    _stop(server)
    with socket.create_server((server.address, HTTPS)):
        said = _refusal(stack.up())
        assert f"container {CONTAINER} could not be made to run: 500" in said
        assert "address already in use" in said
        assert "address already in use" in stack.preview("--diff").or_fail().log
    stack.up().or_fail()
    assert stack.preview().or_fail().operations() == {}


def _made_by_hand(server: Server, tag: str) -> None:
    _remove(server)
    docker_engine.command(
        server.docker,
        *("run", "--detach", "--privileged", f"--name={CONTAINER}"),
        *(f"--publish={server.address}:9443:443", f"--volume={VOLUME}:/var/lib/rancher"),
        # The stand-in is one image under several tags; a real one says its own version.
        *("--env", f"CATTLE_SERVER_VERSION={tag}"),
        f"{image.NAME}:{tag}",
    )


def test_a_container_made_anew_by_hand_shows_after_a_refresh_and_up_puts_it_right(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    first = _install_uuid(server)
    _made_by_hand(server, TAG)
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations(KIND) == {"create": 1}
    stack.up().or_fail()
    assert _install_uuid(server) == first
    assert stack.preview("--refresh").or_fail().operations() == {}


def test_a_container_made_by_hand_with_a_later_version_is_left_alone_since_its_data_can_not_go_back(
    stack: Stack, server: Server
) -> None:
    stack.up().or_fail()
    _made_by_hand(server, NEXT_MINOR)
    try:
        stack.refresh().or_fail()
        said = _refusal(stack.up())
        assert "can't go back" in said
        assert server.has("container", CONTAINER)
    finally:
        _remove(server)


def test_the_data_goes_when_the_stack_file_says_so(stack: Stack, server: Server) -> None:
    stack.configure(_config(server, removeDataOnDestroy=True))
    stack.up().or_fail()
    stack.destroy().or_fail()
    assert not server.has("volume", VOLUME)


def test_a_certificate_of_one_s_own_is_served_and_trusted_and_its_key_is_not_readable(
    stack: Stack, server: Server, tmp_path: Path
) -> None:
    own = _certificates(tmp_path, server.address)
    files = {"certificateFile": str(own / "cert.pem"), "caFile": str(own / "ca.pem")}
    key = (own / "key.pem").read_text()
    stack.configure(_config(server, **files), secrets={"rancherCertificateKey": key})
    log = stack.up("--diff").or_fail().log
    ca_pem = (own / "ca.pem").read_text()
    assert server.get("/ping", ca_pem) == "pong"
    assert json.loads(server.get("/v3/settings/cacerts", ca_pem))["value"] == ca_pem.strip()
    secret = key.splitlines()[1]
    assert secret not in log
    assert secret not in json.dumps(stack.export())
    assert stack.preview().or_fail().operations() == {}
    _assert_pinned(server, ca_pem, _certificates(tmp_path / "other", server.address))


def test_a_certificate_that_everybody_trusts_leaves_rancher_without_a_ca(
    stack: Stack, server: Server, tmp_path: Path
) -> None:
    own = _certificates(tmp_path, server.address)
    config = _config(server, certificateFile=str(own / "cert.pem"))
    stack.configure(config, secrets={"rancherCertificateKey": (own / "key.pem").read_text()})
    stack.up().or_fail()
    ca_pem = (own / "ca.pem").read_text()
    assert json.loads(server.get("/v3/settings/cacerts", ca_pem))["value"] == ""
    assert stack.preview().or_fail().operations() == {}


def test_the_docker_command_carries_the_same_as_the_socket(
    stack: Stack, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.up().or_fail()
    # In the place of ssh: its last word is run here.
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\nshift $(($# - 1))\n[ "$1" = -V ] || exec sh -c "$1"\n')
    ssh.chmod(0o755)
    folders = [str(ssh.parent), str(server.docker.client.parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    monkeypatch.setenv("DOCKER_HOST", server.docker.host)
    over_socket = read_docker(server.docker.host, None)
    assert read_docker("ssh://anywhere", None) == over_socket
    words = ["sh", "-c", "echo out; echo error >&2"]
    assert run_in_container("ssh://anywhere", None, CONTAINER, words) == "out\n"
    with pytest.raises(RuntimeError, match=f"container {CONTAINER}: exit status 3: why"):
        run_in_container("ssh://anywhere", None, CONTAINER, ["sh", "-c", "echo why >&2; exit 3"])
    (container,) = over_socket.containers
    assert container.rancher_version == TAG
    assert {port for port, _ in container.ports} == {HTTP, HTTPS}


def _assert_pinned(server: Server, ca_pem: str, other: Path) -> None:
    """The CA is what the stack file says, and another one in it is found out."""
    inputs = {
        "docker_host": server.docker.host,
        "container_name": CONTAINER,
        "timeout_seconds": 30,
        "expected": ca_pem,
    }
    assert RancherCaProvider().create(inputs).outs == {**inputs, "pem": ca_pem}
    with pytest.raises(RuntimeError, match="caFile holds one with"):
        RancherCaProvider().create({**inputs, "expected": (other / "ca.pem").read_text()})


def _install_uuid(server: Server, container: str = CONTAINER) -> str:
    """What Rancher's data is known by."""
    read = "import json; print(json.load(open('/var/lib/rancher/state.json'))['install_uuid'])"
    return docker_engine.command(server.docker, "exec", container, "python3", "-c", read)


def _certificates(folder: Path, address: str) -> Path:
    """A CA, and a certificate of it for the address: ca.pem, cert.pem, key.pem."""
    make_authority(folder)
    make_certificate(folder, address)
    return folder
