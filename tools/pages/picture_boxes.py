"""Nested boxes with an order between neighbours: sizes and places. Pure, knows no resources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

TITLE_HEIGHT = 18.0
NOTE_HEIGHT = 14.0
PADDING = 10.0
GAP = 12.0
ROW_GAP = 26.0
_BOLD_WIDTH, _NOTE_WIDTH = 8.0, 6.4
_MAXIMUM_IN_ROW = 4


@dataclass
class Box:
    """A titled box; the places are set by `place`."""

    title: str
    note: str
    colour: str
    """Name of the colour, see picture_svg."""
    rows: Sequence[Sequence["Box"]] = ()
    """Boxes inside, each row below the one before."""
    arrows: Sequence[tuple["Box", "Box"]] = ()
    """Which box inside comes before which other one."""
    x: float = 0.0
    y: float = 0.0
    width: float = field(default=0.0, init=False)
    height: float = field(default=0.0, init=False)

    def inside(self) -> Iterable["Box"]:
        """The boxes directly inside, row by row."""
        return (box for row in self.rows for box in row)

    @property
    def middle(self) -> float:
        """Its horizontal middle."""
        return self.x + self.width / 2


def row_gap(arrows: Sequence[tuple[Box, Box]]) -> float:
    """Space between rows: enough for arrowheads where there are arrows."""
    return ROW_GAP if arrows else GAP


def measure(box: Box) -> None:
    """Set the sizes of the box and everything inside it."""
    for inner in box.inside():
        measure(inner)
    text = max(len(box.title) * _BOLD_WIDTH, len(box.note) * _NOTE_WIDTH)
    head = PADDING + (TITLE_HEIGHT if box.title else 0) + (NOTE_HEIGHT if box.note else 0)
    widths = [_row_width(row) for row in box.rows]
    heights = [max(inner.height for inner in row) for row in box.rows]
    gaps = row_gap(box.arrows) * max(0, len(heights) - 1)
    box.width = max([text, *widths]) + 2 * PADDING
    box.height = head + (sum(heights) + gaps + GAP / 2 if heights else 0) + PADDING


def place(box: Box, x: float, y: float) -> None:
    """Put the box here and everything inside it in rows, each row in the middle."""
    box.x, box.y = x, y
    top = y + PADDING + (TITLE_HEIGHT if box.title else 0) + (NOTE_HEIGHT if box.note else 0)
    top += GAP / 2
    for row in box.rows:
        _place_row(box, row, top)
        top += max(inner.height for inner in row) + row_gap(box.arrows)


def _place_row(box: Box, row: Sequence[Box], top: float) -> None:
    left = box.x + (box.width - _row_width(row)) / 2
    for inner in row:
        place(inner, left, top)
        left += inner.width + GAP


def _row_width(row: Sequence[Box]) -> float:
    return sum(inner.width for inner in row) + GAP * (len(row) - 1)


def rows_of(boxes: Sequence[Box], arrows: Sequence[tuple[Box, Box]]) -> list[list[Box]]:
    """The boxes in rows: each below everything that comes before it, long rows broken.

    A box that waits for nothing stands just above the first one that waits for it.
    """
    rows: dict[int, list[Box]] = {}
    for box in boxes:
        depth = _depth(box, arrows)
        if depth == 0:
            later = [_depth(after, arrows) for before, after in arrows if before is box]
            depth = min(later, default=1) - 1
        rows.setdefault(depth, []).append(box)
    broken: list[list[Box]] = []
    for _, row in sorted(rows.items()):
        count = -(-len(row) // _MAXIMUM_IN_ROW)
        size = -(-len(row) // count)
        broken.extend(row[start : start + size] for start in range(0, len(row), size))
    return broken


def _depth(box: Box, arrows: Sequence[tuple[Box, Box]]) -> int:
    return max((1 + _depth(before, arrows) for before, after in arrows if after is box), default=0)


def shortest(arrows: Sequence[tuple[Box, Box]]) -> list[tuple[Box, Box]]:
    """The arrows without those that a chain of others says already."""
    return [
        (before, after)
        for before, after in arrows
        if not any(
            start is before and middle is not after and leads(middle, after, arrows)
            for start, middle in arrows
        )
    ]


def leads(start: Box, end: Box, arrows: Sequence[tuple[Box, Box]]) -> bool:
    """Whether a chain of arrows leads from one box to another."""
    return any(
        before is start and (after is end or leads(after, end, arrows)) for before, after in arrows
    )
