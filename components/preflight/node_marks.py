"""Labels and annotations that are gone from nodes, and taints that are back on them. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from components.longhorn.findings import line_of
from components.nodes.description import ANNOTATION, LABEL
from components.nodes.findings import NodeFindings
from components.preflight.cluster_facts import ClusterNode
from components.preflight.cluster_nodes import is_taken_off
from configuration.settings import Settings


def with_node_marks(
    findings: Mapping[str, NodeFindings],
    nodes: Mapping[str, ClusterNode],
    settings: Settings,
    with_disks: Collection[str],
) -> dict[str, NodeFindings]:
    """The findings with what is not on the nodes of Kubernetes as the stack puts it there.

    A node that joins again has no label, and Longhorn would give it no disk; a control-plane taint
    that is back keeps Longhorn's pods from coming back there. The label is looked at only where the
    disks are sure to be mounted before it is put back: Longhorn takes whatever a path leads to, and
    that would be the root disk on a host that was set up anew.

    Args:
        findings: What was found wrong on the hosts, by node name.
        nodes: The nodes of a cluster in which a Longhorn runs, this stack's or not, by name: before
            it does, nothing was put on them yet.
        settings: What the stack file says.
        with_disks: Names of the nodes on which each disk is mounted, or will be in this run.
    """
    found = dict(findings)
    for node in settings.present_nodes:
        there = nodes.get(node.name)
        if there is None or not settings.stages.labels:
            continue
        marks = line_of(_missing_marks(there)) if node.name in with_disks else None
        untaints = settings.control_plane.scheduling == "untaint" and node.control_plane
        taints = line_of(_taints(there)) if untaints else None
        if marks or taints:
            before = found.get(node.name, NodeFindings())
            found[node.name] = replace(before, marks=marks, taints=taints)
    return found


def _missing_marks(node: ClusterNode) -> Iterator[str]:
    if node.labels.get(LABEL) is None:
        yield f"without the label {LABEL}"
    if ANNOTATION not in node.annotations:
        yield f"without the annotation {ANNOTATION}"


def _taints(node: ClusterNode) -> Iterator[str]:
    for taint in node.taints:
        if is_taken_off(taint):
            yield f"the taint {taint['key']}:{taint['effect']} is back"
