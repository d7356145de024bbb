"""All that the settings say, declared in its order: for the stack itself, or below a component."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.nodes.node import LonghornNode
from components.preflight.findings import Findings
from components.stack.guard import declare_stack_guard
from components.stack.nodes import (
    declare_control_plane_health,
    declare_k3s_default_class,
    declare_nodes,
    declare_scripts,
    declare_scripts_for_removal,
    declare_untaints,
)
from components.stack.parts import LonghornParts, RancherParts
from components.stack.providers import stack_providers
from configuration.settings import Settings


@dataclass(frozen=True, kw_only=True)
class StackParts:
    """Everything that was declared."""

    nodes: Mapping[str, LonghornNode] = field(default_factory=dict[str, LonghornNode])
    """By the name of the node."""
    longhorn: LonghornParts = field(default_factory=LonghornParts)
    rancher: RancherParts = field(default_factory=RancherParts)


def declare_stack(
    settings: Settings,
    findings: Findings,
    parent: pulumi.Resource | None = None,
    rancher_ca: pulumi.Input[str] | None = None,
) -> StackParts:
    """Providers → nodes → Longhorn → Rancher → guard.

    Args:
        settings: What is wanted.
        findings: What is not so right now.
        parent: What all of it is a part of; the stack itself if None. A Rancher server is always
            the stack's own.
        rancher_ca: The CA of a Rancher that is there already, where no file of the settings has it.
    """
    providers = stack_providers(settings, parent)
    scripts = declare_scripts(settings, findings.nodes, parent)
    nodes = declare_nodes(settings, findings.nodes, scripts, parent)
    health = declare_control_plane_health(settings, nodes, findings.nodes, scripts, parent)
    default_class = declare_k3s_default_class(settings, findings.nodes, scripts, parent)
    control_plane = [*health, *default_class]
    declare_scripts_for_removal(settings, nodes, control_plane, parent)
    untaints = declare_untaints(settings, findings.nodes, parent)
    longhorn, rancher = LonghornParts(), RancherParts()
    if providers.kubernetes or providers.docker:
        # Half of what there is to import, and nothing of it where hosts are all there is.
        from components.stack.longhorn import declare_longhorn
        from components.stack.rancher import declare_rancher

        longhorn = declare_longhorn(
            settings, providers.kubernetes, nodes, untaints, findings.longhorn, parent
        )
        rancher = declare_rancher(
            settings,
            providers.docker,
            providers.kubernetes,
            [part for part in (longhorn.release, longhorn.frontend, longhorn.check) if part],
            findings,
            parent,
            rancher_ca,
        )
    declare_stack_guard(settings, longhorn, rancher, control_plane, parent)
    return StackParts(nodes=nodes, longhorn=longhorn, rancher=rancher)
