"""Stack configurations for unit tests, and what the program makes of them."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from configuration import settings
from configuration.problems import Problem, SettingsError
from tools.offline.answers import AnsweringMocks
from tools.offline.graph import Graph
from tools.offline.recording import Declared, Recording, run_program
from tools.offline.stack_file import NAMESPACE, StackConfig, stack_config

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKH1xBfUOyxY2D4SgIFyiGgmCXfX7W8AYgjd1oWcQ1yM"
JUMP_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPv2Nqh4mX2sWn3eBqk6hX4y7oV2K8cJm4gT1rXzYw3L"
COMMAND = "command:remote:Command"
RELEASE = "kubernetes:helm.sh/v3:Release"
_VALID: Mapping[str, Any] = {
    "cluster": {"name": "test", "kubeconfig": "~/.kube/config"},
    "ssh": {"useAgent": True},
    "nodeDefaults": {
        "disks": [
            {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"},
            {"device": "/dev/sdc", "mountPoint": "/mnt/longhorn-sdc"},
        ]
    },
    "nodes": [
        {"name": "node-1", "host": "192.0.2.11", "hostKey": HOST_KEY},
        {"name": "node-2", "host": "192.0.2.12", "hostKey": HOST_KEY},
    ],
    "rancher": {"url": "https://rancher.example.com"},
}


def valid(**changes: Any) -> dict[str, Any]:
    """A stack file's settings without mistakes; a change of None removes the key."""
    config = {**copy.deepcopy(dict(_VALID)), **changes}
    return {key: value for key, value in config.items() if value is not None}


def nodes(*changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One valid node per argument, changed by it."""
    return [
        {
            "name": f"node-{number}",
            "host": f"192.0.2.{10 + number}",
            "hostKey": HOST_KEY,
            **change,
        }
        for number, change in enumerate(changes, 1)
    ]


def with_secrets(config: Mapping[str, Any], **secrets: str) -> StackConfig:
    """The configuration with these secret keys set, encrypted."""
    plain = stack_config(config)
    keys = {f"{NAMESPACE}:{name}": value for name, value in secrets.items()}
    return StackConfig({**plain.values, **keys}, plain.secret_keys | set(keys))


def load(
    config: Mapping[str, Any] | StackConfig, stack_file: Path | None = None
) -> settings.Settings:
    """What settings.load makes of it. Raises SettingsError."""
    given = config if isinstance(config, StackConfig) else stack_config(config)
    pulumi.runtime.set_all_config(dict(given.values), sorted(given.secret_keys))
    return settings.load(stack_file)


def mistakes(config: Mapping[str, Any] | StackConfig) -> list[Problem]:
    """The mistakes that the program finds in it, none if it loads."""
    try:
        load(config)
    except SettingsError as error:
        return list(error.problems)
    return []


def mistake(config: Mapping[str, Any] | StackConfig) -> Problem:
    """The one mistake in it; fails when there is none or more than one."""
    found = mistakes(config)
    assert len(found) == 1, "\n".join(map(str, found)) or "no mistake was found"
    return found[0]


def run(config: Mapping[str, Any] | StackConfig, *, preview: bool = False) -> Recording:
    """What the whole program declares; after a successful `up` unless preview is true.

    Equal configurations share one run: treat what it returns as read-only.
    """
    given = config if isinstance(config, StackConfig) else stack_config(config)
    return _run(tuple(sorted(given.values.items())), given.secret_keys, preview)


@cache
def _run(
    values: tuple[tuple[str, str], ...], secret_keys: frozenset[str], preview: bool
) -> Recording:
    mocks = None if preview else AnsweringMocks()
    config = StackConfig(dict(values), secret_keys)
    return run_program(config, stack="test", preview=preview, mocks=mocks)


def waits_for(recording: Recording, later: str, earlier: str) -> bool:
    """Whether the resource named first starts only after the one named second is done."""
    graph = Graph(recording)
    waiting = all_before(graph, recording.named(later))
    wanted = [recording.named(earlier)]
    if not wanted[0].custom:
        wanted = [r for r in recording.resources if r.custom and wanted[0] in graph.above(r)]
    return bool(wanted) and all(resource.urn in waiting for resource in wanted)


def all_before(graph: Graph, resource: Declared) -> frozenset[str]:
    """URNs of all that must be done before this resource starts, directly or through others.

    A child starts after its parent, so it waits for what its parents wait for.
    """
    found: set[str] = set()
    pending = [resource]
    while pending:
        for declared in graph.above(pending.pop()):
            new = declared.dependencies - found
            found |= new
            pending.extend(graph.by_urn[urn] for urn in new if urn in graph.by_urn)
    return frozenset(found)


def parent_of(recording: Recording, resource: Declared) -> str:
    """Name of the parent, empty for the stack's own children."""
    return next((r.name for r in recording.resources if r.urn == resource.parent), "")
