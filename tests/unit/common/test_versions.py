"""Versions, and what lies between two of them."""

import pytest

from components.common.versions import Step, minors_between, step, version_of


@pytest.mark.parametrize("text", ["stable", "v2.8", "v2.8-head", "2.8.5.1", "", "none"])
def test_what_is_no_version_is_not_taken_for_one(text: str) -> None:
    assert version_of(text) is None


@pytest.mark.parametrize("text", ["v1.28.4+k3s2", "v1.28.4-eks-5e0fdde", "1.28.4"])
def test_what_a_distribution_adds_to_a_version_does_not_hide_it(text: str) -> None:
    found = version_of(text)
    assert found is not None
    assert found[:3] == (1, 28, 4)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.5.3", "1.5.3", Step.FINE),
        ("1.5.3", "1.5.10", Step.FINE),
        ("1.5.9", "1.6.0", Step.FINE),
        ("1.9.0", "1.10.0", Step.FINE),
        ("1.6.0-rc1", "1.6.0", Step.FINE),
        ("1.6.0-rc2", "1.6.0-rc1", Step.FINE),
        ("1.5.10", "1.5.9", Step.BACK),
        ("1.6.0", "1.6.0-rc1", Step.BACK),
        ("2.0.0", "1.9.9", Step.BACK),
        ("1.9.9", "2.0.0", Step.MAJOR),
        ("1.4.9", "1.6.0", Step.SKIPS),
        ("stable", "1.6.0", Step.FINE),
        ("1.6.0", "stable", Step.FINE),
    ],
)
def test_each_step_is_told_by_what_it_crosses(old: str, new: str, expected: Step) -> None:
    assert step(old, new) is expected


def test_the_versions_that_a_step_skips_are_named_in_order() -> None:
    assert minors_between("1.5.3", "1.8.0") == ["1.6.x", "1.7.x"]
