"""What a state holds of this program by name, so that it stays the same between versions.

    python -m tools.states

Adds to the record what is new. It refuses to change or drop an entry: states that exist hold the
old one (docs/adr/0010-what-a-state-promises.md).
"""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pulumi.dynamic.dynamic import serialize_provider

from components.common.dynamic import DynamicProvider
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import Declared, Recording, run_program
from tools.offline.stack_file import (
    KEY_PLACEHOLDER,
    PROJECT,
    read_stack_config,
    stack_config,
    stack_path,
)
from tools.plan.plan import without_key_file

RECORD = PROJECT / "tests" / "unit" / "states.json"
STACKS = ("lab", "production", "three-nodes")
# What another program has of this one (examples/), with the least that it can be given.
_UNREAD = {"readHosts": False, "readCluster": False, "accept": ["loginShell"]}
_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKH1xBfUOyxY2D4SgIFyiGgmCXfX7W8AYgjd1oWcQ1yM"
PROGRAMS: Mapping[str, Mapping[str, Any]] = {
    "disks-and-longhorn": {
        "shop:kubeconfig": "~/.kube/config",
        "shop:nodes": [{"name": "node-1", "host": "192.0.2.11", "hostKey": _HOST_KEY}],
        "shop:sshPrivateKey": KEY_PLACEHOLDER,
        "shop:checks": _UNREAD,
    },
    "import-into-rancher": {
        "fleet:kubeconfig": "~/.kube/config",
        "fleet:rancherUrl": "https://rancher.example.com",
        "fleet:rancherToken": "token-abcde:secret",
        "fleet:checks": _UNREAD,
    },
}

Record = dict[str, dict[str, Any]]


def providers() -> dict[str, type[DynamicProvider]]:
    """Every dynamic provider of the program by the name of its class."""
    folder = PROJECT / "components"
    for path in sorted(folder.rglob("*.py")):
        importlib.import_module(".".join(path.relative_to(PROJECT).with_suffix("").parts))
    heirs = _heirs(DynamicProvider)
    return {each.__name__: each for each in heirs if each.__module__.startswith("components.")}


def _heirs(of: type[DynamicProvider]) -> Iterator[type[DynamicProvider]]:
    for each in of.__subclasses__():
        yield each
        yield from _heirs(each)


def current() -> Record:
    """What a state would hold now: references of providers, and names by stack."""
    references = {name: serialize_provider(each()) for name, each in providers().items()}
    stacks = {stack: _names(stack) for stack in STACKS}
    programs = {f"examples/{name}": _names_of_program(name) for name in PROGRAMS}
    return {"providers": references, **stacks, **programs}


def _names(stack: str) -> dict[str, Any]:
    config = without_key_file(read_stack_config(stack_path(stack)))
    recording = run_program(config, stack=stack, preview=False, mocks=AnsweringMocks())
    return _named(recording)


def _names_of_program(name: str) -> dict[str, Any]:
    project = next(iter(PROGRAMS[name])).partition(":")[0]
    recording = run_program(
        stack_config(PROGRAMS[name]),
        stack="states",
        preview=False,
        mocks=AnsweringMocks(),
        program=PROJECT / "examples" / name / "__main__.py",
        project=project,
    )
    return _named(recording)


def _named(recording: Recording) -> dict[str, Any]:
    return {each.urn.partition("::")[2]: _hooks(each) for each in recording.resources}


def _hooks(resource: Declared) -> list[str]:
    hooks = resource.request.hooks
    return sorted({name for _, names in hooks.ListFields() for name in names})


def broken(recorded: Mapping[str, Mapping[str, Any]], now: Record) -> list[str]:
    """What the record promises and the program no longer keeps, one line each.

    A resource may get hooks that it did not have: only those that a state names must be there.
    """
    return [
        f"{part}: {name} was {value!r}, and is {now.get(part, {}).get(name, 'gone')!r}"
        for part, entries in recorded.items()
        for name, value in entries.items()
        if not _keeps(now.get(part, {}).get(name, "gone"), value)
    ]


def _keeps(found: Any, recorded: Any) -> bool:
    if isinstance(found, list) and isinstance(recorded, list):
        return set(cast("list[str]", recorded)) <= set(cast("list[str]", found))
    return found == recorded


def main() -> int:
    """Add what is new; 1 with the list of what was broken."""
    recorded: Record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    now = current()
    problems = broken(recorded, now)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    RECORD.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
