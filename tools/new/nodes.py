"""The nodes of a cluster, as a new stack file lists them. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True)
class ClusterNode:
    """One node."""

    name: str
    host: str
    """Its address within the cluster's network, else its name."""
    control_plane: bool = False
    tainted: bool = False
    """Whether ordinary pods are kept off it."""


def cluster_nodes(core: Any) -> Sequence[ClusterNode]:
    """The nodes in the order of their names, numbers within them by their value.

    Args:
        core: The cluster's core API (see components/cluster/api.py).
    """
    found = [_node(each) for each in core.list_node(_request_timeout=30).items]
    return sorted(found, key=lambda node: _by_numbers(node.name))


def _node(found: Any) -> ClusterNode:
    addresses = {each.type: each.address for each in reversed(found.status.addresses or [])}
    labels = found.metadata.labels or {}
    return ClusterNode(
        name=found.metadata.name,
        host=addresses.get("InternalIP") or addresses.get("Hostname") or found.metadata.name,
        control_plane=any(label in labels for label in _CONTROL_PLANE),
        tainted=any(taint.key in _CONTROL_PLANE for taint in found.spec.taints or []),
    )


def _by_numbers(name: str) -> list[tuple[int, str]]:
    words = "".join(f" {c} " if not c.isdigit() else c for c in name).split()
    return [(int(word), "") if word.isdigit() else (-1, word) for word in words]
