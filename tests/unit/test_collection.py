"""No test file may be left out by a name that pytest does not collect."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
_FILES = sorted(path.relative_to(_TESTS) for path in _TESTS.rglob("*.py"))


@cache
def _tests_in(path: Path) -> list[str]:
    tree = ast.parse((_TESTS / path).read_text())
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def test_every_file_with_tests_has_a_name_that_pytest_collects_and_no_other_has() -> None:
    collected = {
        path for path in _FILES if path.name.startswith("test_") or path.name.endswith("_test.py")
    }
    with_tests = {path for path in _FILES if _tests_in(path)}
    assert [f"tests/{path}" for path in sorted(with_tests - collected)] == [], "never collected"
    assert [f"tests/{path}" for path in sorted(collected - with_tests)] == [], "no test is in it"


def test_every_folder_of_tests_is_a_package_so_that_equal_names_do_not_clash() -> None:
    folders = {path.parent for path in _FILES}
    assert [
        f"tests/{each}" for each in folders if not (_TESTS / each / "__init__.py").is_file()
    ] == []


def test_no_file_defines_the_same_test_twice() -> None:
    repeated = [
        f"tests/{path}: {name}"
        for path in _FILES
        for name, count in Counter(_tests_in(path)).items()
        if count > 1
    ]
    assert repeated == []
