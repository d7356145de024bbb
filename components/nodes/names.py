"""Node names of the stack file beside those that Kubernetes has. Pure."""

from collections.abc import Collection
from difflib import get_close_matches

from components.common.names import some_names

_SHOWN = 10


def near_miss(name: str, known: Collection[str]) -> str | None:
    """The name in Kubernetes that was most likely meant; None if none comes close.

    A name with and without its domain are near, such as node2 and node2.example.com.

    Args:
        name: A name that Kubernetes does not have.
        known: The names that it has.
    """
    for each in sorted(known):
        if each.lower() == name.lower() or each.partition(".")[0] == name.partition(".")[0]:
            return each
    matches = get_close_matches(name, sorted(known), n=1)
    return matches[0] if matches else None


def missing_node(name: str, known: Collection[str]) -> tuple[str, str]:
    """What to say of a node that Kubernetes does not have: what was found, and what to do.

    Args:
        name: nodes[].name.
        known: The names that Kubernetes has.
    """
    close = near_miss(name, known)
    meant = f"; {close} comes closest" if close else ""
    its_nodes = some_names(sorted(known), _SHOWN) or "none"
    found = f"Kubernetes has no node {name}{meant}. Its nodes: {its_nodes}"
    remedy = (
        f"Write `name: {close}` in the stack file, if that is the node"
        if close
        else "Give nodes[].name as `kubectl get nodes` shows it, or join the node to the cluster"
    )
    return found, remedy
