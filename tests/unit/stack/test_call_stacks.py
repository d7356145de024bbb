"""What the engine would keep of the calls that led to a resource: nothing."""

import sys

import pytest

from components.stack.call_stacks import without_call_stacks
from tests.unit.doubles.a_stack import run, valid


def test_no_resource_brings_its_call_stack_into_the_state() -> None:
    resources = run(valid()).resources
    assert len(resources) > 20
    kept = [each.name for each in resources if each.request.stackTrace.frames]
    assert kept == []


def test_an_error_of_the_program_is_shown_with_all_its_calls() -> None:
    before = getattr(sys, "tracebacklimit", None)
    with pytest.raises(RuntimeError, match="a mistake"):
        _fail()
    assert getattr(sys, "tracebacklimit", None) == before


def _fail() -> None:
    with without_call_stacks():
        assert sys.tracebacklimit == 1
        raise RuntimeError("a mistake")
