"""Fixtures of the tests that run real programs: a lab of their own, beside any other."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config

from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.common import daemons, paths, progress
from lab.common.progress import LabError
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from lab.programs import toolchain
from tests.engine.engine import Engine

WORKERS = ("node-1", "node-2", "node-3")
CONTROL_PLANE = ("control-plane-1",)


@dataclass(frozen=True)
class Cluster:
    """The tests' cluster and an administrator's client of it."""

    handle: ClusterHandle
    client: ApiClient


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Of the test's own."""
    return Engine(tmp_path / "engine")


@pytest.fixture(scope="module")
def new_host() -> Iterator[Callable[..., HostHandle]]:
    """Makes a host with two blank disks, each time another one; all are removed at the end."""
    numbers = itertools.count(1)
    yield lambda **options: hosts.add_host(f"host-{next(numbers)}", **options)
    hosts.down()


@pytest.fixture
def host(new_host: Callable[..., HostHandle]) -> HostHandle:
    """A host of the test's own."""
    return new_host()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers and a tainted control plane, without hosts; removed at the end."""
    try:
        toolchain.binary("kube-apiserver")
    except LabError as missing:
        pytest.skip(str(missing))
    state = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_NAME", f"tc{os.getpid() % 100_000}")
        patch.setenv("LAB_SUBNET", f"10.89.{os.getpid() % 250}")
        for module in (paths, daemons, progress):
            patch.setattr(module, "STATE", state)
        try:
            handle = kubernetes.up([*WORKERS, *CONTROL_PLANE], CONTROL_PLANE)
            with new_client_from_config(str(handle.kubeconfig)) as client:
                yield Cluster(handle, client)
        finally:
            kubernetes.down()
