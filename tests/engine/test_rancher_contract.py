"""A real Rancher server still answers as it was recorded, and so as the stand-in answers.

LAB_RANCHER names its image: a file that `docker save` wrote, or a reference that can be pulled.
"""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.rancher.api.client import RancherClient
from lab.common.progress import LabError
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from tests.engine.needs import docker_marks
from tests.unit.doubles import rancher_contract
from tests.unit.doubles.rancher_contract import Server

_NAMED = os.environ.get("LAB_RANCHER", "")
_RECORD = Path(__file__).parents[1] / "unit/lab/rancher-2.8.5.json"
_START_SECONDS = 900.0
_CA = ("kubectl", "get", "settings.management.cattle.io", "cacerts", "-o", "jsonpath={.value}")

pytestmark = [
    *docker_marks(),
    pytest.mark.skipif(not _NAMED, reason="LAB_RANCHER names no image of a real Rancher"),
]


@pytest.fixture
def server() -> Iterator[Server]:
    """A real server at its first start."""
    try:
        yield _started(docker_engine.up())
    finally:
        docker_engine.down()


def _started(engine: DockerHandle) -> Server:
    port, bootstrap = _unused_port(), secrets.token_urlsafe(12)
    container = docker_engine.command(
        engine,
        *("run", "--detach", "--privileged", "--publish", f"127.0.0.1:{port}:443"),
        *("--env", f"CATTLE_BOOTSTRAP_PASSWORD={bootstrap}", _image(engine)),
    )

    def ca() -> str:
        try:
            return docker_engine.command(engine, "exec", container, *_CA)
        except LabError:
            return ""

    pem = wait_until(ca, doing="waiting for Rancher's CA", seconds=_START_SECONDS)
    url = f"https://127.0.0.1:{port}"
    RancherClient(url, pem).wait_until_ready(_START_SECONDS)
    return Server(url, pem, bootstrap)


def _image(engine: DockerHandle) -> str:
    if not Path(_NAMED).is_file():
        return _NAMED
    loaded = docker_engine.command(engine, "load", "--quiet", "--input", _NAMED)
    return loaded.rpartition(": ")[2]


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_call_is_answered_as_recorded(server: Server) -> None:
    recorded = json.loads(_RECORD.read_text())["answers"]
    assert rancher_contract.differences(rancher_contract.ask(server), recorded) == []
