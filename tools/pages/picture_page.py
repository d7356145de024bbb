"""The page of the picture: the nodes in a row, below them one column for each lane.

Pure. In its column a box stands below everything that comes before it, in whatever column that is.
"""

from collections.abc import Mapping, Sequence

from tools.pages.picture_boxes import GAP, Box, leads, measure, place, rows_of

_GAP_BELOW = 44.0
_GAP_BETWEEN = 40.0


def lay_out(page: Box, head: Sequence[Box], lanes: Sequence[Sequence[Box]]) -> None:
    """Set every place on the page.

    Args:
        page: Holds all boxes in `rows` and the order between them in `arrows`.
        head: The boxes of the first row.
        lanes: The boxes of each column.
    """
    columns = [rows_of(lane, _within(lane, page.arrows)) for lane in lanes if lane]
    for box in page.inside():
        measure(box)
    widths = [max(_width(row) for row in rows) for rows in columns]
    below = sum(widths) + _GAP_BETWEEN * (len(widths) - 1)
    page.width = max(_width(head), below)
    bottom = _place_row(head, page.width / 2, 0.0) + (_GAP_BELOW if head else 0)
    page.height = bottom
    before = {id(after): [b for b, a in page.arrows if a is after] for _, after in page.arrows}
    pending = [list(rows) for rows in columns]
    tops = [bottom] * len(columns)
    lefts = [
        (page.width - below) / 2 + sum(widths[:number]) + _GAP_BETWEEN * number
        for number in range(len(widths))
    ]
    placed = {id(box) for box in head}
    while any(pending):
        for number, rows in enumerate(pending):
            if rows and _ready(rows[0], before, placed):
                row = rows.pop(0)
                top = max([tops[number], *(_floor(box, before) for box in row)])
                end = _place_row(row, lefts[number] + widths[number] / 2, top)
                placed |= {id(box) for box in row}
                tops[number] = end + _GAP_BELOW
                page.height = max(page.height, end)
                break
        else:
            raise ValueError("the boxes of the page wait for each other in a circle")


def _within(lane: Sequence[Box], arrows: Sequence[tuple[Box, Box]]) -> list[tuple[Box, Box]]:
    """Which box of a lane comes before which other one, be it by way of another lane."""
    return [
        (before, after)
        for before in lane
        for after in lane
        if before is not after and leads(before, after, arrows)
    ]


def _ready(row: Sequence[Box], before: Mapping[int, Sequence[Box]], placed: set[int]) -> bool:
    return all(id(box) in placed for item in row for box in before.get(id(item), ()))


def _floor(box: Box, before: Mapping[int, Sequence[Box]]) -> float:
    return max((b.y + b.height + _GAP_BELOW for b in before.get(id(box), ())), default=0.0)


def _width(row: Sequence[Box]) -> float:
    return sum(box.width for box in row) + GAP * max(0, len(row) - 1)


def _place_row(row: Sequence[Box], middle: float, top: float) -> float:
    """Put the row around this middle; returns where its highest box ends."""
    left = middle - _width(row) / 2
    for box in row:
        place(box, left, top)
        left += box.width + GAP
    return max((box.y + box.height for box in row), default=top)
