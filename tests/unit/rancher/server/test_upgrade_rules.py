"""Rancher goes one minor version at a time, and never back."""

import pytest

from components.rancher.server.upgrade_rules import upgrade_problem


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ("v2.8.5", "v2.8.5"),
        ("2.8.5", "v2.8.5"),
        ("v2.8.4", "v2.8.5"),
        ("v2.8.5", "v2.9.0"),
        ("v2.9.3", "v2.10.1"),
        ("v2.9.0-rc1", "v2.9.0"),
        ("v2.9.0-rc2", "v2.9.0-rc10"),
        ("v2.8.5", "v2.8.5-corp1"),
        ("v2.8.5-corp1", "v2.8.5"),
    ],
)
def test_the_same_version_a_patch_and_the_next_minor_are_fine(current: str, wanted: str) -> None:
    assert upgrade_problem(current, wanted) is None


@pytest.mark.parametrize(("current", "wanted"), [("stable", "v2.8.5"), ("v2.8.5", "stable")])
def test_a_tag_that_is_no_version_is_its_owners_own_decision(current: str, wanted: str) -> None:
    assert upgrade_problem(current, wanted) is None


def test_no_earlier_version_is_no_obstacle() -> None:
    assert upgrade_problem("", "v2.8.5") is None


def test_a_skipped_minor_is_refused_with_the_path_to_take() -> None:
    problem = str(upgrade_problem("v2.8.5", "v2.11.0"))
    assert "the newest v2.9.x, then v2.10.x, each with `pulumi up`, and then v2.11.0" in problem


@pytest.mark.parametrize("wanted", ["v2.8.4", "v2.7.9", "v1.6.30", "v2.8.5-rc1", "v2.8.4-corp1"])
def test_a_downgrade_is_refused_and_says_what_to_set(wanted: str) -> None:
    problem = str(upgrade_problem("v2.8.5", wanted))
    assert "can't go back" in problem
    assert "Set rancher.tag: v2.8.5" in problem


def test_a_new_major_version_is_no_step_that_is_known() -> None:
    problem = str(upgrade_problem("v2.14.0", "v3.0.0"))
    assert "crosses a major version" in problem
    assert "the last minor version of 2 first" in problem
