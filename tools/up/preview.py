"""What `up` would do, a row for each part, equal nodes once. Pure."""

import re
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tools.plan.nodes import ranges
from tools.up.news import steps_of_work
from tools.up.parts import Part, Parts, rank
from tools.up.steps import Step

Rows = Sequence[tuple[str, Sequence[str]]]


def preview_screen(stack: str, steps: Sequence[Step], parts: Parts) -> RenderableType:
    """The answer to "what would `up` do?".

    Args:
        stack: The stack's name.
        steps: Those of the preview.
        parts: Who belongs to what.
    """
    words = [str(step.word) for step in steps_of_work(steps)]
    counts = [f"{words.count(word)} to {word}" for word in dict.fromkeys(words)]
    what = ", ".join(counts) or "nothing to do"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for title, lines in preview_rows(steps, parts):
        table.add_row(title, "\n".join(lines))
    head = Text.assemble("Stack ", (stack, "bold"), f": {what}.")
    return Group(head, table, "") if counts else head


def preview_rows(steps: Sequence[Step], parts: Parts) -> Rows:
    """Title and lines of each part that changes, nodes first."""
    changes: dict[Part, list[Step]] = {}
    for step in steps_of_work(steps):
        part = parts.part_of(step)
        if part is not None and not parts.is_noted(step):
            changes.setdefault(part, []).append(step)
    in_order = sorted(changes, key=rank)
    lines = {part: tuple(_lines(changes[part], part, parts)) for part in in_order}
    return [*_nodes(lines), *((part.title, each) for part, each in lines.items() if not part.node)]


def _nodes(lines: dict[Part, tuple[str, ...]]) -> Iterator[tuple[str, Sequence[str]]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for part, of_node in lines.items():
        if part.node:
            groups.setdefault(of_node, []).append(part.node)
    for of_nodes, names in groups.items():
        if len(names) == 1:
            yield f"Node {names[0]}", of_nodes
        else:
            first, *rest = of_nodes
            yield f"{len(names)} nodes", [f"{ranges(sorted(names, key=_counted))}: {first}", *rest]


def _lines(steps: Sequence[Step], part: Part, parts: Parts) -> Iterator[str]:
    made = {_made(step, parts) for step in steps if step.word == "create"}
    if made:
        yield f"create {ranges(sorted(made, key=_counted))}"
    for step in sorted(steps, key=lambda step: _counted(step.name)):
        if step.word != "create":
            why = step.found or ", ".join(step.changed)
            name = step.name.removeprefix(f"{part.node}-")
            yield f"{step.word} {name}{': ' if why else ''}{why}"


def _made(step: Step, parts: Parts) -> str:
    """What is made, in the name of a part of its part: of a node its packages and its disks."""
    top, *below = parts.line_of(step)
    if not (below and parts.is_open(step)):
        return top.name
    return below[0].name.removeprefix(f"{top.name}-")


def _counted(name: str) -> list[tuple[str, int]]:
    """Sorts node-9 before node-10."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]
