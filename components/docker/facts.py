"""What a Docker engine and its host say of themselves. Read only.

Docker is asked over its API; the host by a script that needs neither root nor Docker.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from components.common.answers import last_object, listed, mapped
from components.common.script_text import script_text
from components.docker.api import docker_api
from components.docker.host import run_on_host

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST_SCRIPT = "docker/scripts/docker-host-check.sh"
_NOT_FOUND = 404
_SHOWN_CHARACTERS = 300
_RANCHER_VERSION = "CATTLE_SERVER_VERSION="


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """One container, running or not."""

    name: str
    image: str
    """The reference that it was made from: a name with a tag, or the image's id."""
    is_running: bool
    ports: frozenset[tuple[int, Address]]
    """Ports of the host that it publishes, TCP, and the addresses on which it does."""
    rancher_version: str
    """The version that Rancher's image states; empty for any other image."""


@dataclass(frozen=True, kw_only=True)
class DockerFacts:
    """What Docker says of itself."""

    version: str
    is_podman: bool = False
    """Whether Podman answers in Docker's place."""
    system: str
    """`linux`, or `windows` where its containers are."""
    memory_bytes: int
    root_folder: str
    """Where it keeps images and volumes, on its host."""
    containers: tuple[ContainerFacts, ...]


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Somebody who listens on a port."""

    port: int
    address: Address
    process: str
    """Its name; empty where it may not be seen."""


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """Docker's host. None for what can't be found out there."""

    memory_bytes: int | None
    free_bytes: int | None
    listeners: tuple[Listener, ...]
    forwarded_ports: frozenset[int] | None = None
    """Those of the two ports that a packet filter hands on to something other than Docker."""
    packet_filters: frozenset[str] | None = None
    """Of ip_tables and nf_tables what the kernel has or can load."""


def read_docker(docker_host: str, host_key: str | None) -> DockerFacts:
    """Ask Docker. Raises RuntimeError naming it when it does not answer."""
    problem, remedy = (
        "the Docker engine does not answer",
        "Start it, or correct rancher.dockerHost.",
    )
    with docker_api(docker_host, host_key, problem, remedy) as api:
        version, info = (api.get(path).json() for path in ("/version", "/info"))
        identifiers = [each["Id"] for each in api.get("/containers/json?all=true").json()]
        containers = [inspected(api, each) for each in identifiers]
        # Podman names itself among the components of its version.
        components = [str(each.get("Name")).lower() for each in listed(version.get("Components"))]
        return DockerFacts(
            version=str(version.get("Version") or ""),
            is_podman=any("podman" in name for name in components),
            system=str(info.get("OSType") or "linux"),
            memory_bytes=int(info.get("MemTotal") or 0),
            root_folder=str(info.get("DockerRootDir") or "/var/lib/docker"),
            containers=tuple(_container(each) for each in containers if each is not None),
        )


def read_host(
    docker_host: str, host_key: str | None, ports: Iterable[int], folder: str
) -> HostFacts:
    """Ask the host.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        ports: The two ports of interest.
        folder: Where the data is to lie.

    Raises RuntimeError naming the host.
    """
    arguments = [*(str(port) for port in ports), folder]
    said = run_on_host(docker_host, host_key, script_text(_HOST_SCRIPT), arguments)
    found = last_object(said)
    if found is None:
        shown = "".join(c if c.isprintable() else "?" for c in said.strip()[-_SHOWN_CHARACTERS:])
        raise RuntimeError(
            f"{docker_host}: the look at the host ended without its answer; printed was: "
            f"{shown or 'nothing'}. See that the user's login shell runs commands there"
        )
    return host_facts(found)


def host_facts(said: Mapping[str, Any]) -> HostFacts:
    """What docker-host-check.sh printed. Pure."""
    order = said["byteOrder"]
    return HostFacts(
        memory_bytes=said["memoryBytes"],
        free_bytes=said["freeBytes"],
        forwarded_ports=_set_or_none(said.get("forwardedPorts")),
        packet_filters=_set_or_none(said.get("packetFilters")),
        listeners=tuple(
            Listener(
                port=each["port"],
                address=_address(each["address"], order),
                process=each["process"],
            )
            for each in said["listeners"]
        ),
    )


def _set_or_none(said: list[Any] | None) -> frozenset[Any] | None:
    return None if said is None else frozenset(said)


def _address(digits: str, order: str) -> Address:
    """An address as /proc/net/tcp has it: words of four bytes in the machine's byte order."""
    words = [bytes.fromhex(digits[at : at + 8]) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(
        b"".join(word[::-1] if order == "little" else word for word in words)
    )
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def inspected(api: httpx.Client, identifier: str) -> dict[str, Any] | None:
    """All that Docker says of a container; None when it is gone since it was listed."""
    try:
        return api.get(f"/containers/{identifier}/json").json()
    except httpx.HTTPStatusError as error:
        if error.response.status_code == _NOT_FOUND:
            return None
        raise


def _container(said: Mapping[str, Any]) -> ContainerFacts:
    bindings: dict[str, list[dict[str, str]] | None] = mapped(
        said["HostConfig"].get("PortBindings")
    )
    versions = [
        line.removeprefix(_RANCHER_VERSION)
        for line in listed(said["Config"].get("Env"))
        if line.startswith(_RANCHER_VERSION)
    ]
    return ContainerFacts(
        name=str(said["Name"]).removeprefix("/"),
        image=str(said["Config"]["Image"]),
        is_running=bool(said["State"]["Running"]),
        ports=frozenset(
            # No address is every address, of IPv4 and of IPv6.
            (int(binding["HostPort"]), ipaddress.ip_address(binding.get("HostIp") or "::"))
            for inner, published in bindings.items()
            if inner.endswith("/tcp")
            for binding in published or []
            if (binding.get("HostPort") or "").isdecimal()
        ),
        rancher_version=versions[0] if versions else "",
    )
