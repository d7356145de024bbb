"""Labels and annotations of a Node that exists, each with its owner.

The owner is the field manager of server-side apply: what two of them have set with the same value
belongs to both, and stays until the last of them lets it go; what somebody else has changed since
is no longer the owner's. So nothing is taken away that another stack, or a person, has taken over.

A Node is never made. Server-side apply makes an object that is not there, unless the request names
the uid of the one that it means: the API server then answers 409 instead.
"""

from collections.abc import Mapping
from typing import Any

from components.cluster.api import ApiError, ClusterApi, unless_missing
from components.common.answers import listed, mapped
from components.common.owner import field_manager
from components.nodes.names import missing_node

Marks = Mapping[str, Mapping[str, str]]
"""`labels` and `annotations`, each by key."""


def put_marks(cluster: ClusterApi, node_name: str, owner: str, marks: Marks) -> None:
    """Set these labels and annotations, whoever has set them otherwise.

    What the owner had set before and is not among them goes.

    Raises RuntimeError with the near miss when Kubernetes has no node of that name.
    """
    node = _read(cluster, node_name)
    if node is None:
        known = [str(each.metadata.name) for each in listed(cluster.core.list_node().items)]
        found, remedy = missing_node(node_name, known)
        raise RuntimeError(f"{found}. Nothing was made. {remedy}.")
    _apply(cluster, node, owner, marks)


def drop_marks(cluster: ClusterApi, node_name: str, owner: str) -> None:
    """Take off what is the owner's alone; a node that is gone needs nothing."""
    node = _read(cluster, node_name)
    if node is None:
        return
    try:
        _apply(cluster, node, owner, {})
    except ApiError as error:
        # The node has gone, or come again as another one, since it was read.
        if error.status not in (404, 409):
            raise


def read_marks(cluster: ClusterApi, node_name: str, marks: Marks) -> dict[str, Any] | None:
    """What these labels and annotations are now; None if the node is gone.

    Args:
        node_name: The node's name in Kubernetes.
        marks: Whose keys are looked up.
    """
    node = _read(cluster, node_name)
    if node is None:
        return None
    return {
        kind: {
            key: present[key]
            for present in [mapped(getattr(node.metadata, kind))]
            for key in keys
            if key in present
        }
        for kind, keys in marks.items()
    }


def _apply(cluster: ClusterApi, node: Any, owner: str, marks: Marks) -> None:
    metadata = {
        "name": node.metadata.name,
        "uid": node.metadata.uid,
        **{kind: dict(values) for kind, values in marks.items() if values},
    }
    cluster.apply_node(
        node.metadata.name,
        {"apiVersion": "v1", "kind": "Node", "metadata": metadata},
        field_manager(owner),
    )


def _read(cluster: ClusterApi, name: str) -> Any:
    return unless_missing(cluster.core.read_node, name)
