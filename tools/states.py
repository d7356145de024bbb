"""What a state holds of this program by name, so that it stays the same between versions.

    python -m tools.states

Adds to the record what is new. It refuses to change or drop an entry: states that exist hold the
old one (docs/adr/0010-what-a-state-promises.md).
"""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from components.common.dynamic import DynamicProvider
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import Declared, run_program
from tools.offline.stack_file import PROJECT, read_stack_config, stack_path
from tools.plan.plan import without_key_file

RECORD = PROJECT / "tests" / "unit" / "states.json"
STACKS = ("lab", "production", "three-nodes")

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
    return {"providers": references, **stacks}


def _names(stack: str) -> dict[str, Any]:
    config = without_key_file(read_stack_config(stack_path(stack)))
    recording = run_program(config, stack=stack, preview=False, mocks=AnsweringMocks())
    return {each.urn.partition("::")[2]: _hooks(each) for each in recording.resources}


def _hooks(resource: Declared) -> list[str]:
    hooks = resource.request.hooks
    return sorted({name for _, names in hooks.ListFields() for name in names})


def broken(recorded: Mapping[str, Mapping[str, Any]], now: Record) -> list[str]:
    """What the record promises and the program no longer keeps, one line each."""
    return [
        f"{part}: {name} was {value!r}, and is {now.get(part, {}).get(name, 'gone')!r}"
        for part, entries in recorded.items()
        for name, value in entries.items()
        if now.get(part, {}).get(name, "gone") != value
    ]


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
