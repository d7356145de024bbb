"""The provider's three options on which repairs of the cluster rest."""

import pytest

from tests.unit.doubles.a_stack import run, valid


@pytest.mark.parametrize(
    "option", ["enableServerSideApply", "enablePatchForce", "upsertExistingObjects"]
)
def test_what_is_there_already_is_taken_over_and_put_right(option: str) -> None:
    assert run(valid()).named("cluster").inputs[option] in (True, "true")
