"""A stand-in for Rancher on 127.0.0.1, on a port that the operating system chose."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from components.rancher.api.client import RancherClient
from configuration.rancher import RancherSettings
from lab.common.paths import STATE
from lab.rancher.stand_in import kubectl, server, state
from lab.rancher.stand_in.context import Request
from lab.rancher.stand_in.options import Options
from lab.rancher.stand_in.server import StandIn

BOOTSTRAP = "bootstrap-" + "password-1"
ADMIN = "admin-" + "password-22"
# Nobody is to be kept from guessing a test's passwords, and each start and login hashes one.
state._ITERATIONS = 10
# Hundreds are stopped, each with two servers.
server._LOOK_SECONDS = 0.005


@cache
def _some_certificates() -> Path:
    """Certificates made once, because that is what takes a start most of its time."""
    folder = Path(mkdtemp(dir=STATE, prefix="rancher-ca-"))
    StandIn(Options(data_directory=folder), host="127.0.0.1", https_port=0)
    return folder / "tls"


@contextmanager
def running(
    data_directory: Path, *, host: str = "127.0.0.1", own_ca: bool = False, **options: Any
) -> Iterator[StandIn]:
    """A stand-in while the block runs; start it again on the same directory for a restart.

    Args:
        own_ca: whether a new data directory gets a CA that no other stand-in has.
    """
    if not own_ca and not (data_directory / "tls").exists():
        shutil.copytree(_some_certificates(), data_directory / "tls")
    wanted = {"bootstrap_password": BOOTSTRAP, "token_delay_seconds": 0.0} | options
    wanted.setdefault("activation_seconds", 0.0)
    wanted.setdefault("check_seconds", 0.0)
    stand_in = StandIn(
        Options(data_directory=data_directory, **wanted), host=host, https_port=0, http_port=0
    )
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()


@contextmanager
def gone(stand_in: StandIn) -> Iterator[None]:
    """Stop it; nothing answers at its address then, since nobody else gets the port."""
    stand_in.stop()
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", stand_in.https_port))
        yield


def url_of(stand_in: StandIn, host: str = "127.0.0.1") -> str:
    """Where it answers."""
    return f"https://{host}:{stand_in.https_port}"


def rancher_at(url: str) -> RancherSettings:
    """Settings for a Rancher at an address of this machine, which a stack file may not have."""
    return RancherSettings.model_construct(url=url, start_timeout_seconds=30)


def client(stand_in: StandIn, *, retry_seconds: float = 20.0) -> RancherClient:
    """A client that pins the CA it has now."""
    return RancherClient(url_of(stand_in), stand_in.ca_pem, retry_seconds=retry_seconds)


def logged_in(stand_in: StandIn) -> RancherClient:
    """A client with a session of the admin, and server-url set."""
    rancher = client(stand_in)
    rancher.accounts.login(BOOTSTRAP)
    rancher.set_server_url(url_of(stand_in))
    return rancher


def registration_inputs(stand_in: StandIn, **changes: Any) -> dict[str, Any]:
    """The inputs of a RancherRegistration for this stand-in."""
    return {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "bootstrap_password": BOOTSTRAP,
        "admin_password": ADMIN,
        "cluster_name": "storage",
        "server_url": url_of(stand_in),
        "owner": "uid-of-kube-system",
        "server_id": "a-container",
        "ready_timeout_seconds": 20.0,
        "delete_timeout_seconds": 5.0,
    } | changes


def agent_says(stand_in: StandIn, verb: str, token: str, **said: Any) -> dict[str, Any]:
    """What the lab's agent would send; returns the answer's body.

    Args:
        said: what it says of itself; one that says nothing counts as deployed by Rancher.
    """
    headers = {"authorization": f"Bearer {token}"}
    content = json.dumps(said).encode()
    answer = stand_in.api.answer(Request("POST", f"/lab/agent/{verb}", {}, headers, content))
    assert answer.status == 200, answer.content
    return dict(json.loads(answer.content))


@contextmanager
def cleaning_agents(stand_in: StandIn) -> Iterator[None]:
    """An agent for every imported cluster, which cleans up when it is told to."""
    done = threading.Event()

    def play() -> None:
        # As rarely as that, since each look is a TLS handshake in the same process.
        while not done.wait(0.2):
            for cluster in list(stand_in.context.state.clusters.values()):
                if cluster.imported and agent_says(stand_in, "connect", cluster.token)["cleanup"]:
                    agent_says(stand_in, "cleaned", cluster.token)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def in_container(stand_in: StandIn, data_directory: Path) -> Callable[..., str]:
    """What takes the place of components.docker.exec.run_in_container for this stand-in."""

    def run(_host: str, _key: str | None, container: str, command: Sequence[str]) -> str:
        try:
            return kubectl.answer(command[1:], data_directory, port=stand_in.https_port)
        except kubectl.KubectlError as error:
            raise RuntimeError(f"container {container}: {error}") from None

    return run


def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
