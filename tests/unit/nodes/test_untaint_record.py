"""Taints that were taken off are put back by the stack that keeps them off, and no other."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.nodes import control_plane_taints
from components.nodes.control_plane_taints import ControlPlaneUntaintProvider
from components.nodes.untaint_record import ANNOTATION, record_text, taken_off
from tests.unit.doubles.a_cluster import api_error

TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
OTHER = {"key": "dedicated", "effect": "NoSchedule"}


class ANode:
    """A cluster with one node whose taints and annotations can be patched."""

    def __init__(self) -> None:
        self.core = self
        self.taints: list[dict[str, str]] = [dict(OTHER), dict(TAINT)]
        self.annotations: dict[str, str] = {}

    def read_node(self, name: str) -> Any:
        if name != "node-1":
            raise api_error(404)
        taints = [
            SimpleNamespace(key=t["key"], effect=t["effect"], value=t.get("value"), time_added=None)
            for t in self.taints
        ]
        return SimpleNamespace(
            metadata=SimpleNamespace(resource_version="1", annotations=dict(self.annotations)),
            spec=SimpleNamespace(taints=taints),
        )

    def patch_node(self, _name: str, body: dict[str, Any]) -> None:
        self.taints = body["spec"]["taints"]
        for key, value in body["metadata"]["annotations"].items():
            if value is None:
                self.annotations.pop(key, None)
            else:
                self.annotations[key] = value


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> ANode:
    made = ANode()
    for name in ("open_cluster", "open_for_removal"):
        monkeypatch.setattr(control_plane_taints, name, lambda _props: made)
    return made


def props(owner: str, **changes: Any) -> dict[str, Any]:
    return {"node_name": "node-1", "owner": owner, "present": [], "removed": None, **changes}


def test_a_stack_puts_back_what_it_has_taken_off(node: ANode) -> None:
    state = ControlPlaneUntaintProvider().create(props("one")).outs or {}
    assert node.taints == [OTHER]
    ControlPlaneUntaintProvider().delete("id", state)
    assert node.taints == [OTHER, TAINT]
    assert node.annotations == {}


def test_a_stack_that_another_has_followed_puts_nothing_back(
    node: ANode, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ControlPlaneUntaintProvider().create(props("one")).outs or {}
    second = ControlPlaneUntaintProvider().create(props("two")).outs or {}
    ControlPlaneUntaintProvider().delete("id", first)
    assert node.taints == [OTHER]
    assert "two has taken them over" in capsys.readouterr().err
    ControlPlaneUntaintProvider().delete("id", second)
    assert node.taints == [OTHER, TAINT], "the last one puts back what the first has taken off"


def test_a_taint_that_came_back_is_taken_off_again_and_put_back_once(node: ANode) -> None:
    state = ControlPlaneUntaintProvider().create(props("one")).outs or {}
    node.taints.append(dict(TAINT))
    state = ControlPlaneUntaintProvider().update("id", state, props("one")).outs or {}
    assert node.taints == [OTHER]
    ControlPlaneUntaintProvider().delete("id", state)
    assert node.taints == [OTHER, TAINT]


def test_a_taint_that_came_back_with_another_value_is_put_back_as_it_first_was(
    node: ANode,
) -> None:
    state = ControlPlaneUntaintProvider().create(props("one")).outs or {}
    node.taints.append({**TAINT, "value": "true"})
    state = ControlPlaneUntaintProvider().update("id", state, props("one")).outs or {}
    assert node.taints == [OTHER]
    node.taints.append({**TAINT, "value": "again"})
    ControlPlaneUntaintProvider().delete("id", state)
    assert node.taints == [OTHER, {**TAINT, "value": "again"}], "one of a key and effect"


def test_of_one_that_was_remembered_with_two_values_the_first_is_put_back(node: ANode) -> None:
    twice = [dict(TAINT), {**TAINT, "value": "true"}]
    node.taints = [dict(OTHER)]
    node.annotations = {ANNOTATION: record_text("one", twice)}
    ControlPlaneUntaintProvider().delete("id", {**props("one"), "removed": twice})
    assert node.taints == [OTHER, TAINT]


def test_a_state_from_before_there_were_owners_puts_its_taints_back(node: ANode) -> None:
    node.taints = [dict(OTHER)]
    state = {"node_name": "node-1", "removed": [dict(TAINT)]}
    ControlPlaneUntaintProvider().delete("id", state)
    assert node.taints == [OTHER, TAINT]


def test_a_node_that_is_gone_needs_nothing(node: ANode) -> None:
    ControlPlaneUntaintProvider().delete("id", props("one", node_name="gone"))
    assert node.taints == [OTHER, TAINT]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "null"])
def test_an_annotation_that_cannot_be_read_says_nothing(text: str | None) -> None:
    annotations = None if text is None else {ANNOTATION: text}
    assert taken_off(annotations).owner is None


def test_what_is_written_is_read_again() -> None:
    found = taken_off({ANNOTATION: record_text("one", [TAINT])})
    assert (found.owner, list(found.taints)) == ("one", [TAINT])
