"""The lab's Docker engine runs what the program asks of Docker, and leaves nothing behind."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from components.docker.api import docker_api
from components.docker.state import GONE, read_state
from lab.common import daemons, paths, progress
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.docker.host import docker_host
from lab.hosts import hosts
from lab.hosts.base_image import base_image

# Of this process alone, so that two runs of the tests do not meet.
_NAME = f"td{os.getpid() % 100_000}"
_SUBNET = f"10.{100 + os.getpid() % 20}.{os.getpid() // 20 % 256}"
# A machine with an engine of its own has its directories here already.
_RUN_BEFORE = os.listdir("/run")
_IMAGE = "lab/ssh-as-a-web-server:1"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="the lab's Docker engine needs root"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="Docker comes from apt"),
]


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab beside any other: its own directory, names and network; removed at the end."""
    directory = tmp_path_factory.mktemp("d")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAB_DOCKER", raising=False)
        patch.setenv("LAB_NAME", _NAME)
        patch.setenv("LAB_SUBNET", _SUBNET)
        for module in (paths, daemons, progress):
            patch.setattr(module, "STATE", directory)
        try:
            yield directory
        finally:
            hosts.down()
            docker_engine.down()


@pytest.fixture(scope="module")
def engine(state: Path) -> DockerHandle:
    handle = docker_engine.up()
    assert handle.socket.is_relative_to(state), "the lab must not use this machine's engine"
    # The base image has no web server; its SSH server speaks first and serves as well.
    serve = "mkdir -p /run/sshd && ssh-keygen -A && exec /usr/sbin/sshd -D -p 80 -p 443"
    docker_engine.import_image(
        handle,
        base_image(),
        _IMAGE,
        [
            f"CMD {json.dumps(['sh', '-c', serve])}",
            "HEALTHCHECK --interval=1s CMD test -d /run/sshd",
        ],
    )
    return handle


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _greeting(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4)
    except OSError:
        return b""


def test_a_privileged_container_becomes_healthy_with_its_ports_and_its_volume(
    engine: DockerHandle,
) -> None:
    web, tls = _free_port(), _free_port()
    docker_engine.command(
        engine,
        *["run", "--detach", "--name=rancher", "--privileged", "--restart=unless-stopped"],
        *["--memory=512m", f"--publish=127.0.0.1:{web}:80", f"--publish=127.0.0.1:{tls}:443"],
        *["--volume=data:/var/lib/rancher", _IMAGE],
    )
    wait_until(
        lambda: (
            docker_engine.command(engine, "inspect", "--format={{.State.Health.Status}}", "rancher")
            == "healthy"
        ),
        doing="the container's health",
        seconds=60,
    )
    for port in (web, tls):
        wait_until(lambda port=port: _greeting(port) == b"SSH-", doing=f"port {port}", seconds=20)
    inside = "mount -t tmpfs none /mnt && echo kept >/var/lib/rancher/file"
    docker_engine.command(engine, "exec", "rancher", "sh", "-c", inside)

    docker_engine.command(engine, "rm", "--force", "rancher")
    read = ["run", "--rm", "--volume=data:/data", _IMAGE, "cat", "/data/file"]
    assert docker_engine.command(engine, *read) == "kept"


def test_containers_that_do_not_run_are_told_and_started_as_the_double_has_it(
    engine: DockerHandle,
) -> None:
    port = _free_port()
    publish = f"--publish=127.0.0.1:{port}:80"
    docker_engine.command(engine, "create", "--name=state", publish, _IMAGE)
    try:
        with docker_api(engine.host, None, "not asked", "") as api:
            made = read_state(api, "state")
            assert (made.status, made.is_stopped, made.ended) == ("created", True, None)
            assert api.post("/containers/state/start").status_code == 204
            assert api.post("/containers/state/start").status_code == 304
            running = read_state(api, "state")
            assert (running.is_running, running.error, running.health) == (True, "", "starting")

            docker_engine.command(engine, "pause", "state")
            assert read_state(api, "state").status == "paused"
            assert _refused(api, "start", "paused") == 409
            assert _refused(api, "exec", "paused") == 409
            assert api.post("/containers/state/unpause").status_code == 204
            assert read_state(api, "state").is_running

            docker_engine.command(engine, "kill", "state")
            killed = read_state(api, "state")
            assert (killed.status, killed.exit_code, killed.error) == ("exited", 137, "")
            assert killed.ended is not None
            assert killed.made is not None
            assert killed.made < killed.ended
            assert _refused(api, "exec", "not running") == 409

            with socket.create_server(("127.0.0.1", port)):
                assert _refused(api, "start", "address already in use") == 500
            failed = read_state(api, "state")
            assert failed.is_stopped
            assert "address already in use" in failed.error
            assert api.post("/containers/state/start").status_code == 204
            assert read_state(api, "state").error == ""

            docker_engine.command(engine, "rm", "--force", "state")
            assert read_state(api, "state").status == GONE
    finally:
        subprocess.run(
            [engine.client, "--host", engine.host, "rm", "--force", "state"],
            check=False,
            capture_output=True,
        )


def _refused(api: httpx.Client, what: str, said: str) -> int:
    """The status with which Docker refuses, in these words."""
    with pytest.raises(httpx.HTTPStatusError, match=said) as raised:
        api.post(f"/containers/state/{what}", json={"Cmd": ["true"]} if what == "exec" else None)
    return raised.value.response.status_code


def test_an_unknown_image_fails_with_docker_s_own_message(engine: DockerHandle) -> None:
    with pytest.raises(progress.LabError, match="No such image"):
        docker_engine.command(engine, "image", "inspect", "no-such-image:1")


def test_the_engine_can_be_used_from_a_lab_host_without_root(engine: DockerHandle) -> None:
    docker_host(engine)
    as_operator = "su operator -c 'docker image ls --format {{.Repository}}'"
    done = hosts.run("docker-host", as_operator)
    assert done.stdout.split() == [_IMAGE.partition(":")[0]], done.stderr
    as_another = hosts.run("docker-host", "su careful -c 'docker ps'")
    assert as_another.returncode != 0, "the socket is open to users who are not in its group"


def test_up_again_is_the_same_engine(engine: DockerHandle) -> None:
    assert docker_engine.up() == engine
    assert docker_engine.status() == engine


def test_the_machine_s_own_engine_is_handed_out_only_on_request(
    engine: DockerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_engine, "MACHINE_SOCKET", engine.socket)
    monkeypatch.setenv("PATH", f"{engine.client.parent}:{os.environ['PATH']}")
    assert not docker_engine.up().is_machines_own, "it must be asked for"
    monkeypatch.setenv("LAB_DOCKER", "machine")
    assert docker_engine.up().is_machines_own
    monkeypatch.setattr(docker_engine, "MACHINE_SOCKET", engine.socket.with_name("none"))
    with pytest.raises(progress.LabError, match="no Docker engine answers"):
        docker_engine.up()


def _left_behind(state: Path) -> list[str]:
    mounts = Path("/proc/mounts").read_text().splitlines()
    links = [link.name for link in Path("/sys/class/net").iterdir()]
    return [
        *(line for line in mounts if str(state) in line),
        *(name for name in links if name.startswith((_NAME, "br-"))),
        *(str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{_NAME}-docker")),
        *(str(path) for path in state.glob("docker*")),
        *(name for name in os.listdir("/run") if name.startswith(("containerd", "docker"))),
        *(path.read_text() for path in Path("/proc").glob("[0-9]*/comm") if _uses(path, state)),
    ]


def _uses(comm: Path, state: Path) -> bool:
    try:
        return str(state / "docker") in (comm.parent / "cmdline").read_text()
    except OSError:
        return False


@pytest.mark.usefixtures("engine")
def test_down_ends_running_containers_and_leaves_nothing(state: Path) -> None:
    # Runs last: it takes the module's engine down.
    handle = docker_engine.up()
    docker_engine.command(handle, "network", "create", "own")
    docker_engine.command(handle, "run", "--detach", "--network=own", "--name=left", _IMAGE)
    network = docker_engine.command(handle, "network", "inspect", "--format={{.Id}}", "own")
    assert f"br-{network[:12]}" in os.listdir("/sys/class/net"), "the check sees too little"
    assert len(_left_behind(state)) > 3, "the check sees too little"
    rules = _packet_filter()

    hosts.down()
    docker_engine.down()

    left = [found for found in _left_behind(state) if not found.startswith("br-")]
    assert [found for found in left if found not in _RUN_BEFORE] == []
    assert f"br-{network[:12]}" not in os.listdir("/sys/class/net")
    assert _packet_filter() == rules
    assert docker_engine.status() is None


def _packet_filter() -> str:
    """The names of the tables that the kernel's packet filter holds for IPv4."""
    names = Path("/proc/net/ip_tables_names")
    done = subprocess.run(["sh", "-c", "nft list ruleset"], check=False, capture_output=True)
    return (names.read_text() if names.exists() else "") + done.stdout.decode()
