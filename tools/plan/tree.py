"""A plan as the tree of every resource with its inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from tools.offline.shown import SECRET

_MARKS = {"protected": "protected", "keptOnDestroy": "kept on destroy"}


def plan_tree(plan: Mapping[str, Any]) -> Tree:
    """Every resource with its inputs, then outputs and counts by type."""
    resources: Sequence[Mapping[str, Any]] = plan["resources"]
    components = sum(1 for resource in resources if resource["component"])
    tree = Tree(
        f"Stack {plan['stack']} would create {len(resources) - components} resources "
        f"in {components} components:"
    )
    branches: dict[str | None, Tree] = {None: tree}
    for resource in resources:
        marks = "".join(f" [{text}]" for key, text in _MARKS.items() if resource[key])
        name = Text.assemble((resource["name"], "bold"), f"  {resource['type']}{marks}")
        label = Group(name, *_lines(resource["inputs"]))
        branches[resource["urn"]] = branches[resource["parent"]].add(label)
    for title in ("outputs", "counts"):
        tree.add(Group(Text(f"{title}:", "bold"), *_lines(plan[title])))
    return tree


def _lines(values: Mapping[str, Any]) -> list[Text]:
    shown = {
        key: _connection(value) if key == "connection" else value for key, value in values.items()
    }
    text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=10**6)
    return [Text(f"  {line}", "dim") for line in text.splitlines()] if shown else []


def _connection(value: Any) -> Any:
    """An SSH connection in one line; it stands in every command of a host."""
    if not isinstance(value, Mapping):
        return value
    credentials = [key for key, item in value.items() if item == SECRET]
    parts = [
        f"{value.get('user')}@{value.get('host')}:{value.get('port')}",
        f"host key {value.get('hostKey', 'not checked')}",
        *(f"{key} {SECRET}" for key in credentials),
        *([f"through {_connection(value['proxy'])}"] if value.get("proxy") else []),
    ]
    return ", ".join(parts)
