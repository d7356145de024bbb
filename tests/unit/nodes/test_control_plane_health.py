"""Health ports of the control plane: which nodes, in which order, and what the stack file needs."""

from typing import Any

import pytest

from components.nodes.script_parts import NODE_HEALTH
from tests.unit.doubles.a_stack import (
    COMMAND,
    mistake,
    mistakes,
    nodes,
    parent_of,
    run,
    valid,
    waits_for,
)
from tools.offline.recording import Recording

_ON = {"controlPlaneHealth": True}
_FIRST = "node-1-control-plane-health-manifests"
_SECOND = "node-2-control-plane-health-manifests"
_MASTER: dict[str, Any] = {"controlPlane": True}


def _run(*changes: dict[str, Any], stages: dict[str, bool] | None = None) -> Recording:
    return run(valid(nodes=nodes(*changes), stages={**_ON, **(stages or {})}))


def _health(recording: Recording) -> list[str]:
    return [r.name for r in recording.resources if r.name.endswith("-manifests")]


def test_without_being_asked_for_nothing_is_declared() -> None:
    assert _health(run(valid(nodes=nodes(_MASTER, {})))) == []


def test_only_control_plane_nodes_are_changed() -> None:
    recording = _run(_MASTER, {}, _MASTER)
    assert _health(recording) == [_FIRST, "node-3-control-plane-health-manifests"]
    assert parent_of(recording, recording.named(_FIRST)) == "node-1-control-plane-health"


def test_the_line_goes_on_create_and_comes_back_on_delete() -> None:
    command = _run(_MASTER).named(_FIRST)
    assert command.type == COMMAND
    assert command.inputs["create"].endswith("/run control-plane-health ensure")
    assert command.inputs["delete"].endswith("/run control-plane-health remove")
    assert f" {NODE_HEALTH.name} {NODE_HEALTH.digest} " in command.inputs["stdin"]


def test_one_control_plane_node_is_changed_after_the_other() -> None:
    recording = _run(_MASTER, _MASTER)
    assert waits_for(recording, _SECOND, _FIRST)
    assert not waits_for(recording, _FIRST, _SECOND)


def test_it_waits_for_its_own_nodes_packages_and_for_no_disk() -> None:
    recording = _run(_MASTER)
    assert waits_for(recording, _FIRST, "node-1-packages-install")
    assert not waits_for(recording, _FIRST, "node-1-mnt-longhorn-sdb-mount")


def test_longhorn_does_not_wait_for_it() -> None:
    assert not waits_for(_run(_MASTER), "longhorn-release", _FIRST)


def test_it_needs_no_other_stage() -> None:
    every = ("packages", "disks", "labels", "longhorn", "frontend", "rancher")
    recording = _run(_MASTER, stages=dict.fromkeys(every, False))
    assert _health(recording) == [_FIRST]


def test_a_stack_without_control_plane_nodes_is_a_mistake() -> None:
    problem = mistake(valid(nodes=nodes({}, {}), stages=_ON))
    assert problem.key == "longhorn-rancher:stages.controlPlaneHealth"
    assert "no node has controlPlane: true" in problem.rule
    assert "controlPlane: true" in problem.remedy


def test_a_node_with_a_mistake_may_be_the_control_plane_node() -> None:
    config = valid(nodes=nodes({"controlPlane": "yes"}), stages=_ON)
    assert mistake(config).key == "longhorn-rancher:nodes[0].controlPlane"


@pytest.mark.parametrize(("change", "key"), [("nodes", "nodes"), ("ssh", "ssh")])
def test_it_needs_nodes_and_what_opens_them(change: str, key: str) -> None:
    others = dict.fromkeys(("packages", "disks", "labels", "longhorn", "frontend"), False)
    given = {"nodes": nodes(_MASTER), "stages": {**others, **_ON}, change: None}
    keys = [problem.key for problem in mistakes(valid(**given))]
    assert keys == [f"longhorn-rancher:{key}"]
