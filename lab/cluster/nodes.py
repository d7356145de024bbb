"""The lab's Node objects: what a real cluster's kubelets would have registered.

Owns the objects and the part of their status that does not change. kwok makes them Ready and keeps
their leases (lab/cluster/kwok/node.yaml).
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from lab.common.paths import lab_name, subnet
from lab.programs.go_build import GO_PROJECTS, pinned_version

# Both keys are in use: `master` was replaced by `control-plane` in Kubernetes 1.24 and 1.25.
CONTROL_PLANE_KEYS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_NOT_READY = "node.kubernetes.io/not-ready"
_FIRST_HOST = 11
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_RESOURCES = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}


@dataclass(frozen=True)
class LabNode:
    """One node to be: its name, its host's address, and whether it is a tainted control plane."""

    name: str
    address: str
    control_plane: bool = False


def plan(
    names: Sequence[str], control_plane_names: Sequence[str], addresses: Mapping[str, str]
) -> list[LabNode]:
    """The nodes by name, with the addresses of the hosts of those names.

    A node without a host gets an address by its place in the list, beginning with .11.
    """
    return [
        LabNode(
            name,
            addresses.get(name, f"{subnet()}.{_FIRST_HOST + place}"),
            name in control_plane_names,
        )
        for place, name in enumerate(names)
    ]


def manifest(node: LabNode) -> dict[str, Any]:
    """The Node object, without the status."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    roles = CONTROL_PLANE_KEYS if node.control_plane else ()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": architecture,
                **dict.fromkeys(roles, ""),
            },
        },
        "spec": {
            "providerID": _provider_id(node.name),
            "taints": [{"key": role, "effect": "NoSchedule"} for role in roles],
        },
    }


def fixed_status(node: LabNode) -> dict[str, Any]:
    """The part of the status that a kubelet reads from its machine."""
    go_mod = (GO_PROJECTS / "kubernetes" / "go.mod").read_text()
    version = f"v{pinned_version(go_mod, 'k8s.io/kubernetes')}"
    return {
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "Hostname", "address": node.name},
            ],
            "capacity": _RESOURCES,
            "allocatable": _RESOURCES,
            "nodeInfo": {
                "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
                "operatingSystem": "linux",
                "osImage": "a host of the lab",
                "kernelVersion": platform.release(),
                "kubeletVersion": version,
                "kubeProxyVersion": "",
                "containerRuntimeVersion": "kwok://lab",
                "machineID": node.name,
                "systemUUID": node.name,
                "bootID": node.name,
            },
        }
    }


def put(core: CoreV1Api, wanted: Sequence[LabNode]) -> None:
    """Create the nodes that are missing and remove those of an earlier, larger lab.

    A node that exists keeps its labels, annotations and taints: they are what is being tested.
    """
    names = {node.name for node in wanted}
    for existing in _all(core):
        name = existing.metadata.name
        if existing.spec.provider_id == _provider_id(name) and name not in names:
            core.delete_node(name)
    for node in wanted:
        try:
            core.create_node(manifest(node))
        except ApiException as error:
            if error.status != 409:
                raise
        core.patch_node_status(node.name, fixed_status(node))


def ready(core: CoreV1Api) -> list[str]:
    """The names of the nodes that are Ready and that pods may use, sorted.

    The node controller takes its not-ready taint off some time after a node has become Ready.
    """
    return sorted(
        node.metadata.name
        for node in _all(core)
        if any(
            condition.type == "Ready" and condition.status == "True"
            for condition in node.status.conditions or []
        )
        and not any(taint.key == _NOT_READY for taint in node.spec.taints or [])
    )


def has_default_account(core: CoreV1Api) -> bool:
    """Whether the ServiceAccount controller has begun its work: pods need the account."""
    accounts: list[Any] = core.list_namespaced_service_account("default").items
    return any(account.metadata.name == "default" for account in accounts)


def _all(core: CoreV1Api) -> list[Any]:
    # Typed as optional throughout by the client, which what a server answers is not.
    return core.list_node().items


def _provider_id(name: str) -> str:
    return f"{lab_name()}://{name}"
