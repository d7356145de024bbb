"""The lab's network: one bridge on this machine, and a network namespace for every host.

The bridge has no uplink and hosts get no default route, so nothing here reaches further than
this machine, and no packet filter rule is needed.
"""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from lab.common.paths import lab_name, subnet
from lab.common.progress import LabError

_NAMESPACES = Path("/run/netns")
_LINKS = Path("/sys/class/net")


def bridge_name() -> str:
    return f"{lab_name()}br0"


def gateway() -> str:
    """This machine's own address in the lab's network."""
    return f"{subnet()}.1"


def namespace_name(host: str) -> str:
    return f"{lab_name()}-{host}"


def make_bridge() -> None:
    """Make the bridge with this machine's address, or keep the one that is there.

    Raises LabError when the address is already somebody else's.
    """
    address = f"{gateway()}/24"
    for link, owned in _addresses():
        if link == bridge_name() and owned == address:
            return
        if link != bridge_name() and owned.startswith(f"{subnet()}."):
            raise LabError(
                f"{link} already has the address {owned} of the lab's network: set LAB_SUBNET to "
                "the first three octets of a free network (and LAB_NAME, for a second lab)."
            )
    if not _exists(bridge_name()):
        ip("link", "add", bridge_name(), "type", "bridge")
    ip("address", "replace", address, "dev", bridge_name())
    ip("link", "set", bridge_name(), "up")


def connect(host: str, address: str) -> Path:
    """Make the host's namespace with eth0 at this address; return the namespace's path."""
    namespace = namespace_name(host)
    path = _NAMESPACES / namespace
    cable = cable_name(address)
    if path.exists() and _exists(cable):
        return path
    disconnect(host, address)
    ip("netns", "add", namespace)
    ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    ip("link", "set", cable, "master", bridge_name(), "up")
    ip("-netns", namespace, "address", "add", f"{address}/24", "dev", "eth0")
    ip("-netns", namespace, "link", "set", "eth0", "up")
    return path


def disconnect(host: str, address: str) -> None:
    """Remove the host's namespace and cable, as far as they are there."""
    if _exists(cable_name(address)):
        ip("link", "delete", cable_name(address))
    if (_NAMESPACES / namespace_name(host)).exists():
        ip("netns", "delete", namespace_name(host))


def plug(address: str, *, plugged: bool) -> None:
    """Plug or unplug the host's cable; unplugged, packets to it are lost."""
    ip("link", "set", cable_name(address), "up" if plugged else "down")


def cable_name(address: str) -> str:
    """This machine's end of a host's cable; the last octet keeps it short enough for Linux."""
    return f"{lab_name()}v{address.rpartition('.')[2]}"


def remove_all() -> None:
    """Remove every namespace, cable and bridge that has this lab's name.

    Processes still in such a namespace are ended: they are a host's, whose pid file was lost.
    """
    # Cables first: with their namespace they would vanish a little later, in nobody's order.
    for link in sorted(_LINKS.glob(f"{lab_name()}v*")):
        if link.name.removeprefix(f"{lab_name()}v").isdigit():
            ip("link", "delete", link.name)
    for namespace in sorted(_NAMESPACES.glob(f"{lab_name()}-*")):
        _end_processes(namespace.name)
        ip("netns", "delete", namespace.name)
    if _exists(bridge_name()):
        ip("link", "delete", bridge_name())
    _forget_namespace_directory()


def ip(*words: str) -> None:
    """Run iproute2's command. Raises LabError with its own message."""
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _end_processes(namespace: str) -> None:
    listed = subprocess.run(
        ["ip", "netns", "pids", namespace], check=True, capture_output=True, text=True
    ).stdout
    for pid in listed.split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def _forget_namespace_directory() -> None:
    """Undo what `ip netns add` does on its first use, once nobody's namespace is left."""
    if _NAMESPACES.is_dir() and not any(_NAMESPACES.iterdir()):
        subprocess.run(["umount", _NAMESPACES], check=False, capture_output=True)
        _NAMESPACES.rmdir()


def _exists(link: str) -> bool:
    return (_LINKS / link).exists()


def _addresses() -> list[tuple[str, str]]:
    """Every link with each of its IPv4 addresses, as ADDRESS/PREFIX."""
    listed = subprocess.run(
        ["ip", "-json", "-4", "address", "show"], check=True, capture_output=True, text=True
    ).stdout
    return [
        (link["ifname"], f"{found['local']}/{found['prefixlen']}")
        for link in json.loads(listed or "[]")
        for found in link.get("addr_info", [])
    ]
