"""Marks of a Node: set by the stack that owns them, looked up, and let go."""

from typing import Any

import pytest

from components.nodes import labels
from components.nodes.labels import NodeMarksProvider

PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "node_name": "node-1",
    "owner": "project/one",
    "labels": {"a": "1"},
    "annotations": {"b": "2"},
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    monkeypatch.setattr(labels, "open_cluster", lambda props: f"cluster at {props['kubeconfig']}")
    monkeypatch.setattr(labels, "open_for_removal", lambda props: props.get("kubeconfig"))
    monkeypatch.setattr(labels, "put_marks", lambda *given: made.append(("put", *given[1:])))
    monkeypatch.setattr(labels, "drop_marks", lambda *given: made.append(("drop", *given[1:])))
    return made


MARKS = {"labels": {"a": "1"}, "annotations": {"b": "2"}}
PUT = ("put", "node-1", "project/one", MARKS)


def test_the_marks_are_put_under_the_stacks_name(calls: list[Any]) -> None:
    assert NodeMarksProvider().create(PROPS).outs == PROPS
    assert calls == [PUT]


def test_a_stack_that_was_renamed_lets_its_old_name_go_after_it_has_taken_over(
    calls: list[Any],
) -> None:
    old = {**PROPS, "owner": "project/before"}
    assert NodeMarksProvider().diff("id", old, PROPS).changes is True
    NodeMarksProvider().update("id", old, PROPS)
    assert calls == [PUT, ("drop", "node-1", "project/before")]


def test_a_change_of_the_marks_alone_lets_nothing_go(calls: list[Any]) -> None:
    NodeMarksProvider().update("id", {**PROPS, "labels": {}}, PROPS)
    assert calls == [PUT]


def test_another_node_is_another_resource() -> None:
    assert NodeMarksProvider().diff("id", PROPS, {**PROPS, "node_name": "x"}).replaces == [
        "node_name"
    ]


def test_a_removal_takes_off_what_is_the_stacks_own(calls: list[Any]) -> None:
    NodeMarksProvider().delete("id", PROPS)
    assert calls == [("drop", "node-1", "project/one")]


def test_a_cluster_that_is_gone_needs_nothing(calls: list[Any]) -> None:
    NodeMarksProvider().delete("id", {**PROPS, "kubeconfig": None})
    assert calls == []


@pytest.mark.parametrize(
    ("found", "differs"),
    [
        (MARKS, False),
        ({"labels": {}, "annotations": {"b": "2"}}, True),
        ({"labels": {"a": "other"}, "annotations": {"b": "2"}}, True),
    ],
)
def test_a_mark_that_somebody_changed_shows_after_a_refresh(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any], found: dict[str, Any], differs: bool
) -> None:
    monkeypatch.setattr(labels, "read_marks", lambda *_given: found)
    state = NodeMarksProvider().read("id", PROPS).outs or {}
    assert NodeMarksProvider().diff("id", state, PROPS).changes is differs
    assert calls == []


def test_a_node_that_is_gone_is_gone_from_the_state(
    monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    monkeypatch.setattr(labels, "read_marks", lambda *_given: None)
    assert NodeMarksProvider().read("id", PROPS).id is None
    assert calls == []
