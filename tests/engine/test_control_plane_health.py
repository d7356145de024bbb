"""The health of a control-plane node's components, by the real engine on a lab host.

The host has the manifests of a kubeadm cluster of Kubernetes 1.21; a stand-in in its network plays
the kubelet and the components' health ports.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lab.common.paths import PROJECT
from lab.hosts import hosts
from lab.hosts import network as host_network
from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import NO_CLUSTER, hosts_only, node, on_host
from tests.scripts.a_kubelet import MANIFESTS, PORTS
from tests.scripts.control_plane import AFTER, BEFORE, manifest, path_of

pytestmark = needs_hosts


@pytest.fixture(scope="module")
def control_plane() -> Iterator[HostHandle]:
    """A host with a kubelet that opens and closes the health ports as the manifests say."""
    kubelet: subprocess.Popen[str] | None = None
    try:
        host = hosts.add_host("control-1")
        write_manifests(host)
        namespace = host_network.namespace_name(host.name)
        pids = subprocess.run(
            ["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True
        ).stdout.split()
        kubelet = subprocess.Popen(
            [
                *("ip", "netns", "exec", namespace),
                *(sys.executable, "-m", "tests.scripts.a_kubelet", f"/proc/{pids[0]}/root"),
            ],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert kubelet.stdout is not None
        assert kubelet.stdout.readline() == "ready\n"
        yield host
    finally:
        if kubelet is not None:
            kubelet.kill()
            kubelet.communicate()
        hosts.down()


def write_manifests(host: HostHandle, version: str = "v1.21.14") -> None:
    on_host(host, f"mkdir -p {MANIFESTS}")
    for name in PORTS:
        text = manifest(name, "k8s.gcr.io/{name}:" + version)
        on_host(host, f"cat > {path_of(name)}", text)


def read_manifests(host: HostHandle) -> dict[str, str]:
    return {name: hosts.run(host.name, f"cat {path_of(name)}").stdout for name in PORTS}


def config(host: HostHandle) -> dict[str, Any]:
    stages = {**NO_CLUSTER, "packages": False, "disks": False, "controlPlaneHealth": True}
    return hosts_only([host], nodes=[node(host, controlPlane=True, disks=[])]) | {"stages": stages}


def test_up_takes_the_line_out_and_destroy_puts_it_back_byte_for_byte(
    engine: Engine, control_plane: HostHandle
) -> None:
    write_manifests(control_plane)
    stack = engine.project_stack("health", config=config(control_plane))
    stack.up().or_fail()
    assert read_manifests(control_plane) == AFTER
    assert set(on_host(control_plane, f"ls -A {MANIFESTS}").split()) == {
        f"{name}.yaml" for name in PORTS
    }, "the kubelet takes every file there for a pod"
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()
    assert read_manifests(control_plane) == BEFORE


def test_manifests_that_kubeadm_wrote_anew_show_in_a_preview_and_up_repairs_them(
    engine: Engine, control_plane: HostHandle
) -> None:
    write_manifests(control_plane)
    stack = engine.project_stack("anew", config=config(control_plane))
    stack.up().or_fail()
    write_manifests(control_plane, "v1.21.15")
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {"update": 1}
    assert "--port=0 is in the manifest of kube-controller-manager and kube-s" in previewed.log
    stack.up().or_fail()
    assert "--port=0" not in "".join(
        line for text in read_manifests(control_plane).values() for line in items(text)
    )
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()


def items(text: str) -> list[str]:
    """The arguments of a manifest, without what its comments say."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("- ")]


def test_a_server_where_it_means_nothing_is_refused_in_a_preview_and_left_as_it_is(
    engine: Engine, control_plane: HostHandle
) -> None:
    write_manifests(control_plane, "v1.22.0")
    before = read_manifests(control_plane)
    stack = engine.project_stack("newer", config=config(control_plane))
    for operation in ("preview", "up"):
        refused = stack.start(operation).wait()
        assert not refused.succeeded
        said = " ".join(refused.log.split())
        assert f"controlPlaneHealth: {control_plane.name}: " in said
        assert "is version 1.22.0" in said
        assert "Switch the stage controlPlaneHealth off" in said
    assert stack.resources("command:remote:Command") == []
    assert read_manifests(control_plane) == before


def test_the_script_itself_refuses_where_hosts_are_not_read(
    engine: Engine, control_plane: HostHandle
) -> None:
    write_manifests(control_plane, "v1.22.0")
    unread = config(control_plane) | {"checks": {"readHosts": False}}
    refused = engine.project_stack("unread", config=unread).up()
    assert not refused.succeeded
    assert control_plane.name in refused.errors()
    assert "1.22" in refused.errors()
