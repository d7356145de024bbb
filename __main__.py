"""The stack: settings → providers → nodes → Longhorn → Rancher → guard → outputs."""

import gc

import pulumi

from components.preflight.findings import read_findings
from components.stack.ahead import import_ahead
from components.stack.call_stacks import without_call_stacks
from components.stack.debug_lines import without_debug_lines
from components.stack.guard import declare_stack_guard
from components.stack.nodes import (
    declare_control_plane_health,
    declare_k3s_default_class,
    declare_nodes,
    declare_scripts,
    declare_scripts_for_removal,
    declare_untaints,
)
from components.stack.outputs import stack_outputs
from components.stack.parts import LonghornParts, RancherParts
from components.stack.providers import stack_providers
from components.stack.readme import readme
from components.stack.registrations import wait_for_registrations_first
from configuration.settings import load

# Next to nothing that is imported and declared is garbage. With hundreds of nodes, looking for it
# as often as Python does takes a third of the program's time.
gc.set_threshold(50_000, 20, 20)
gc.freeze()
settings = load()
without_debug_lines()
wait_for_registrations_first()
import_ahead(settings)

# Not within pulumi.run: there the SDK ends the program at the first resource that fails, and
# `--continue-on-error` leaves the nodes undone that have nothing to do with it.
findings = read_findings(settings)
with without_call_stacks():
    providers = stack_providers(settings)
    scripts = declare_scripts(settings, findings.nodes)
    nodes = declare_nodes(settings, findings.nodes, scripts)
    health = declare_control_plane_health(settings, nodes, findings.nodes, scripts)
    control_plane = [*health, *declare_k3s_default_class(settings, findings.nodes, scripts)]
    declare_scripts_for_removal(settings, nodes, control_plane)
    untaints = declare_untaints(settings)
    longhorn, rancher = LonghornParts(), RancherParts()
    if providers.kubernetes or providers.docker:
        # Half of what there is to import, and nothing of it where hosts are all there is.
        from components.stack.longhorn import declare_longhorn
        from components.stack.rancher import declare_rancher

        longhorn = declare_longhorn(
            settings, providers.kubernetes, nodes, untaints, findings.longhorn
        )
        rancher = declare_rancher(
            settings,
            providers.docker,
            providers.kubernetes,
            [part for part in (longhorn.release, longhorn.frontend, longhorn.check) if part],
        )
    declare_stack_guard(settings, longhorn, rancher, control_plane)
    outputs = stack_outputs(nodes, longhorn, rancher)
    for name, value in {**outputs, "readme": readme(settings, outputs)}.items():
        pulumi.export(name, value)
