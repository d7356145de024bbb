"""The nodes of a stack, declared from its settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.common.owner import this_stack
from components.hosts.host import remote_host
from components.longhorn.disks.leaving import leaves_longhorn
from components.nodes.control_plane_health import ControlPlaneHealth
from components.nodes.control_plane_taints import ControlPlaneUntaint
from components.nodes.findings import NodeFindings, scripts_line
from components.nodes.k3s_default_class import K3sDefaultClass
from components.nodes.node import LonghornNode
from components.nodes.placed_scripts import NodeScripts, NodeScriptsForRemoval, script_inputs
from components.stack.providers import ssh_secrets
from configuration.settings import Settings


def declare_scripts(
    settings: Settings,
    findings: Mapping[str, NodeFindings],
    parent: pulumi.Resource | None = None,
) -> NodeScripts | None:
    """The scripts on the hosts, before anything runs there; None where nothing does.

    Args:
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
        parent: What it is a part of; the stack itself if None.
    """
    if not settings.script_nodes:
        return None
    return NodeScripts(
        "node-scripts",
        _script_inputs(settings),
        found=scripts_line(findings),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def declare_scripts_for_removal(
    settings: Settings,
    nodes: Mapping[str, LonghornNode],
    control_plane: Sequence[pulumi.Resource],
    parent: pulumi.Resource | None = None,
) -> None:
    """What makes sure of the scripts before anything is undone on the hosts.

    Args:
        nodes: What is undone on each node, by its name.
        control_plane: What is undone on the control plane.
        parent: What it is a part of; the stack itself if None.
    """
    if not settings.script_nodes:
        return
    undone = [disk for node in nodes.values() for disk in node.disks.values()]
    NodeScriptsForRemoval(
        "node-scripts-for-removal",
        _script_inputs(settings),
        pulumi.ResourceOptions(parent=parent, depends_on=[*undone, *control_plane]),
    )


def _script_inputs(settings: Settings) -> dict[str, Any]:
    return script_inputs(
        settings.script_nodes,
        [node.name for node in settings.nodes if node.lost],
        settings.ssh,
        ssh_secrets(settings),
    )


def declare_nodes(
    settings: Settings,
    findings: Mapping[str, NodeFindings],
    scripts: NodeScripts | None,
    parent: pulumi.Resource | None = None,
) -> dict[str, LonghornNode]:
    """One LonghornNode per node of the stack, by name; they run beside each other.

    Args:
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
        scripts: What puts the scripts on the hosts.
        parent: What they are a part of; the stack itself if None.
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
            host=remote_host(node, settings.ssh, secrets, scripts),
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
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return nodes


def declare_control_plane_health(
    settings: Settings,
    nodes: Mapping[str, LonghornNode],
    findings: Mapping[str, NodeFindings],
    scripts: NodeScripts | None,
    parent: pulumi.Resource | None = None,
) -> list[ControlPlaneHealth]:
    """Open health ports on the control-plane nodes, if the stack says so.

    One node after the other: each lets its scheduler and controller manager start again, and a
    control plane must keep one of both; a node that fails keeps the next from being touched.

    Args:
        nodes: What else the stack declares on the nodes, by name; their packages come first.
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
        scripts: What puts the scripts on the hosts.
        parent: What they are a part of; the stack itself if None.
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
                host=remote_host(node, settings.ssh, secrets, scripts),
                found=findings.get(node.name, NodeFindings()).control_plane,
                opts=pulumi.ResourceOptions(
                    parent=parent,
                    depends_on=[*([] if packages is None else [packages]), *done[-1:]],
                ),
            )
        )
    return done


def declare_k3s_default_class(
    settings: Settings,
    findings: Mapping[str, NodeFindings],
    scripts: NodeScripts | None,
    parent: pulumi.Resource | None = None,
) -> list[K3sDefaultClass]:
    """On control-plane nodes: K3s leaves it to Longhorn to be the default class.

    Args:
        findings: What was found wrong on the hosts, by node name; nothing for one not read.
        scripts: What puts the scripts on the hosts.
        parent: What they are a part of; the stack itself if None.
    """
    secrets = ssh_secrets(settings)
    return [
        K3sDefaultClass(
            f"{node.name}-k3s-default-class",
            host=remote_host(node, settings.ssh, secrets, scripts),
            found=findings.get(node.name, NodeFindings()).default_class,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for node in settings.nodes
        if settings.keeps_default_class_on(node)
    ]


def declare_untaints(
    settings: Settings,
    findings: Mapping[str, NodeFindings],
    parent: pulumi.Resource | None = None,
) -> list[ControlPlaneUntaint]:
    """Control-plane nodes opened for workloads, if the stack says so.

    Args:
        settings: The stack's settings.
        findings: What was found wrong, by node name.
        parent: What they are a part of; the stack itself if None.
    """
    if not settings.stages.labels or settings.control_plane.scheduling != "untaint":
        return []
    return [
        ControlPlaneUntaint(
            f"{node.name}-untaint",
            cluster=settings.cluster,
            node_name=node.name,
            found=findings.get(node.name, NodeFindings()).taints,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for node in settings.present_nodes
        if node.control_plane
    ]
