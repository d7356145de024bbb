"""Whether a host of the stack is the machine that Kubernetes has under the node's name. Pure.

A wrong address in the stack file would have another machine's blank disk formatted.
"""

from collections.abc import Iterator, Mapping, Sequence

from components.preflight.cluster_facts import ClusterNode
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult


def check_hosts(
    nodes: Sequence[NodeToCheck], known: Mapping[str, ClusterNode]
) -> Iterator[CheckResult]:
    """Hosts whose kernel says that they are another machine than the node's kubelet runs on.

    Args:
        nodes: Those that were read.
        known: The cluster's nodes, by name. One whose kubelet does not tell is not compared.
    """
    by_boot = {found.boot_id: name for name, found in known.items() if found.boot_id}
    for node in nodes:
        own, boot = known.get(node.name), node.facts.boot_id
        if own is None or not own.boot_id or not boot or boot == own.boot_id:
            continue
        other = by_boot.get(boot)
        # A kubelet that has not reported since the last start still has the former number.
        if other is None and _is_named(node):
            continue
        yield CheckResult(
            node=node.name,
            check="wrongHost",
            severity="error",
            found=f"the host that answers there calls itself {node.facts.hostname} and is "
            + (f"the node {other}" if other else "not the machine of this node")
            + " for Kubernetes",
            remedy="Correct its address (nodes[].host) or its name: kubectl get nodes -o wide.",
        )


def _is_named(node: NodeToCheck) -> bool:
    """Whether the host has the node's own name, with its domain or without."""
    hostname, name = node.facts.hostname.lower(), node.name
    return hostname.partition(".")[0] == name.partition(".")[0]
