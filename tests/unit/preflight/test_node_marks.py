"""What is no longer on the nodes of Kubernetes as the stack puts it there."""

from typing import Any

from components.common.dynamic import FINDING
from components.nodes.control_plane_taints import ControlPlaneUntaintProvider
from components.nodes.description import ANNOTATION, LABEL
from components.nodes.findings import NodeFindings
from components.nodes.labels import NodeMarksProvider
from components.preflight.cluster_facts import ClusterNode
from components.preflight.node_marks import with_node_marks
from tests.unit.doubles.a_stack import load, nodes, valid

_CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
_MARKED: dict[str, Any] = {"labels": {LABEL: "config"}, "annotations": {ANNOTATION: "[]"}}


def _found(scheduling: str = "untaint", *, is_sure: bool = True, **node: Any) -> NodeFindings:
    settings = load(
        valid(nodes=nodes({"controlPlane": True}, {}), controlPlane={"scheduling": scheduling})
    )
    there = {"node-1": ClusterNode(**{**_MARKED, **node}), "another": ClusterNode()}
    before = {"node-1": NodeFindings(packages="not installed: nfs-common")}
    found = with_node_marks(before, there, settings, ["node-1"] if is_sure else [])
    assert set(found) == {"node-1"}
    assert found["node-1"].packages == "not installed: nfs-common"
    return found["node-1"]


def test_a_node_that_has_what_the_stack_puts_there_has_no_finding() -> None:
    assert (_found().marks, _found().taints) == (None, None)


def test_a_node_that_joined_again_lacks_label_and_annotation() -> None:
    found = _found(labels={}, annotations={}).marks
    assert found == f"without the label {LABEL}; without the annotation {ANNOTATION}"


def test_no_label_is_put_back_where_nobody_knows_of_the_disks_since_longhorn_takes_any_path() -> (
    None
):
    found = _found(is_sure=False, labels={}, taints=[_CONTROL_PLANE])
    assert found.marks is None
    assert found.taints is not None


def test_another_stacks_annotation_is_not_fought_over() -> None:
    assert _found(annotations={ANNOTATION: '[{"path":"/mnt/other"}]'}).marks is None


def test_a_control_plane_taint_that_is_back_is_found_where_the_stack_takes_it_off() -> None:
    others = [{"key": "dedicated", "effect": "NoSchedule"}]
    back = _found(taints=[*others, _CONTROL_PLANE]).taints
    assert back == "the taint node-role.kubernetes.io/control-plane:NoSchedule is back"
    assert _found("tolerate", taints=[_CONTROL_PLANE]).taints is None


def test_what_was_found_is_a_difference_of_the_resource_that_owns_it() -> None:
    for provider in (NodeMarksProvider(), ControlPlaneUntaintProvider()):
        state: dict[str, Any] = {"node_name": "node-1", FINDING: "found before"}
        assert provider.diff("id", state, {**state, FINDING: "found"}).changes is True
        assert provider.diff("id", state, {**state, FINDING: None}).changes is False
