"""What `pulumi up` would create for a stack, told without Pulumi, cluster or credentials.

    python -m tools.plan STACK [--all | --json]

It runs the real program under the SDK's mocks, so it knows what the stack file says and nothing
of what is there already: `pulumi preview` knows that. Encrypted values stay encrypted.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

import yaml
from rich.console import Console, RenderableType

from configuration.problems import SettingsError
from configuration.secrets import Secret
from tools.offline.graph import Graph
from tools.offline.recording import Declared, Recording, run_program
from tools.offline.shown import Scripts, shown_inputs, shown_value
from tools.offline.stack_file import (
    KEY_PLACEHOLDER,
    NAMESPACE,
    SECRET_PLACEHOLDER,
    StackConfig,
    StackFileError,
    read_stack_config,
    stack_path,
)
from tools.plan.screen import plan_screen
from tools.plan.tree import plan_tree

# Columns where no terminal says how many there are.
_WIDTH, _WHOLE_LINES = 100, 10_000
_KEY_SECRET = f"{NAMESPACE}:{Secret.SSH_PRIVATE_KEY}"
_PASSWORD = f"{NAMESPACE}:{Secret.SSH_PASSWORD}"
# What Pulumi itself never deletes, and the removal of Longhorn does (LonghornUninstall).
_DELETED_BY_ANOTHER = "kubernetes:core/v1:Namespace"


def plan(config: StackConfig, stack: str) -> dict[str, Any]:
    """Everything that the stack would create, as plain JSON values in a stable order.

    Raises SettingsError when the stack file has mistakes.
    """
    return _described(_recorded(config, stack), stack)


def _recorded(config: StackConfig, stack: str) -> Recording:
    return run_program(without_credentials(config), stack=stack, preview=True)


def without_credentials(config: StackConfig) -> StackConfig:
    """The same configuration with placeholders for whatever is still to open the hosts.

    A person may look at a plan before setting the stack's secrets; only `pulumi` refuses then.
    """
    config = without_key_file(config)
    if not lacks_password(config):
        return config
    return dataclasses.replace(
        config,
        values={**config.values, _PASSWORD: SECRET_PLACEHOLDER},
        secret_keys=config.secret_keys | {_PASSWORD},
    )


def lacks_password(config: StackConfig) -> bool:
    """Whether nothing opens the hosts but a password that the stack does not have yet."""
    ssh = yaml.safe_load(config.values.get(f"{NAMESPACE}:ssh", "null")) or {}
    return (
        isinstance(ssh, dict)
        and not ssh.get("privateKeyFile")
        and not ssh.get("useAgent")
        and not config.values.keys() & {_KEY_SECRET, _PASSWORD}
    )


def without_key_file(config: StackConfig) -> StackConfig:
    """The same configuration with a placeholder in the place of the SSH key's file.

    The file lies on the machine of whoever runs `up`, and a key given as secret wins over it.
    """
    ssh = yaml.safe_load(config.values.get(f"{NAMESPACE}:ssh", "null"))
    if not isinstance(ssh, dict) or not ssh.get("privateKeyFile"):
        return config
    return dataclasses.replace(
        config,
        values={**config.values, _KEY_SECRET: KEY_PLACEHOLDER},
        secret_keys=config.secret_keys | {_KEY_SECRET},
    )


def _described(recording: Recording, stack: str) -> dict[str, Any]:
    graph, scripts = Graph(recording), Scripts()
    resources = [resource for root in graph.roots() for resource in root.walk()]
    counts: dict[str, int] = {}
    for resource in resources:
        counts[resource.type] = counts.get(resource.type, 0) + 1
    return {
        "stack": stack,
        "resources": [_resource(resource, scripts) for resource in resources],
        "outputs": {
            name: shown_value(value, scripts) for name, value in sorted(recording.outputs.items())
        },
        "counts": dict(sorted(counts.items())),
    }


def _resource(resource: Declared, scripts: Scripts) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent or None,
        "component": not resource.custom,
        "protected": bool(resource.request.protect),
        "keptOnDestroy": bool(resource.request.retainOnDelete)
        and resource.type != _DELETED_BY_ANOTHER,
        "dependsOn": sorted(resource.dependencies),
        "inputs": shown_inputs(resource, scripts),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan on one screen, or all of it; 1 when the stack file has mistakes."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.plan", description="Tell what a stack would create."
    )
    parser.add_argument("stack", help="name of the stack, as in stacks/Pulumi.NAME.yaml")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--all", action="store_true", help="print every resource with its inputs")
    form.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(arguments)
    try:
        config = read_stack_config(stack_path(options.stack))
        recording = _recorded(config, options.stack)
    except (SettingsError, StackFileError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(_described(recording, options.stack), indent=2))
    elif options.all:
        _show(plan_tree(_described(recording, options.stack)), _WHOLE_LINES)
    else:
        _show(plan_screen(recording, options.stack, lacks_password(config)), _WIDTH)
    return 0


def _show(answer: RenderableType, width: int) -> None:
    """Print with colours and its own width on a terminal, plain text of this width elsewhere."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    with console.capture() as capture:
        console.print(answer)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))
