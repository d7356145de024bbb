"""The stack: settings → preflight → everything that they say → outputs."""

import gc

import pulumi

from components.preflight.findings import read_findings
from components.stack.call_stacks import without_call_stacks
from components.stack.debug_lines import without_debug_lines
from components.stack.head_start import take_head_start
from components.stack.interruption import end_quietly
from components.stack.outputs import stack_outputs
from components.stack.readme import readme
from components.stack.registrations import wait_for_registrations_first
from components.stack.whole import declare_stack
from configuration.settings import load

# Next to nothing that is imported and declared is garbage. With hundreds of nodes, looking for it
# as often as Python does takes a third of the program's time.
gc.set_threshold(50_000, 20, 20)
gc.freeze()
end_quietly()
settings = load()
take_head_start(settings)
without_debug_lines()
wait_for_registrations_first()

# Not within pulumi.run: there the SDK ends the program at the first resource that fails, and
# `--continue-on-error` leaves the nodes undone that have nothing to do with it.
findings = read_findings(settings)
with without_call_stacks():
    parts = declare_stack(settings, findings)
    outputs = stack_outputs(parts.nodes, parts.longhorn, parts.rancher)
    for name, value in {**outputs, "readme": readme(settings, outputs)}.items():
        pulumi.export(name, value)
