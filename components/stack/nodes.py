"""The nodes of a stack, declared from its settings."""

from collections.abc import Mapping

import pulumi

from components.common.owner import this_stack
from components.hosts.host import remote_host
from components.longhorn.disks.leaving import leaves_longhorn
from components.nodes.control_plane_health import ControlPlaneHealth
from components.nodes.control_plane_taints import ControlPlaneUntaint
from components.nodes.findings import NodeFindings
from components.nodes.node import LonghornNode
from components.stack.providers import ssh_secrets
from settings import Settings


def declare_nodes(
    settings: Settings,
    findings: Mapping[str, NodeFindings],
) -> dict[str, LonghornNode]:
    """One LonghornNode per node of the stack, by name; they run beside each other.

    Args:
        settings: The stack's settings.
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
    """
    stages = settings.stages
    if not (stages.packages or stages.disks or stages.labels):
        return {}
    secrets = ssh_secrets(settings)
    nodes: dict[str, LonghornNode] = {}
    for node in settings.nodes:
        found = findings.get(node.name, NodeFindings())
        nodes[node.name] = LonghornNode(
            node.name,
            host=remote_host(node, settings.ssh, secrets),
            disks=settings.disks_of(node),
            stages=settings.stages_of(node),
            cluster=settings.cluster,
            findings=found,
            before_move={
                path: leaves_longhorn(
                    f"{node.name}{former}-leaves-longhorn",
                    settings.cluster,
                    settings.longhorn,
                    node_name=node.name,
                    path=former,
                    owner=this_stack(),
                )
                for path, former in found.moved.items()
            },
        )
    return nodes


def declare_control_plane_health(
    settings: Settings,
    nodes: Mapping[str, LonghornNode],
    findings: Mapping[str, NodeFindings],
) -> list[ControlPlaneHealth]:
    """Open health ports on the control-plane nodes, if the stack says so.

    One node after the other: each lets its scheduler and controller manager start again, and a
    control plane must keep one of both; a node that fails keeps the next from being touched.

    Args:
        settings: The stack's settings.
        nodes: What else the stack declares on the nodes, by name; their packages come first.
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
    """
    if not settings.stages.control_plane_health:
        return []
    secrets = ssh_secrets(settings)
    done: list[ControlPlaneHealth] = []
    for node in settings.nodes:
        if not node.control_plane:
            continue
        packages = nodes[node.name].packages if node.name in nodes else None
        done.append(
            ControlPlaneHealth(
                f"{node.name}-control-plane-health",
                host=remote_host(node, settings.ssh, secrets),
                found=findings.get(node.name, NodeFindings()).control_plane,
                opts=pulumi.ResourceOptions(
                    depends_on=[*([] if packages is None else [packages]), *done[-1:]]
                ),
            )
        )
    return done


def declare_untaints(settings: Settings) -> list[ControlPlaneUntaint]:
    """Control-plane nodes opened for workloads, if the stack says so."""
    if not settings.stages.labels or settings.control_plane.scheduling != "untaint":
        return []
    return [
        ControlPlaneUntaint(f"{node.name}-untaint", cluster=settings.cluster, node_name=node.name)
        for node in settings.present_nodes
        if node.control_plane
    ]
