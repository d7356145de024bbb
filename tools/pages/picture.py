"""docs/picture.svg: what the program builds, drawn from its own resource graph.

    python -m tools.pages.picture [--check]

The stack three-nodes is run under the SDK's mocks; boxes are its components and resources, an
arrow leads to what starts later.
"""

import sys
from collections.abc import Sequence

from tools.offline.graph import Branch, Graph
from tools.offline.recording import Declared, Recording, run_program
from tools.offline.shown import Scripts
from tools.offline.stack_file import PROJECT, read_stack_config, stack_path
from tools.pages.generated import write_or_check
from tools.pages.picture_boxes import Box, rows_of, shortest
from tools.pages.picture_page import lay_out
from tools.pages.picture_svg import svg
from tools.plan.plan import without_key_file

PATH = PROJECT / "docs" / "picture.svg"
STACK = "three-nodes"
_DESCRIPTION = (
    f"What the program builds for the stack {STACK}: every box is a component or a "
    "resource, every arrow leads to what starts later"
)
_COLOURS = {
    "command": "host",
    "kubernetes": "cluster",
    "docker": "docker",
    "pulumi-python": "program",
    "longhornrancher": "component",
}
_PROVIDERS = "pulumi:providers:"
_SCRIPTS = "pulumi-python:dynamic/node:Scripts"


def picture(recording: Recording) -> str:
    """The recording as SVG."""
    roots = [root for root in Graph(recording).roots() if _is_drawn(root.resource)]
    boxes = [_box(root, "") for root in roots]
    arrows = _order(roots, boxes)
    page = Box(title="", note="", colour="page", rows=[boxes], arrows=shortest(arrows))
    lanes: dict[str, list[Box]] = {"node": [], "longhorn": [], "rancher": []}
    for root, box in zip(roots, boxes, strict=True):
        lanes.get(_module(root.resource), lanes["longhorn"]).append(box)
    lay_out(page, lanes.pop("node"), list(lanes.values()))
    return svg(page, _DESCRIPTION)


def _is_drawn(resource: Declared) -> bool:
    """Whether it says what is built: not what only carries it out."""
    return not resource.type.startswith((_PROVIDERS, _SCRIPTS))


def _module(resource: Declared) -> str:
    """node, longhorn or rancher: the middle of the type."""
    return resource.type.split(":")[1].removeprefix("dynamic/")


def _order(branches: Sequence[Branch], boxes: Sequence[Box]) -> list[tuple[Box, Box]]:
    """Which of these neighbours waits for which."""
    urns = [{resource.urn for resource in branch.walk()} for branch in branches]
    waits = [
        {urn for resource in branch.walk() for urn in resource.dependencies} for branch in branches
    ]
    return [
        (boxes[before], boxes[after])
        for after in range(len(boxes))
        for before in range(len(boxes))
        if before != after and urns[before] & waits[after]
    ]


def _box(branch: Branch, prefix: str) -> Box:
    """The box of a resource; a component with one resource becomes one box with it."""
    title = branch.resource.name.removeprefix(prefix)
    if len(branch.children) == 1 and not branch.children[0].children:
        resource = branch.children[0].resource
        return Box(title=title, note=_note(resource), colour=_colour(resource))
    inner = [_box(child, f"{branch.resource.name}-") for child in branch.children]
    arrows = _order(branch.children, inner)
    return Box(
        title=title,
        note=_note(branch.resource),
        colour=_colour(branch.resource),
        rows=rows_of(inner, arrows),
        arrows=shortest(arrows),
    )


def _colour(resource: Declared) -> str:
    return _COLOURS[resource.type.split(":")[0]]


def _note(resource: Declared) -> str:
    """The script of a remote command, the kind of any other resource."""
    script = Scripts().reference(resource.inputs.get("stdin"))
    return script.partition(" ")[0] if script else resource.type.rpartition(":")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture, or with --check tell whether it is current."""
    config = without_key_file(read_stack_config(stack_path(STACK)))
    recording = run_program(config, stack=STACK, preview=True)
    return write_or_check(PATH, picture(recording), arguments)


if __name__ == "__main__":
    sys.exit(main())
