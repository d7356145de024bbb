"""What a Docker engine and its host say of themselves. Read only.

The engine is asked over its own socket where that is on this machine, and through the docker
command over SSH where it is not; the host by a script that needs neither root nor Docker.
"""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx

from components.common.answers import listed
from components.common.script_text import script_text
from components.docker.host import run_on_host

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ENGINE_SCRIPT = "docker/scripts/docker-engine-facts.sh"
_HOST_SCRIPT = "docker/scripts/docker-host-check.sh"
_TIMEOUT_SECONDS = 60.0
_NOT_FOUND = 404
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
class EngineFacts:
    """The engine."""

    version: str
    is_podman: bool = False
    """Whether Podman answers in Docker's place."""
    system: str
    """`linux`, or `windows` for an engine of Windows containers."""
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
    """The engine's host. None for what can't be found out there."""

    memory_bytes: int | None
    free_bytes: int | None
    listeners: tuple[Listener, ...]
    forwarded_ports: frozenset[int] | None = None
    """Those of the two ports that a packet filter hands on to something other than Docker."""
    packet_filters: frozenset[str] | None = None
    """Of ip_tables and nf_tables what the kernel has or can load."""


def read_engine(docker_host: str, host_key: str | None) -> EngineFacts:
    """Ask the engine. Raises RuntimeError naming it when it does not answer."""
    if docker_host.startswith("ssh://"):
        said = run_on_host(docker_host, host_key, script_text(_ENGINE_SCRIPT), ())
        version, info, *containers = (json.loads(line) for line in said.splitlines())
    else:
        version, info, containers = _over_socket(docker_host)
    return EngineFacts(
        version=str(version.get("Version") or ""),
        is_podman=_is_podman(version),
        system=str(info.get("OSType") or "linux"),
        memory_bytes=int(info.get("MemTotal") or 0),
        root_folder=str(info.get("DockerRootDir") or "/var/lib/docker"),
        containers=tuple(_container(each) for each in containers),
    )


def _is_podman(version: Mapping[str, Any]) -> bool:
    """Podman names itself among the components, and its docker command in its version."""
    names = [each.get("Name") for each in listed(version.get("Components"))]
    return any("podman" in str(name).lower() for name in (*names, version.get("Client")))


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
    return host_facts(json.loads(said.splitlines()[-1]))


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


def _over_socket(docker_host: str) -> tuple[Any, Any, list[Any]]:
    transport = httpx.HTTPTransport(uds=docker_host.removeprefix("unix://"))
    try:
        with httpx.Client(
            transport=transport, base_url="http://docker", timeout=_TIMEOUT_SECONDS
        ) as engine:
            version, info = (_json(engine, path) for path in ("/version", "/info"))
            listed = _json(engine, "/containers/json?all=true")
            inspected = [_inspected(engine, each["Id"]) for each in listed]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise RuntimeError(
            f"rancher.dockerHost {docker_host}: the Docker engine does not answer: {error}. "
            "Start it, or give the socket that it listens on."
        ) from None
    return version, info, [each for each in inspected if each is not None]


def _json(engine: httpx.Client, path: str) -> Any:
    return engine.get(path).raise_for_status().json()


def _inspected(engine: httpx.Client, identifier: str) -> dict[str, Any] | None:
    answer = engine.get(f"/containers/{identifier}/json")
    if answer.status_code == _NOT_FOUND:
        # Gone since it was listed: no fact any more.
        return None
    whole = answer.raise_for_status().json()
    environment = cast("list[str]", whole["Config"].get("Env") or [])
    versions = [
        line.removeprefix(_RANCHER_VERSION)
        for line in environment
        if line.startswith(_RANCHER_VERSION)
    ]
    return {
        "Name": whole["Name"],
        "Image": whole["Config"]["Image"],
        "Running": whole["State"]["Running"],
        "Ports": whole["HostConfig"].get("PortBindings"),
        "RancherVersion": versions[0] if versions else "",
    }


def _container(said: Mapping[str, Any]) -> ContainerFacts:
    published = cast("Mapping[str, list[dict[str, str]] | None]", said["Ports"] or {})
    return ContainerFacts(
        name=str(said["Name"]).removeprefix("/"),
        image=str(said["Image"]),
        is_running=bool(said["Running"]),
        ports=frozenset(
            # No address is every address, of IPv4 and of IPv6.
            (int(binding["HostPort"]), ipaddress.ip_address(binding.get("HostIp") or "::"))
            for inner, bindings in published.items()
            if inner.endswith("/tcp")
            for binding in bindings or []
            if (binding.get("HostPort") or "").isdecimal()
        ),
        rancher_version=str(said["RancherVersion"]),
    )
