"""Placed boxes and the arrows between them as an SVG file."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tools.pages.picture_boxes import NOTE_HEIGHT, PADDING, TITLE_HEIGHT, Box

_FONT = "font-family='Helvetica, Arial, sans-serif'"
# Fill and border by name of the colour.
_COLOURS: Mapping[str, tuple[str, str]] = {
    "component": ("#f6f7f9", "#9aa3ad"),
    "host": ("#fff1dc", "#c77d0a"),
    "cluster": ("#e3eefb", "#2f6fb3"),
    "docker": ("#dff4ef", "#17806a"),
    "program": ("#efe7f8", "#7a4fa8"),
}
_LEGEND = (
    ("component", "component"),
    ("host", "script on a node, over SSH"),
    ("cluster", "object in the cluster"),
    ("docker", "on the Docker engine"),
    ("program", "step of the program's own"),
)
_LEGEND_HEIGHT = 40.0
_LEGEND_LETTER = 6.6
_MARGIN = 16.0
_ARROW = "#5b6570"


def svg(page: Box, description: str) -> str:
    """The page with everything inside it, and a legend below."""
    width, height = page.width + 2 * _MARGIN, page.height + 2 * _MARGIN + _LEGEND_HEIGHT
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
        f"viewBox='0 0 {width:.0f} {height:.0f}' role='img'>",
        f"<title>{escape(description)}</title>",
        "<defs><marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        f"markerHeight='7' orient='auto'><path d='M0,0 L8,4 L0,8 z' fill='{_ARROW}'/>"
        "</marker></defs>",
        f"<rect width='{width:.0f}' height='{height:.0f}' fill='#ffffff'/>",
        f"<g transform='translate({_MARGIN:.0f},{_MARGIN:.0f})'>",
        *_arrows(page.arrows),
        *(line for box in page.inside() for line in _box(box)),
        *_legend(page.height + _MARGIN),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(box: Box) -> Iterator[str]:
    fill, border = _COLOURS[box.colour]
    yield (
        f"<rect x='{box.x:.1f}' y='{box.y:.1f}' width='{box.width:.1f}' height='{box.height:.1f}' "
        f"rx='6' fill='{fill}' stroke='{border}'/>"
    )
    baseline = box.y + PADDING + TITLE_HEIGHT - 6
    if box.title:
        yield _text(box.middle, baseline, box.title, size=13, weight="bold", colour="#1c2128")
    if box.note:
        yield _text(box.middle, baseline + NOTE_HEIGHT, box.note, size=11, colour="#4a535d")
    yield from _arrows(box.arrows)
    for inner in box.inside():
        yield from _box(inner)


def _arrows(arrows: Sequence[tuple[Box, Box]]) -> Iterator[str]:
    for before, after in arrows:
        start, end = before.y + before.height, after.y - 1
        bend = min(40.0, (end - start) / 2)
        yield (
            f"<path d='M{before.middle:.1f},{start:.1f} "
            f"C{before.middle:.1f},{start + bend:.1f} {after.middle:.1f},{end - bend:.1f} "
            f"{after.middle:.1f},{end:.1f}' fill='none' stroke='{_ARROW}' stroke-width='1.3' "
            "marker-end='url(#head)'/>"
        )


def _text(x: float, y: float, text: str, *, size: int, colour: str, weight: str = "normal") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='middle' {_FONT} font-size='{size}' "
        f"font-weight='{weight}' fill='{colour}'>{escape(text)}</text>"
    )


def _legend(y: float) -> Iterator[str]:
    x = 8.0
    for colour, meaning in _LEGEND:
        fill, border = _COLOURS[colour]
        yield (
            f"<rect x='{x:.1f}' y='{y:.1f}' width='22' height='14' rx='3' fill='{fill}' "
            f"stroke='{border}'/>"
        )
        yield (
            f"<text x='{x + 30:.1f}' y='{y + 11:.1f}' {_FONT} font-size='12' "
            f"fill='#1c2128'>{escape(meaning)}</text>"
        )
        x += 30 + len(meaning) * _LEGEND_LETTER + 22
