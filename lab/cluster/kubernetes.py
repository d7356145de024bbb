"""The lab's Kubernetes: a real control plane, with kwok in place of kubelets.

Owns the processes, their data under STATE/kubernetes and the Node objects. Nothing runs containers:
kwok reports every pod as running, a Job's pods as succeeded. What Longhorn's managers would do in
theirs is done by lab.longhorn.manager, with the real program, or by lab.longhorn.manager_stand_in;
one of them is started along with the cluster.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from lab.cluster import control_plane_address, nodes
from lab.cluster.control_plane import ControlPlane
from lab.common import daemons, paths
from lab.common.progress import LabError, say
from lab.common.waiting import wait_until
from lab.hosts.record import read_records
from lab.longhorn.manager import choice
from lab.programs.toolchain import binary

_BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
_MANAGERS = {
    choice.REAL: "lab.longhorn.manager",
    choice.STAND_IN: "lab.longhorn.manager_stand_in",
}
_READY_SECONDS = 120.0

played: list[str] = []
"""Who has played longhorn-manager in the clusters that this program started, in words."""


@dataclass(frozen=True)
class ClusterHandle:
    """The running cluster.

    Args:
        kubeconfig: the administrator's kubeconfig, with every certificate inside.
        server: the API's URL. The lab's hosts reach it too if their network was there first.
    """

    kubeconfig: Path
    server: str


@dataclass(frozen=True)
class ClusterStatus:
    """What runs of the cluster: each process by name, and the nodes that are Ready.

    The last process is who plays longhorn-manager: the real one or the stand-in.
    """

    processes: dict[str, bool]
    ready_nodes: list[str]
    server: str | None


def up(node_names: Sequence[str], control_plane_names: Sequence[str] = ()) -> ClusterHandle:
    """Start the cluster, or complete what runs of it, and give it exactly these nodes.

    Args:
        node_names: the nodes' names; one that is the name of a lab host gets its address.
        control_plane_names: those of them that are marked and tainted as a control plane.

    Raises LabError when a process does not come up within two minutes; nothing is left running
    that `down` does not end.
    """
    strangers = set(control_plane_names) - set(node_names)
    if strangers:
        raise LabError(
            f"control plane node {', '.join(sorted(strangers))} is not among the lab's nodes "
            f"({', '.join(node_names)}): name it in both lists"
        )
    binaries = {name: binary(name) for name in _BINARIES}
    plane = control_plane_address.chosen(_folder())
    commands = plane.commands(binaries)
    for name in ("etcd", "kube-apiserver"):
        daemons.start(name, commands[name])
    wait_until(
        lambda: _answers(plane),
        doing=f"waiting for the Kubernetes API at {plane.server}",
        seconds=_READY_SECONDS,
        hint=f"See {daemons.log_file('kube-apiserver')}.",
    )
    for name in ("kube-controller-manager", "kube-scheduler", "kwok"):
        daemons.start(name, commands[name])
    manager = _manager() or _start_manager(
        choice.chosen(node_names, _addresses()), plane.kubeconfig
    )
    with new_client_from_config(str(plane.kubeconfig)) as client:
        core = CoreV1Api(client)
        nodes.put(core, nodes.plan(node_names, control_plane_names, _addresses()))
        wait_until(
            lambda: _settled(core, node_names, manager),
            doing=f"waiting for {len(node_names)} nodes to be Ready",
            seconds=_READY_SECONDS,
            hint=f"See {daemons.log_file('kwok')}.",
        )
    say(f"Kubernetes answers at {plane.server}; kubeconfig {plane.kubeconfig}")
    return ClusterHandle(plane.kubeconfig, plane.server)


def status() -> ClusterStatus:
    """What runs of the cluster right now; asks the API only if it answers."""
    names = (*_BINARIES, _manager() or choice.STAND_IN)
    running = {name: daemons.is_running(name) for name in names}
    if not running["kube-apiserver"]:
        return ClusterStatus(running, [], None)
    plane = control_plane_address.chosen(_folder())
    with new_client_from_config(str(plane.kubeconfig)) as client:
        try:
            return ClusterStatus(running, nodes.ready(CoreV1Api(client)), plane.server)
        except (ApiException, HTTPError):
            return ClusterStatus(running, [], plane.server)


def down() -> None:
    """End the cluster's processes and remove its data."""
    # Clients first, so that none of them logs that its server is gone.
    for name in (*_MANAGERS, *reversed(_BINARIES)):
        daemons.stop(name)
    shutil.rmtree(_folder(), ignore_errors=True)


def _folder() -> Path:
    return paths.STATE / "kubernetes"


def _start_manager(who: choice.Choice, kubeconfig: Path) -> str:
    say(f"Longhorn's manager in this lab: {who}")
    daemons.start(who.process, [sys.executable, "-m", _MANAGERS[who.process], kubeconfig])
    played.append(str(who))
    return who.process


def _manager() -> str | None:
    """Who plays longhorn-manager right now."""
    return next((name for name in _MANAGERS if daemons.is_running(name)), None)


def _addresses() -> dict[str, str]:
    """The addresses of the lab's hosts, by name."""
    return {record.name: record.address for record in read_records(paths.STATE / "hosts")}


def _answers(plane: ControlPlane) -> bool:
    for name in ("etcd", "kube-apiserver"):
        daemons.require_running(name)
    with new_client_from_config(str(plane.kubeconfig)) as client:
        try:
            client.call_api("/readyz", "GET", auth_settings=["BearerToken"], _request_timeout=5)
        except (ApiException, HTTPError):
            return False
    return True


def _settled(core: CoreV1Api, node_names: Sequence[str], manager: str) -> bool:
    """Nodes are Ready, and the account that every pod needs has been made."""
    for name in (*_BINARIES, manager):
        daemons.require_running(name)
    return set(nodes.ready(core)) >= set(node_names) and nodes.has_default_account(core)
