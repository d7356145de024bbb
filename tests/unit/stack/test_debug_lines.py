"""The SDK's own debug lines: nobody sees them, and the program waits for each."""

import pytest

from components.stack.debug_lines import VARIABLE
from tests.unit.doubles.a_stack import valid
from tools.offline.recording import run_program
from tools.offline.stack_file import stack_config


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the SDK says; the switch is back where it was after the test."""
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.debug", said.append)
    monkeypatch.delenv(VARIABLE, raising=False)
    return said


def _run() -> None:
    run_program(stack_config(valid()), stack="test", preview=True)


def _about_nodes(lines: list[str]) -> list[str]:
    return [line for line in lines if "longhornrancher:node" in line]


def test_the_engine_gets_none_of_the_lines_that_only_debug_shows(lines: list[str]) -> None:
    _run()
    assert _about_nodes(lines) == []


def test_a_variable_brings_them_back(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    _run()
    assert _about_nodes(lines)
