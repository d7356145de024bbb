"""What else keeps Rancher from running on a host: Podman, NAT, a bare kernel, a shared node."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.common.script_text import script_text
from components.docker.facts import DockerFacts, HostFacts, host_facts
from components.docker.host import ssh_problem
from components.rancher.server.host_rules import GIB, Wanted, host_problems, node_warning


def problems(host: dict[str, Any] | None = None, **engine: Any) -> list[str]:
    plain: dict[str, Any] = {
        "version": "24.0.7",
        "system": "linux",
        "memory_bytes": 8 * GIB,
        "root_folder": "/var/lib/docker",
        "containers": (),
    }
    facts = {"memory_bytes": 8 * GIB, "free_bytes": 100 * GIB, "listeners": ()} | (host or {})
    wanted = Wanted(
        own_containers=frozenset(["rancher"]),
        ports=[("httpPort", 80), ("httpsPort", 443)],
        listen_address="0.0.0.0",  # noqa: S104
        minimum_memory_gib=6,
        minimum_disk_gib=10,
    )
    return host_problems(wanted, DockerFacts(**plain | engine), HostFacts(**facts))


def test_podman_is_named() -> None:
    (problem,) = problems(version="5.2.0", is_podman=True)
    assert "Podman answers there in Docker's place" in problem


def test_a_port_that_nat_hands_to_a_pod_is_told_with_its_key() -> None:
    (problem,) = problems({"forwarded_ports": frozenset([443])})
    assert "port 443 (rancher.httpsPort) never reaches Docker" in problem


@pytest.mark.parametrize(
    ("found", "does"),
    [(None, False), (frozenset[str](), True), (frozenset(["nf_tables"]), False)],
)
def test_a_kernel_without_packet_filters_is_told(found: frozenset[str] | None, does: bool) -> None:
    said = problems({"packet_filters": found})
    assert any("neither ip_tables nor nf_tables" in each for each in said) is does


@pytest.mark.parametrize(
    ("docker_host", "ports", "warns"),
    [
        ("ssh://ops@192.0.2.11", (80, 443), True),
        ("ssh://192.0.2.11:2222", (8080, 443), True),
        ("ssh://ops@192.0.2.11", (8080, 8443), False),
        ("ssh://ops@192.0.2.99", (80, 443), False),
        ("unix:///var/run/docker.sock", (80, 443), False),
    ],
)
def test_a_docker_host_that_is_a_node_is_a_warning_for_the_ports_of_the_web(
    docker_host: str, ports: tuple[int, int], warns: bool
) -> None:
    said = node_warning(docker_host, ["192.0.2.10", "192.0.2.11"], ports)
    assert ("which is a node of the cluster" in said) is warns


@pytest.mark.parametrize(
    ("said", "is_old"),
    [
        ("OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1w", True),
        ("OpenSSH_7.6p1", True),
        ("OpenSSH_8.5p1", False),
        ("OpenSSH_10.0p2", False),
        ("OpenSSH_for_Windows_8.1p1", True),
        ("Dropbear v2022.83", False),
    ],
)
def test_an_ssh_that_can_not_pin_a_key_is_named(said: str, is_old: bool) -> None:
    assert bool(ssh_problem(said)) is is_old


def test_the_script_reads_nat_rules_of_pods_and_not_dockers_own(tmp_path: Path) -> None:
    fake = tmp_path / "iptables"
    fake.write_text(
        "#!/bin/sh\ncat <<'END'\n"
        "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80\n"
        "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8443,443 -j CNI-DN-0a1b\n"
        "-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-X\n"
        "END\n"
    )
    fake.chmod(0o755)
    text = script_text("docker/scripts/docker-host-check.sh")
    done = subprocess.run(
        ["sh", "-s", "--", "80", "443", "/"],
        input=text,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert host_facts(json.loads(done.stdout)).forwarded_ports == frozenset([443])
