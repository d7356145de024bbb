"""The stack: settings → providers → nodes → Longhorn → Rancher → guard → outputs."""

import asyncio

import pulumi

from components.preflight.findings import read_findings
from components.stack.call_stacks import without_call_stacks
from components.stack.debug_lines import without_debug_lines
from components.stack.guard import declare_stack_guard
from components.stack.longhorn import declare_longhorn
from components.stack.nodes import (
    declare_control_plane_health,
    declare_nodes,
    declare_scripts,
    declare_scripts_for_removal,
    declare_untaints,
)
from components.stack.outputs import stack_outputs
from components.stack.providers import stack_providers
from components.stack.rancher import declare_rancher
from settings import load

settings = load()
without_debug_lines()


async def declare() -> None:
    """Declare everything; the providers' plugins start while hosts and cluster are read."""
    with without_call_stacks():
        providers = stack_providers(settings)
    findings = await asyncio.to_thread(read_findings, settings)
    with without_call_stacks():
        scripts = declare_scripts(settings, findings.nodes)
        nodes = declare_nodes(settings, findings.nodes, scripts)
        health = declare_control_plane_health(settings, nodes, findings.nodes, scripts)
        declare_scripts_for_removal(settings, nodes, health)
        untaints = declare_untaints(settings)
        longhorn = declare_longhorn(
            settings, providers.kubernetes, nodes, untaints, findings.longhorn
        )
        rancher = declare_rancher(
            settings,
            providers.docker,
            providers.kubernetes,
            [part for part in (longhorn.release, longhorn.frontend, longhorn.check) if part],
        )
        declare_stack_guard(settings, longhorn, rancher, health)
        for name, value in stack_outputs(nodes, longhorn, rancher).items():
            pulumi.export(name, value)


pulumi.run(declare)
