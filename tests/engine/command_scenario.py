"""A command on a host, for the contract of the command plugin: the program and its steps."""

from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from tests.engine.engine import Engine, Outcome, Stack
from tests.engine.ssh_host import SshHost

COMMAND = "command:remote:Command"
SECRET = "an-unmistakable-secret"  # noqa: S105


def program(commands: dict[str, dict[str, Any]]) -> None:
    """One remote command per entry, in order.

    An entry has the resource's inputs, and besides: `secret`, the names of inputs to mark secret;
    `stdin_from`, an earlier command whose stdout becomes the stdin; `options`, resource options.
    """
    made: dict[str, remote.Command] = {}
    for name, entry in commands.items():
        inputs = dict(entry)
        connection = dict(inputs.pop("connection"))
        if "proxy" in connection:
            connection["proxy"] = remote.ProxyConnectionArgs(**connection["proxy"])
        for key in inputs.pop("secret", []):
            inputs[key] = pulumi.Output.secret(inputs[key])
        if "stdin_from" in inputs:
            inputs["stdin"] = made[inputs.pop("stdin_from")].stdout
        options = pulumi.ResourceOptions(**inputs.pop("options", {}))
        made[name] = remote.Command(
            name, connection=remote.ConnectionArgs(**connection), opts=options, **inputs
        )
        pulumi.export(f"{name}-stdout", made[name].stdout)
        pulumi.export(f"{name}-stderr", made[name].stderr)


def waits_for(gate: Path) -> str:
    """A command that says that it waits, and ends when the file appears or after a minute."""
    return (
        "echo waiting; n=0; "
        f"while [ ! -e {gate} ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done; echo done"
    )


class Scenario:
    """One command named `it` on one host; each step states the inputs that change."""

    def __init__(self, engine: Engine, host: SshHost, **inputs: Any) -> None:
        self.inputs: dict[str, Any] = {
            "connection": host.connection(),
            "create": "echo created",
            "add_previous_output_in_env": False,
            **inputs,
        }
        self.stack: Stack = engine.stack("test", program=program, arguments=self._arguments())

    def up(self, **changed: Any) -> Outcome:
        return self.run("up", **changed)

    def preview(self, **changed: Any) -> Outcome:
        return self.run("preview", **changed)

    def run(self, operation: str, *, diff: bool = False, **changed: Any) -> Outcome:
        """Change inputs for good (None removes one) and run an operation."""
        merged = {**self.inputs, **changed}
        self.inputs = {name: value for name, value in merged.items() if value is not None}
        self.stack.arguments = self._arguments()
        return self.stack.start(operation, *(["--diff"] if diff else [])).wait()

    def destroy(self) -> Outcome:
        return self.stack.destroy()

    def state(self) -> dict[str, Any]:
        """The resource in the state, secrets encrypted."""
        (resource,) = self.stack.resources(COMMAND)
        return resource

    def _arguments(self) -> dict[str, Any]:
        return {"commands": {"it": self.inputs}}


def shows_unknown(outcome: Outcome, output: str) -> bool:
    """Whether the display says of a stack output that it will only be known after `up`."""
    return any(output in line and "[unknown]" in line for line in outcome.lines)
