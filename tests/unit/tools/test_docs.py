"""The generated parts of docs/ are current, whole and well formed."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from configuration.problems import model_within
from configuration.secrets import Secret
from configuration.stack_file import SECTIONS
from tools.offline.graph import Graph
from tools.offline.recording import run_program
from tools.offline.stack_file import read_stack_config, stack_path
from tools.pages import arguments, generated, picture, reference
from tools.pages.field_types import default_words, type_words
from tools.pages.meanings import meanings
from tools.pages.picture_boxes import Box, measure, place, rows_of, shortest

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    "main",
    [reference.main, picture.main, arguments.main],
    ids=["reference", "picture", "arguments"],
)
def test_the_file_is_current(main: Callable[[Sequence[str]], int]) -> None:
    assert main(["--check"]) == 0, "run `make docs`"


def test_a_file_that_is_not_current_is_told_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.md"
    path.write_text("old")
    assert generated.write_or_check(path, "new", ["--check"]) == 1
    assert "run `make docs`" in capsys.readouterr().err
    assert path.read_text() == "old"


def test_a_file_that_is_missing_is_not_current(tmp_path: Path) -> None:
    assert generated.write_or_check(tmp_path / "absent.md", "new", ["--check"]) == 1


def test_writing_makes_the_file_current(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "page.md"
    assert generated.write_or_check(path, "new", []) == 0
    assert generated.write_or_check(path, "new", ["--check"]) == 0


@pytest.fixture(scope="module")
def page() -> str:
    return reference.reference()


@pytest.mark.parametrize("key", [*Secret, *SECTIONS])
def test_every_key_of_a_stack_file_has_its_place(page: str, key: str) -> None:
    wanted = f"| `{key}` | " if key in set(Secret) else f"\n## {key}\n"
    assert page.count(wanted) == 1


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    nested = [model_within(field.annotation) for field in model.model_fields.values()]
    return [model, *(inner for found in nested if found for inner in _models(found))]


@pytest.mark.parametrize(
    "model", dict(reference.sections_of_file()).values(), ids=lambda m: m.__name__
)
def test_every_field_has_a_meaning_a_type_and_a_default(model: type[BaseModel]) -> None:
    for inner in _models(model):
        assert inner.__doc__, inner
        said = meanings(inner)
        for name, field in inner.model_fields.items():
            assert said.get(name), f"{inner.__name__}.{name} has no docstring"
            assert type_words(field), f"{inner.__name__}.{name}"
            assert default_words(field), f"{inner.__name__}.{name}"


@pytest.mark.parametrize(
    ("model", "field", "words", "default"),
    [
        ("ssh", "port", "number, 1 to 65535", "`22`"),
        ("ssh", "use_agent", "true or false", "`false`"),
        ("ssh", "private_key_file", "text", "none"),
        ("cluster", "name", "DNS label", "required"),
        ("frontend", "source_ranges", "list of networks", "`[]`"),
        ("longhorn", "reclaim_policy", "`Delete` or `Retain`", "`Delete`"),
        ("longhorn", "values", "map", "`{}`"),
        ("longhorn", "replica_count", "number, 1 to 20", "none"),
    ],
)
def test_types_and_defaults_are_told_in_words(
    model: str, field: str, words: str, default: str
) -> None:
    info = SECTIONS[model].model_fields[field]
    assert type_words(info) == words
    assert default_words(info) == default


def test_links_inside_the_page_lead_to_headings_that_are_there() -> None:
    page = reference.reference()
    headings = {
        line.lstrip("#").strip().lower().replace(".", "")
        for line in page.splitlines()
        if line.startswith("#")
    }
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links
    assert links <= headings


def _drawn() -> ElementTree.Element:
    return ElementTree.fromstring(picture.PATH.read_text())  # noqa: S314  our own file


def test_the_picture_names_every_node_and_stage() -> None:
    texts = {element.text for element in _drawn().iter(f"{_SVG}text")}
    assert {"k8s-node-1", "k8s-node-2", "k8s-node-3", "longhorn", "rancher", "labels"} <= texts


def test_the_picture_fits_on_its_page() -> None:
    root = _drawn()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = list(root.iter(f"{_SVG}rect"))
    assert len(boxes) > 20
    for box in boxes[1:]:
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width
        assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height


def test_every_arrow_of_the_picture_leads_down() -> None:
    arrows = [path for path in _drawn().iter(f"{_SVG}path") if "marker-end" in path.attrib]
    assert len(arrows) > 10
    for arrow in arrows:
        points = arrow.attrib["d"].replace("M", "").replace("C", "").split()
        assert float(points[0].split(",")[1]) < float(points[-1].split(",")[1])


def test_the_picture_is_the_same_in_every_run() -> None:
    def drawn() -> str:
        config = read_stack_config(stack_path(picture.STACK))
        return picture.picture(run_program(config, stack=picture.STACK, preview=True))

    assert drawn() == drawn()


def _box(title: str) -> Box:
    return Box(title=title, note="", colour="host")


def test_a_box_stands_below_what_comes_before_it() -> None:
    a, b, c = _box("a"), _box("b"), _box("c")
    assert rows_of([c, a, b], [(a, b), (b, c)]) == [[a], [b], [c]]


def test_a_box_that_waits_for_nothing_stands_just_above_the_first_that_waits_for_it() -> None:
    a, b, c, late = _box("a"), _box("b"), _box("c"), _box("late")
    assert rows_of([a, b, c, late], [(a, b), (b, c), (late, c)]) == [[a], [b, late], [c]]


def test_an_arrow_that_a_chain_says_already_is_left_out() -> None:
    a, b, c = _box("a"), _box("b"), _box("c")
    assert shortest([(a, b), (b, c), (a, c)]) == [(a, b), (b, c)]


def test_inner_boxes_lie_inside_and_beside_each_other() -> None:
    inner = [_box("first"), _box("second")]
    outer = Box(title="outer", note="note", colour="component", rows=[inner])
    measure(outer)
    place(outer, 10.0, 20.0)
    first, second = inner
    assert outer.x < first.x
    assert first.x + first.width < second.x
    assert second.x + second.width < outer.x + outer.width
    assert outer.y < first.y
    assert first.y + first.height < outer.y + outer.height


def test_the_graph_behind_the_picture_has_every_resource_once() -> None:
    config = read_stack_config(stack_path(picture.STACK))
    recording = run_program(config, stack=picture.STACK, preview=True)
    walked = [resource.urn for root in Graph(recording).roots() for resource in root.walk()]
    assert sorted(walked) == sorted(resource.urn for resource in recording.resources)
