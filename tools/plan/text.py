"""A plan as a tree for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.offline.shown import SECRET

_MARKS = {"protected": "protected", "keptOnDestroy": "kept on destroy"}


def plan_text(plan: Mapping[str, Any]) -> str:
    """The plan as text: summary, tree with inputs, outputs, counts by type."""
    resources: Sequence[Mapping[str, Any]] = plan["resources"]
    components = sum(1 for resource in resources if resource["component"])
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for resource in resources:
        children.setdefault(resource["parent"], []).append(resource)
    lines = [
        f"Stack {plan['stack']} would create {len(resources) - components} resources "
        f"in {components} components:",
        *_branches(children, None, ""),
        "",
        "Outputs:",
        *_map_lines(plan["outputs"], "  "),
        "",
        "Counts:",
        *(f"  {count:>5}  {kind}" for kind, count in plan["counts"].items()),
    ]
    return "\n".join(lines)


def _branches(
    children: Mapping[str | None, Sequence[Mapping[str, Any]]], parent: str | None, indent: str
) -> Iterator[str]:
    siblings = children.get(parent, ())
    for child in siblings:
        is_last = child is siblings[-1]
        below = indent + ("   " if is_last else "│  ")
        corner = "└─" if is_last else "├─"
        marks = "".join(f" [{text}]" for key, text in _MARKS.items() if child[key])
        yield f"{indent}{corner} {child['name']}  {child['type']}{marks}"
        inside = "│    " if child["urn"] in children else "     "
        yield from _map_lines(child["inputs"], below + inside)
        yield from _branches(children, child["urn"], below)


def _map_lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        shown = _connection(value) if key == "connection" else value
        yield from _lines(f"{key}:", shown, indent)


def _lines(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield f"{indent}{head}"
        yield from _map_lines(value, indent + "  ")
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        yield f"{indent}{head}"
        for item in value:
            yield from _item_lines(item, indent + "  ")
    else:
        first, *more = _scalar(value).splitlines() or [""]
        yield f"{indent}{head} {first}".rstrip()
        yield from (f"{indent}  {line}" for line in more)


def _item_lines(item: Any, indent: str) -> Iterator[str]:
    if not isinstance(item, Mapping) or not item:
        yield from _lines("-", item, indent)
        return
    for number, line in enumerate(_map_lines(item, indent + "  ")):
        yield line if number else f"{indent}- {line[len(indent) + 2 :]}"


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


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    return "{}" if value == {} else str(value)
