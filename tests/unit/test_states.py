"""What existing states hold of this program stays as it is; the record is states.json beside."""

import base64
import copy
import json

import dill
import pytest

from components.common.dynamic import DynamicProvider
from tools import states

_RECORDED: states.Record = json.loads(states.RECORD.read_text())


@pytest.fixture(scope="module")
def now() -> states.Record:
    return states.current()


def test_everything_that_was_recorded_is_kept(now: states.Record) -> None:
    assert states.broken(_RECORDED, now) == []


def test_everything_that_a_state_would_hold_is_recorded(now: states.Record) -> None:
    assert now == _RECORDED, "new names are recorded with `python -m tools.states`"


@pytest.mark.parametrize("name", sorted(states.providers()))
def test_a_reference_out_of_a_state_still_leads_to_its_provider(name: str) -> None:
    found = dill.loads(base64.b64decode(_RECORDED["providers"][name]))  # noqa: S301  our own record
    assert type(found) is states.providers()[name]
    assert isinstance(found, DynamicProvider)


def test_a_resource_may_get_a_hook_and_may_not_lose_one() -> None:
    before = {"lab": {"a": ["first"]}}
    assert states.broken(before, {"lab": {"a": ["first", "second"]}}) == []
    assert len(states.broken(before, {"lab": {"a": ["second"]}})) == 1


def test_a_provider_that_moves_and_a_resource_that_is_renamed_are_noticed(
    now: states.Record,
) -> None:
    moved = copy.deepcopy(now)
    moved["providers"]["LonghornReadyProvider"] = "elsewhere"
    renamed = copy.deepcopy(now)
    first = next(iter(renamed["lab"]))
    del renamed["lab"][first]
    assert len(states.broken(_RECORDED, moved)) == 1
    assert states.broken(_RECORDED, renamed) == [
        f"lab: {first} was {_RECORDED['lab'][first]!r}, and is 'gone'"
    ]
