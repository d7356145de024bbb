"""What a Docker host must have before Rancher is started on it. Pure.

Source: Rancher 2.8, Installation Requirements; the guide asks for a host of 6 GB.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from components.docker.facts import Address, ContainerFacts, DockerFacts, HostFacts, Listener

GIB = 1024**3
_ENGINE_MINIMUM = (20, 10)
# Firmware and kernel keep some of what a machine is sold with: 6 GB show as 5.6 GiB and less.
_SHOWN_OF_MEMORY = 0.9


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the stack file asks of the host."""

    own_containers: frozenset[str]
    """Names of containers that make room for the new one."""
    ports: Sequence[tuple[str, int]]
    """Each port with the key that sets it."""
    listen_address: str
    minimum_memory_gib: int
    minimum_disk_gib: int


def host_problems(wanted: Wanted, docker: DockerFacts, host: HostFacts) -> list[str]:
    """Everything that keeps Rancher from running there, each with its remedy."""
    return [
        *_docker_problems(docker),
        *_kernel_problems(host),
        *_memory_problems(wanted, docker, host),
        *(
            problem
            for key, port in wanted.ports
            for problem in _port(wanted, key, port, docker, host)
        ),
        *_disk_problems(wanted, docker, host),
    ]


def engine_host(docker_host: str) -> str:
    """What tells one Docker host from another: not the user who logs in there."""
    parts = urlsplit(docker_host)
    return docker_host if parts.hostname is None else f"{parts.hostname}:{parts.port or 22}"


def memory_of(docker: DockerFacts, host: HostFacts) -> int:
    """What containers can have: Docker in a virtual machine has less than its host."""
    known = [each for each in (docker.memory_bytes, host.memory_bytes) if each]
    return min(known, default=0)


def _docker_problems(docker: DockerFacts) -> Iterator[str]:
    if docker.is_podman:
        yield (
            "Podman answers there in Docker's place, and Rancher's container is supported on "
            "Docker alone. Install Docker, or give another rancher.dockerHost."
        )
        return
    if docker.system != "linux":
        yield (
            f"the Docker engine runs {docker.system} containers. Switch it to Linux containers, or "
            "give another rancher.dockerHost."
        )
    match = re.match(r"(\d+)\.(\d+)", docker.version)
    # A development build has no number, and is its owner's own decision.
    if match is not None and tuple(map(int, match.groups())) < _ENGINE_MINIMUM:
        yield (
            f"the Docker engine is version {docker.version}, and 20.10 is the oldest that Rancher "
            "supports. Upgrade it."
        )


def _kernel_problems(host: HostFacts) -> Iterator[str]:
    if host.packet_filters is not None and not host.packet_filters:
        yield (
            "its kernel has neither ip_tables nor nf_tables, and without a packet filter the K3s "
            "inside Rancher's container can't start. Install the kernel's modules (on RHEL: dnf "
            "install kernel-modules-extra), load one (modprobe nf_tables), and try again."
        )


def node_warning(docker_host: str, node_hosts: Collection[str], ports: Collection[int]) -> str:
    """What to know of a Docker host that is a node of the cluster as well; empty otherwise.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        node_hosts: How the stack file names the nodes' hosts.
        ports: The ports that Rancher is to have.
    """
    host = urlsplit(docker_host).hostname
    shared = sorted({80, 443} & set(ports))
    if host is None or host not in node_hosts or not shared:
        return ""
    return (
        f"rancher.dockerHost is {host}, which is a node of the cluster, and Rancher is to have "
        f"port {' and '.join(map(str, shared))}: an ingress controller of the cluster wants the "
        "same on every node, and one of the two gets nothing. Give Rancher other ports "
        "(rancher.httpPort, rancher.httpsPort, with the port in rancher.url), or a host of its own."
    )


def _memory_problems(wanted: Wanted, docker: DockerFacts, host: HostFacts) -> Iterator[str]:
    memory = memory_of(docker, host)
    if memory and memory < wanted.minimum_memory_gib * GIB * _SHOWN_OF_MEMORY:
        yield (
            f"it has {_gib(memory)} of memory, and Rancher is asked to have "
            f"{wanted.minimum_memory_gib} GiB. Give it more, or accept less with "
            "rancher.minimumMemoryGib."
        )


def _disk_problems(wanted: Wanted, docker: DockerFacts, host: HostFacts) -> Iterator[str]:
    if any(each.name in wanted.own_containers for each in docker.containers):
        # What is missing then is what Rancher's own data takes already.
        return
    if host.free_bytes is not None and host.free_bytes < wanted.minimum_disk_gib * GIB:
        yield (
            f"{_gib(host.free_bytes)} are free for Rancher's data, and "
            f"{wanted.minimum_disk_gib} GiB are asked for. Make room, put the data elsewhere with "
            "rancher.dataVolume, or accept less with rancher.minimumDiskGib."
        )


def _port(
    wanted: Wanted, key: str, port: int, docker: DockerFacts, host: HostFacts
) -> Iterator[str]:
    address = ipaddress.ip_address(wanted.listen_address)
    holders = [
        each
        for each in docker.containers
        if each.is_running
        and any(number == port and _meet(other, address) for number, other in each.ports)
    ]
    if any(each.name in wanted.own_containers for each in holders):
        return
    taken = [each for each in host.listeners if each.port == port and _meet(each.address, address)]
    # Docker without its proxy publishes by packet filter, and nobody is seen to listen.
    if holders or taken:
        yield (
            f"port {port} (rancher.{key}) is taken on {wanted.listen_address} by "
            f"{_name(holders, taken)}. Stop that, or choose another rancher.{key} or "
            "rancher.listenAddress."
        )
    elif port in (host.forwarded_ports or ()):
        yield (
            f"port {port} (rancher.{key}) never reaches Docker: NAT hands it on to something else, "
            "such as the hostPort of a pod (iptables -t nat -S shows the rule). Remove that, or "
            f"choose another rancher.{key}."
        )


def _meet(taken: Address, wanted: Address) -> bool:
    # Whoever listens on :: mostly has IPv4 as well.
    if taken.is_unspecified:
        return taken.version >= wanted.version
    if wanted.is_unspecified:
        return wanted.version >= taken.version
    return taken == wanted


def _name(holders: Sequence[ContainerFacts], taken: Sequence[Listener]) -> str:
    if holders:
        return f"container {holders[0].name}"
    process = f"process {taken[0].process}" if taken[0].process else "another user's process"
    return f"{process}, listening on {taken[0].address}"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
