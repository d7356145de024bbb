"""The storage of a stack on a terminal, or as a page for a browser. Pure."""

import io
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from components.longhorn.volumes import size_text
from tools.status.status import Problem, Status, Volume

_HEADS = {
    "well": ("all is well", "green"),
    "warning": ("something is to be looked at", "yellow"),
    "critical": ("data can't be reached", "bold red"),
}
_STYLES = {"critical": "bold red", "warning": "yellow"}
_PAGE_COLUMNS = 140


def status_screen(status: Status) -> RenderableType:
    """What is wrong first, then capacity, disks and volumes."""
    words, style = _HEADS[status.severity]
    head = Text.assemble(
        "Stack ", (status.stack, "bold"), f", Longhorn {status.version}: ", (words, style)
    )
    parts: list[RenderableType] = [head, ""]
    if status.problems:
        parts += [_problems(status.problems), ""]
    parts += [*_capacity(status), "", _disks(status)]
    if status.volumes:
        parts += ["", _volumes(status.volumes)]
    return Group(*parts)


def status_page(status: Status) -> str:
    """The same as one HTML file that needs nothing else."""
    # No terminal: colours are asked for, since there is one who can show them.
    console = Console(
        record=True,
        width=_PAGE_COLUMNS,
        color_system="truecolor",
        markup=False,
        emoji=False,
        file=io.StringIO(),
    )
    console.print(status_screen(status))
    return console.export_html(inline_styles=True)


def _problems(problems: Sequence[Problem]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for each in problems:
        severity = Text(each.severity, _STYLES[each.severity])
        table.add_row(severity, each.where, f"{each.found}. {each.remedy}")
    return table


def _capacity(status: Status) -> Iterator[str]:
    limit = sum(disk.limit for disk in status.disks)
    promised = sum(disk.promised for disk in status.disks)
    copies = f"{status.replicas} replica{'s' if status.replicas > 1 else ''}"
    yield (
        f"{size_text(promised)} of {size_text(limit)} are promised to replicas. The largest new "
        f"volume with {copies}: {size_text(status.largest_volume)}."
    )
    for loss in status.losses:
        if loss.lost:
            yield f"The loss of {loss.node} would lose {', '.join(loss.lost)}."
        if loss.unplaced:
            yield f"After the loss of {loss.node} no room for {', '.join(loss.unplaced)}."
    if status.volumes and not status.losses:
        yield "After the loss of any one node every volume finds room for all its replicas."


def _disks(status: Status) -> Table:
    table = _table("Node", "Disk", "Longhorn", ">Size", ">Free", ">Promised", ">Room")
    for disk in status.disks:
        word, style = ("open", "green") if disk.is_open else ("closed", "yellow")
        if not disk.is_ready:
            word, style = "not Ready", "red"
        sizes = (disk.size, disk.free, disk.promised, disk.room)
        table.add_row(disk.node, disk.path, Text(word, style), *map(size_text, sizes))
    return table


def _volumes(volumes: Sequence[Volume]) -> Table:
    table = _table("Volume", "Claim", ">Size", "State", "Robustness", ">Replicas")
    styles = {"healthy": "green", "degraded": "yellow", "faulted": "bold red"}
    for each in volumes:
        table.add_row(
            each.name,
            each.claim,
            size_text(each.size),
            each.state,
            Text(each.robustness, styles.get(each.robustness, "")),
            f"{each.replicas} of {each.wanted_replicas}",
        )
    return table


def _table(*columns: str) -> Table:
    """Columns whose title begins with > are numbers, at the right."""
    table = Table(box=None, header_style="bold cyan", padding=(0, 2, 0, 0))
    for column in columns:
        title = column.removeprefix(">")
        table.add_column(title, justify="right" if column != title else "left", overflow="fold")
    return table
