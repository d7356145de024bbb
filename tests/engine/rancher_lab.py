"""What stacks with a Rancher server run on: Docker hosts, a cluster, and Rancher's stand-ins."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from configuration.rancher import RancherSettings
from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.common import daemons, paths, progress
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.docker.host import docker_host
from lab.hosts import hosts
from lab.hosts import network as host_network
from lab.hosts.hosts import HostHandle
from lab.rancher.stand_in import agent, image
from tests.engine.engine import Engine
from tests.engine.kubectl import kubectl

TAG = str(RancherSettings.model_fields["tag"].default)
NEXT_MINOR = "v2.9.3"
HTTP, HTTPS = 8080, 8443
HELPER_IMAGE = "busybox:1.36.1"
_OFF = ("packages", "disks", "labels", "longhorn", "frontend")


def server_config(address: str, docker_host: str, **rancher: Any) -> dict[str, Any]:
    """A stack's configuration with Rancher's server alone.

    Args:
        address: where it listens, which is also how it is reached.
        docker_host: the Docker engine's address.
        rancher: keys of the stack file's section `rancher`, laid over these.
    """
    return {
        "cluster": {"name": "test"},
        "stages": dict.fromkeys(_OFF, False),
        "rancher": {
            "url": f"https://{address}:{HTTPS}",
            "dockerHost": docker_host,
            "listenAddress": address,
            "httpPort": HTTP,
            "httpsPort": HTTPS,
            "pullImage": False,
            "minimumMemoryGib": 1,
            "minimumDiskGib": 1,
            "startTimeoutSeconds": 120,
            **rancher,
        },
    }


@contextmanager
def ssh_agent(socket: Path, key: Path) -> Iterator[None]:
    """An SSH agent that holds one key."""
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, doing="waiting for the SSH agent", seconds=10)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
        subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def engine_apart(directory: Path, name: str, network: str) -> Iterator[DockerHandle]:
    """A Docker engine beside the lab's own, removed at the end.

    Args:
        directory: for its socket and data.
        name, network: LAB_NAME and LAB_SUBNET of a lab that nobody has.
    """
    with pytest.MonkeyPatch.context() as patch:
        _move_lab(patch, directory, name, network)
        handle = docker_engine.up()
    try:
        yield handle
    finally:
        with pytest.MonkeyPatch.context() as patch:
            _move_lab(patch, directory, name, network)
            docker_engine.down()


def _move_lab(patch: pytest.MonkeyPatch, directory: Path, name: str, network: str) -> None:
    patch.delenv("LAB_DOCKER", raising=False)
    patch.setenv("LAB_NAME", name)
    patch.setenv("LAB_SUBNET", network)
    for module in (paths, daemons, progress):
        patch.setattr(module, "STATE", directory)


@contextmanager
def another_address() -> Iterator[str]:
    """One more address of this machine in the lab's network."""
    address, link = f"{paths.subnet()}.253", host_network.bridge_name()
    host_network.ip("address", "replace", f"{address}/24", "dev", link)
    try:
        yield address
    finally:
        host_network.ip("address", "delete", f"{address}/24", "dev", link)


@dataclass(frozen=True)
class DockerHost:
    """A host with a Docker engine, reached over SSH."""

    host: HostHandle
    docker: DockerHandle
    folder: Path
    """Where a person's files on it are."""

    @property
    def settings(self) -> dict[str, str]:
        """What the stack file says of it."""
        return {
            "dockerHost": f"ssh://operator@{self.host.address}",
            "dockerHostKey": self.host.host_key,
        }

    def sh(self, script: str) -> str:
        """Standard output of commands that a person types there; fails as soon as one fails."""
        typed = f"set -eu\ncd {shlex.quote(str(self.folder))}\n{script}"
        done = hosts.run(self.host.name, typed)
        assert done.returncode == 0, f"{self.host.name}: {script}\n{done.stderr}"
        return done.stdout.strip()

    def data_of(self, container: str = "rancher") -> str:
        """The volume that a container has its data in."""
        shown = '{{range .Mounts}}{{if eq .Destination "/var/lib/rancher"}}{{.Name}}{{end}}{{end}}'
        return docker_engine.command(self.docker, "inspect", "--format", shown, container)


@dataclass(frozen=True)
class RancherLab:
    """A Docker host for Rancher, and a cluster to import into it."""

    host: DockerHost
    cluster: ClusterHandle
    folder: Path
    agent_socket: Path

    @property
    def address(self) -> str:
        """Where Rancher is: this machine, which carries the ports of every engine."""
        return host_network.gateway()

    @property
    def url(self) -> str:
        """Rancher's address."""
        return f"https://{self.address}:{HTTPS}"

    def engine(self, folder: Path) -> Engine:
        """Pulumi's engine with the key to the Docker hosts."""
        made = Engine(folder)
        made.environment["SSH_AUTH_SOCK"] = str(self.agent_socket)
        return made

    def config(self, host: DockerHost | None = None, **rancher: Any) -> dict[str, Any]:
        """A stack that runs Rancher on that host and imports the cluster into it."""
        given = {"pullImage": True, **(host or self.host).settings, **rancher}
        config = server_config(self.address, "", **given)
        return {
            **config,
            "cluster": {"name": "storage", "kubeconfig": str(self.cluster.kubeconfig)},
            "stages": {**config["stages"], "rancherImport": True},
            "checks": {"readHosts": False, "readCluster": False},
        }

    @contextmanager
    def another_host(self, name: str, directory: Path) -> Iterator[DockerHost]:
        """One more Docker host, with an engine of its own."""
        first, second, third = paths.subnet().split(".")
        network = f"{first}.{int(second) ^ 64}.{third}"
        with engine_apart(directory, f"{paths.lab_name()[:7]}x", network) as docker:
            yield rancher_docker_host(name, docker, self.folder)

    def kubectl(self, *words: str) -> str:
        """Standard output of kubectl; an AssertionError if it fails."""
        return kubectl(self.cluster, *words).strip()

    def agent_variable(self, name: str) -> str:
        """What the running agent was told."""
        path = f'{{.spec.template.spec.containers[0].env[?(@.name=="{name}")].value}}'
        deployment = ("get", "deployment", "cattle-cluster-agent", "-n", "cattle-system")
        return self.kubectl(*deployment, "-o", f"jsonpath={path}")


@contextmanager
def rancher_lab(directory: Path) -> Iterator[RancherLab]:
    """Everything up; removed at the end.

    Args:
        directory: for the SSH agent's socket.
    """
    # Not below /tmp, which is each lab host's own.
    files = TemporaryDirectory(prefix="rancher-hosts-", dir="/var/tmp")
    socket = directory / "agent"
    try:
        # The bridge is there with the first host, and containers listen on it.
        key = hosts.add_host("first", disks=0).client_key_path
        cluster = kubernetes.up(["worker-1"])
        with ssh_agent(socket, key), files as folder:
            host = rancher_docker_host("rancher-host", docker_engine.up(), Path(folder))
            agent.up(cluster.kubeconfig)
            yield RancherLab(host, cluster, Path(folder), socket)
    finally:
        agent.down()
        docker_engine.down()
        kubernetes.down()
        hosts.down()


def rancher_docker_host(name: str, docker: DockerHandle, folders: Path) -> DockerHost:
    """A host with a Docker engine over SSH, which has what the runbooks need of images.

    Args:
        folders: where its person's files are to be, by host.
    """
    folder = folders / name
    folder.mkdir()
    image.build(docker, TAG)
    made = docker_engine.command(docker, "create", f"{image.NAME}:{TAG}")
    for reference, change in (
        (f"{image.NAME}:{NEXT_MINOR}", f"ENV CATTLE_SERVER_VERSION={NEXT_MINOR}"),
        # No registry need be reachable: the program to run is the first word either way.
        (HELPER_IMAGE, 'ENTRYPOINT ["env"]'),
    ):
        docker_engine.command(docker, "commit", "--change", change, made, reference)
    docker_engine.command(docker, "rm", "--volumes", made)
    return DockerHost(docker_host(docker, name, folder), docker, folder)
