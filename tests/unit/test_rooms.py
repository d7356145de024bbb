"""Who may import whom. docs/architecture.md tells what each room is for."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

_PROJECT = Path(__file__).parents[2]
_TOPS = ("components", "configuration", "lab", "longhorn_rancher", "tools", "tests")

# Of components: a room, and the rooms or single modules that it may import beside itself.
_ROOMS: Mapping[str, tuple[str, ...]] = {
    "common": (),
    "cluster": ("common",),
    "hosts": ("common",),
    "docker": ("common",),
    "nodes": ("hosts", "cluster", "common"),
    "volume_check": ("longhorn.backups", "longhorn.objects", "cluster", "common"),
    "longhorn": ("nodes.description", "cluster", "common"),
    "rancher.api": ("common",),
    "rancher.agent": ("rancher.api", "cluster", "common"),
    "rancher.server": ("rancher.api", "docker", "common"),
    # The cluster: for what Rancher's own clean-up leaves in it.
    "rancher.registration": ("rancher.agent", "rancher.api", "cluster", "common"),
    "preflight": (
        *("hosts", "nodes", "longhorn", "cluster", "common"),
        *("rancher.api.addresses", "rancher.api.presented", "rancher.server.reading"),
        *("rancher.server.running_rules", "rancher.server.backup.reading"),
        "rancher.registration.belongings",
    ),
}
_WITH_SETTINGS = ("preflight", "stack")
# Of configuration: what reads the settings. The models and rules are for everybody.
_READERS = ("settings", "stack_source", "given_source")
_COMMON = {
    *("__init__", "answers", "dynamic", "names", "owner", "progress", "script_text", "versions"),
    "waiting",
}
# Of longhorn: its inner rooms never see each other, but for one word about the removal.
_LONGHORN_INNER: Mapping[str, tuple[str, ...]] = {
    "longhorn.disks": ("longhorn.removal.confirmation",),
    "longhorn.monitoring": (),
    "longhorn.policies": ("longhorn.removal.confirmation",),
    "longhorn.removal": (),
}
_LONGHORN_TOP = ("longhorn.release", "longhorn.ready")


@cache
def _modules() -> dict[str, set[str]]:
    """Every module of the project with those of the project that it imports."""
    paths = [path for top in _TOPS for path in (_PROJECT / top).rglob("*.py")]
    names = {
        ".".join(path.relative_to(_PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in [*paths, *_PROJECT.glob("*.py")]
    }
    return {name: set(_imports(name, path, names)) for name, path in names.items()}


def _imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            here = package.split(".")[: len(package.split(".")) - (node.level - 1)]
            base = ".".join([*here, *([node.module] if node.module else [])])
            module = base if node.level else str(node.module)
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                if inner in known or module in known:
                    yield inner if inner in known else module


def _arrows(source: str, target: str) -> list[str]:
    return [
        f"{name} imports {other}"
        for name, imported in sorted(_modules().items())
        for other in sorted(imported)
        if _is_in(name, source) and _is_in(other, target)
    ]


def _is_in(module: str, room: str) -> bool:
    return not room or module == room or module.startswith(f"{room}.")


def _room_of(module: str) -> str:
    return next((r for r in (*_ROOMS, "stack") if _is_in(module, f"components.{r}")), "")


def test_every_module_of_components_is_in_a_room() -> None:
    without = [name for name in _modules() if name.startswith("components.") and not _room_of(name)]
    assert without == ["components.rancher"]


@pytest.mark.parametrize("room", _ROOMS)
def test_a_room_imports_only_the_rooms_that_the_table_gives_it(room: str) -> None:
    allowed = [f"components.{each}" for each in (room, *_ROOMS[room])]
    if room != "common":
        allowed.append("configuration")
    wrong = [
        f"{name} imports {other}"
        for name, imported in sorted(_modules().items())
        if _is_in(name, f"components.{room}")
        for other in sorted(imported)
        if not any(_is_in(other, each) for each in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("reader", _READERS)
def test_the_settings_are_read_by_the_preflight_the_stack_and_those_who_wire_alone(
    reader: str,
) -> None:
    allowed = (
        *(f"components.{room}" for room in _WITH_SETTINGS),
        *("__main__", "longhorn_rancher", "configuration", "tools", "tests"),
    )
    wrong = [
        arrow
        for arrow in _arrows("", f"configuration.{reader}")
        if not any(_is_in(arrow.partition(" ")[0], each) for each in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize(("inner", "others"), _LONGHORN_INNER.items())
def test_the_inner_rooms_of_longhorn_see_its_base_and_not_each_other(
    inner: str, others: tuple[str, ...]
) -> None:
    forbidden = [each for each in (*_LONGHORN_INNER, *_LONGHORN_TOP) if each != inner]
    wrong = [
        f"{name} imports {other}"
        for name, imported in sorted(_modules().items())
        if _is_in(name, f"components.{inner}")
        for other in sorted(imported)
        if any(_is_in(other, f"components.{each}") for each in forbidden)
        and not any(_is_in(other, f"components.{each}") for each in others)
    ]
    assert wrong == []


def test_the_base_of_longhorn_sees_its_inner_rooms_only_where_they_are_put_together() -> None:
    wrong = [
        arrow
        for inner in _LONGHORN_INNER
        for arrow in _arrows("components.longhorn", f"components.{inner}")
        if not any(
            arrow.startswith(f"components.{each}") for each in (*_LONGHORN_INNER, *_LONGHORN_TOP)
        )
    ]
    assert wrong == []


def _rooms_of_the_page() -> list[str]:
    """The rooms as docs/architecture.md lists them, from top to bottom."""
    page = (_PROJECT / "docs/architecture.md").read_text()
    lines = page.partition("components/\n")[2].partition("\nlab/")[0].splitlines()
    rooms: list[str] = []
    path: list[str] = []
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        path = [*path[:depth], line.split("/")[0].strip()]
        rooms.append(".".join(path))
    return rooms


def test_the_page_on_architecture_lists_every_room_below_those_that_it_imports() -> None:
    rooms = _rooms_of_the_page()
    folders = {path.parent for path in (_PROJECT / "components").rglob("*.py")}
    named = [".".join(path.relative_to(_PROJECT / "components").parts) for path in folders]
    assert sorted(rooms) == sorted(filter(None, named))
    below = [
        arrow
        for i, upper in enumerate(rooms)
        for lower in rooms[i + 1 :]
        if not lower.startswith(f"{upper}.")
        for arrow in _arrows(f"components.{upper}", f"components.{lower}")
    ]
    assert below == []


def test_the_common_room_holds_these_modules_and_no_others() -> None:
    assert {path.stem for path in (_PROJECT / "components/common").glob("*.py")} == _COMMON


@pytest.mark.parametrize("wired", ["__main__", "longhorn_rancher"])
def test_a_program_is_wired_from_the_stack_the_preflight_and_the_settings_alone(
    wired: str,
) -> None:
    allowed = (
        *("components.stack", "components.preflight"),
        *("configuration.settings", "configuration.problems", wired),
    )
    wrong = [
        arrow
        for arrow in _arrows(wired, "")
        if not any(_is_in(arrow.rpartition(" ")[2], each) for each in allowed)
    ]
    assert wrong == []


def test_nothing_of_the_project_imports_what_other_programs_import() -> None:
    importing = [each.partition(" ")[0] for each in _arrows("", "longhorn_rancher")]
    assert importing
    assert [name for name in importing if not _is_in(name, "longhorn_rancher")] == []


def test_the_configuration_imports_nothing_else_of_the_project() -> None:
    for name, imported in _modules().items():
        if _is_in(name, "configuration"):
            assert all(_is_in(other, "configuration") for other in imported), name


@pytest.mark.parametrize(
    "target", ["components", "tools", "tests", *(f"configuration.{each}" for each in _READERS)]
)
def test_the_lab_knows_nothing_of_the_program(target: str) -> None:
    assert _arrows("lab", target) == []


@pytest.mark.parametrize(
    "source", ["components", "configuration", "longhorn_rancher", "__main__", "lab"]
)
def test_only_tests_import_the_tools(source: str) -> None:
    assert _arrows(source, "tools") == []


def test_no_module_imports_in_a_circle() -> None:
    graph = {name: imported - {name} for name, imported in _modules().items()}
    tuple(TopologicalSorter(graph).static_order())


def test_only_the_base_is_a_provider_of_the_sdk() -> None:
    heirs = [
        str(path.relative_to(_PROJECT))
        for path in (_PROJECT / "components").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(b, ast.Name) and b.id == "ResourceProvider" for b in node.bases)
    ]
    assert heirs == ["components/common/dynamic.py"]
