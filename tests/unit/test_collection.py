"""No test file may be left out by a name that pytest does not collect."""

import ast
from collections import Counter
from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parents[1]
_FILES = sorted(path.relative_to(_TESTS) for path in _TESTS.rglob("*.py"))


def _tests_in(path: Path) -> list[str]:
    tree = ast.parse((_TESTS / path).read_text())
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("path", _FILES, ids=str)
def test_a_file_with_tests_has_a_name_that_pytest_collects(path: Path) -> None:
    is_collected = path.name.startswith("test_") or path.name.endswith("_test.py")
    assert bool(_tests_in(path)) == is_collected, (
        f"tests/{path} {'holds no test' if is_collected else 'is never collected'}"
    )


@pytest.mark.parametrize("path", _FILES, ids=str)
def test_a_folder_of_tests_is_a_package_so_that_equal_names_do_not_clash(path: Path) -> None:
    assert (_TESTS / path.parent / "__init__.py").is_file()


def test_no_file_defines_the_same_test_twice() -> None:
    repeated = [
        f"tests/{path}: {name}"
        for path in _FILES
        for name, count in Counter(_tests_in(path)).items()
        if count > 1
    ]
    assert repeated == []
