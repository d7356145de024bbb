"""Running the real program under the SDK's mocks and recording what it declares.

Nothing is reached: no Pulumi, no cluster, no host. `make plan`, the picture in the README, the
benchmark and the unit tests all stand on this.
"""

import asyncio
import contextvars
import runpy
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.stack import Stack

from tools.offline.stack_file import NAMESPACE, PROJECT, StackConfig, without_reading


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource that the program declared."""

    urn: str
    type: str
    name: str
    parent: str
    """URN of the parent, empty for the stack's own children."""
    custom: bool
    inputs: Mapping[str, Any]
    """By Pulumi's names; a secret as SecretValue, an unknown value as UNKNOWN."""
    dependencies: frozenset[str]
    """URNs of what it waits for."""
    request: Any
    """The raw registration, with every resource option."""


@dataclass(frozen=True)
class SecretValue:
    """A value that Pulumi's engine would encrypt."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


class _Unknown:
    def __repr__(self) -> str:
        return "(known after up)"


UNKNOWN = _Unknown()


@dataclass
class Recording:
    """Everything that one run of the program declared, in order."""

    resources: list[Declared] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """The stack's outputs by name, in the form of Declared.inputs."""
    settings: Any = None
    """The settings that the program read."""

    def of_type(self, type_: str) -> list[Declared]:
        """Resources of this exact type."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, name: str) -> Declared:
        """The one resource of this name. Raises KeyError."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(f"no resource {name}; there are {[r.name for r in self.resources]}")


class DefaultMocks(Mocks):
    """Every resource has its inputs as outputs, and an id made of its name."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {}, []


class RecordingMonitor(MockMonitor):
    """A monitor that keeps every registration with its options."""

    def __init__(self, mocks: Mocks, recording: Recording, stack: str, project: str) -> None:
        super().__init__(mocks)
        self._project = project
        self._recording = recording
        self._stack = stack

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as Pulumi's engine makes it: with the types of all parents but the stack's."""
        chain = [] if _is_stack(parent) else [parent.split("::")[2]]
        types = "$".join([*chain, type_])
        return f"urn:pulumi:{self._stack}::{self._project}::{types}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  the protocol's name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self._recording.resources.append(
                Declared(
                    urn=response.urn,
                    type=request.type,
                    name=request.name,
                    parent="" if _is_stack(request.parent) else request.parent,
                    custom=bool(request.custom),
                    inputs={key: _plain(value) for key, value in inputs.items()},
                    dependencies=frozenset(request.dependencies),
                    request=request,
                )
            )
        return response


class _UncalledHooks:
    """Takes the place of the server through which Pulumi's engine calls resource hooks."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Accept any hook; under mocks nothing ever calls it."""


def _is_stack(urn: str) -> bool:
    return not urn or urn.split("::")[2] == "pulumi:pulumi:Stack"


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return SecretValue(_plain(rpc.unwrap_rpc_secret(value)))
    if isinstance(value, pulumi.output.Unknown) or value == rpc.UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the protocol has floating-point numbers only
    return value


def run_program(
    config: StackConfig,
    *,
    stack: str,
    preview: bool,
    mocks: Mocks | None = None,
    program: Path = PROJECT / "__main__.py",
    project: str = NAMESPACE,
) -> Recording:
    """Run the project's __main__.py, or another program that imports it, under mocks.

    Args:
        config: The stack's configuration.
        stack: Name of the stack.
        preview: Whether outputs of resources are unknown, as in a preview of a new stack.
        mocks: What resources answer; by default their own inputs.
        program: The program's file.
        project: Name of its project. Another one's configuration is taken as it is: it is to switch
            the look at hosts and cluster off itself.

    Raises whatever the program raises, SettingsError above all.
    """
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    recording = Recording()
    monitor = RecordingMonitor(mocks or DefaultMocks(), recording, stack, project)
    offline = without_reading(config) if project == NAMESPACE else config
    # The SDK keeps the stack, its configuration and its root resource in context variables, and
    # takes the thread's event loop: a context and a thread of its own keep this run apart from
    # its caller and from every other run.
    context = contextvars.copy_context()
    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(
            context.run, _run, offline, stack, preview, monitor, recording, program, project
        ).result()
    return recording


def _run(
    config: StackConfig,
    stack: str,
    preview: bool,
    monitor: RecordingMonitor,
    recording: Recording,
    path: Path,
    project: str,
) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.settings.ROOT.set(None)
        pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
        pulumi.runtime.set_mocks(
            monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor
        )
        # The SDK serves hooks to Pulumi's monitor alone, and without a server it refuses them.
        pulumi.runtime.settings.SETTINGS.callbacks = _UncalledHooks()  # type: ignore[assignment]

        @pulumi.runtime.test
        def program() -> None:
            recording.settings = runpy.run_path(str(path)).get("settings")

        program()
        root = pulumi.runtime.get_root_resource()
        if isinstance(root, Stack):
            recording.outputs.update(
                {
                    name: loop.run_until_complete(_resolved(value))
                    for name, value in root.outputs.items()
                }
            )
    finally:
        loop.close()


async def _resolved(value: Any) -> Any:
    output = pulumi.Output.from_input(value)
    found = await output.future(with_unknowns=True)
    plain = _plain(found) if await output.is_known() else UNKNOWN
    return SecretValue(plain) if await output.is_secret() else plain
