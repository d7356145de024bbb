"""Where a lab's control plane listens: chosen once, then kept until the lab's state is removed.

A kubeconfig that somebody copied stays valid while the lab lives, whatever else starts to listen.
"""

import json
import socket
from dataclasses import asdict
from pathlib import Path

from lab.cluster.control_plane import LOOPBACK, SERVICE_OF_THE_API, ControlPlane, Ports
from lab.hosts import network as host_network

_USUAL_PORTS = Ports(api=6443, etcd=2379, etcd_peer=2380)
# Of this process, from the choice of a port until the process ends: the server listens long before.
_claims: dict[str, socket.socket] = {}
_SERVICE_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


def chosen(folder: Path) -> ControlPlane:
    """The control plane whose files are in `folder`.

    Its API listens on this machine's address in the lab's network, which hosts and containers
    reach too; on the loopback address where there is no such network. Never on an address by
    which other machines could reach it.
    """
    record = folder / "address.json"
    if record.exists():
        known = json.loads(record.read_text())
        return _at(folder, known["address"], Ports(**known["ports"]))
    address = host_network.gateway() if _is_ours(host_network.gateway()) else LOOPBACK
    ports = Ports(
        **{
            name: _free_port(address if name == "api" else LOOPBACK, port)
            for name, port in asdict(_USUAL_PORTS).items()
        }
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    record.write_text(json.dumps({"address": address, "ports": asdict(ports)}))
    return _at(folder, address, ports)


def _at(folder: Path, address: str, ports: Ports) -> ControlPlane:
    names = (LOOPBACK, host_network.gateway(), SERVICE_OF_THE_API, "localhost", *_SERVICE_NAMES)
    return ControlPlane(folder=folder, address=address, names=names, ports=ports)


def _is_ours(address: str) -> bool:
    """Whether this machine has the address, so that a server can listen on it."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _free_port(address: str, usual: int) -> int:
    """The usual port, or any free one where another lab or cluster has it or is about to."""
    with socket.socket() as probe:
        # As the servers themselves do: a connection of a lab that has just ended is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, usual if _claim(address, usual) else 0))
        except OSError:
            probe.bind((address, 0))
        return probe.getsockname()[1]


def _claim(address: str, port: int) -> bool:
    """Claim the port; False where another lab chose it and its server may not listen yet.

    A claim is an abstract socket: of this network namespace, as the port is, and gone with the
    process whatever ends it.
    """
    name = f"\0longhorn-rancher-lab/{address}:{port}"
    if name in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(name)
    except OSError:
        claim.close()
        return False
    _claims[name] = claim
    return True
