"""The whole lab: hosts, a cluster with the same nodes, a Docker engine with Rancher's stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from configuration.rancher import RancherSettings
from lab.cluster import kubernetes
from lab.common.progress import LabError
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from lab.longhorn import chart
from lab.rancher.stand_in import agent, image
from lab.stack import LabParts, stack_config
from tests.engine.kubectl import OnCluster

LONGHORN = "longhorn-system"
RANCHER = "longhorn-rancher:rancher"


@dataclass(frozen=True)
class WholeLab(OnCluster):
    """Everything that the stack runs on."""

    hosts: list[HostHandle]
    cluster: kubernetes.ClusterHandle
    docker: DockerHandle

    def longhorn_disks(self, node_name: str) -> dict[str, dict[str, Any]]:
        """The disks of a node as Longhorn has them, by path."""
        (found,) = (
            item
            for item in self.objects("nodes.longhorn.io", "-n", LONGHORN)
            if item["metadata"]["name"] == node_name
        )
        return {disk["path"]: disk for disk in found["spec"]["disks"].values()}


@contextmanager
def whole_lab() -> Iterator[WholeLab]:
    """Three hosts, a cluster with the same nodes, a Docker engine with the Rancher stand-in."""
    try:
        started = hosts.up(3)
        cluster = kubernetes.up([host.name for host in started])
        docker = docker_engine.up()
        image.build(docker, RancherSettings.model_fields["tag"].default)
        agent.up(cluster.kubeconfig)
        yield WholeLab(started, cluster, docker)
    except LabError as error:
        pytest.fail(str(error))
    finally:
        agent.down()
        docker_engine.down()
        kubernetes.down()
        hosts.down()


def whole_config(lab: WholeLab) -> dict[str, Any]:
    """The shipped stack `lab` with what this lab decided laid over."""
    parts = LabParts(
        hosts=lab.hosts,
        kubeconfig=lab.cluster.kubeconfig,
        docker_host=lab.docker.host,
        chart=chart.local_chart(),
    )
    config = stack_config(parts)
    address = lab.hosts[0].address.rpartition(".")[0] + ".1"
    config[RANCHER] = {
        **config[RANCHER],
        "url": f"https://{address}:8443",
        "listenAddress": address,
        "containerName": "test-rancher",
        "removeDataOnDestroy": False,
    }
    return config
