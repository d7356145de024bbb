"""A node of Kubernetes that is closed to pods, and opened again only by who closed it.

Whose a cordon is tells the field manager of `spec.unschedulable`, which Kubernetes keeps with the
node: whoever cordons a node that is open becomes it, and an uncordon takes it away.
"""

from collections.abc import Collection
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed, mapped
from components.common.owner import field_manager
from components.common.progress import tell

CORDON = "cordon"
"""The value of `maintenance` that closes the node for pods, too."""


def cordon(cluster: ClusterApi, name: str, owner: str) -> None:
    """Close the node to pods, unless it is closed.

    Args:
        name: The node's name in Kubernetes.
        owner: What marks this stack's things (components/common/owner.py).
    """
    if not cluster.core.read_node(name).spec.unschedulable:
        _write(cluster, name, owner, is_closed=True)


def uncordon(
    cluster: ClusterApi, name: str, owners: Collection[str], *, is_end: bool = False
) -> None:
    """Open the node to pods where one of these closed it; a node that is gone needs nothing.

    Args:
        name: The node's name in Kubernetes.
        owners: What marks this stack's things, now and before.
        is_end: Whether a maintenance that cordons ends, so that a person hears of a node that stays
            closed.
    """
    node: Any = unless_missing(cluster.core.read_node, name)
    if node is None or not node.spec.unschedulable:
        return
    closed_by = [owner for owner in owners if field_manager(owner) in _closers(node)]
    if closed_by:
        _write(cluster, name, closed_by[0], is_closed=False)
    elif is_end:
        tell(f"{name}: stays cordoned, since somebody else did that. Then: kubectl uncordon {name}")


def holds_cordon(fields: Any) -> bool:
    """Whether a cordon is among the fields that Kubernetes keeps for one field manager. Pure."""
    return "f:unschedulable" in mapped(mapped(fields).get("f:spec"))


def _closers(node: Any) -> set[str]:
    return {
        str(entry.manager)
        for entry in listed(node.metadata.managed_fields)
        if holds_cordon(entry.fields_v1)
    }


def _write(cluster: ClusterApi, name: str, owner: str, *, is_closed: bool) -> None:
    change = {"spec": {"unschedulable": is_closed or None}}
    cluster.core.patch_node(name, change, field_manager=field_manager(owner))
