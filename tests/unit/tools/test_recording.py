"""What stands under plan, picture and unit tests: the recording and its order."""

from types import SimpleNamespace

import pytest

from components.preflight import findings
from configuration import settings
from tests.unit.doubles.a_stack import all_before, load, run, valid
from tools.offline.answers import AnsweringMocks
from tools.offline.graph import Graph, natural
from tools.offline.recording import Declared, Recording, run_program
from tools.offline.stack_file import stack_config


def _declared(name: str, parent: str = "", *waits: str) -> Declared:
    return Declared(
        urn=name,
        type="test:index:Thing",
        name=name,
        parent=parent,
        custom=True,
        inputs={},
        dependencies=frozenset(waits),
        request=SimpleNamespace(),
    )


def _graph(*resources: Declared) -> Graph:
    return Graph(Recording(resources=list(resources)))


def test_a_run_leaves_nothing_behind_for_the_next() -> None:
    run(valid(stages={"volumeCheck": True, "packages": False}))
    later = run(valid(stages={"longhorn": False, "frontend": False}))
    assert "longhornVersion" not in later.outputs
    assert "volumeCheck" not in later.outputs


def test_a_run_does_not_change_the_configuration_of_its_caller() -> None:
    load(valid(cluster={"name": "mine"}))
    run(valid(cluster={"name": "other"}))
    assert settings.load().cluster.name == "mine"


def test_an_up_that_is_recorded_opens_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(findings, "read_hosts", lambda *each: asked.append(each) or {})
    run_program(stack_config(valid()), stack="test", preview=False, mocks=AnsweringMocks())
    assert asked == []


def test_a_name_that_was_not_declared_is_told_with_those_that_were() -> None:
    with pytest.raises(KeyError, match="no resource b; there are"):
        Recording(resources=[_declared("a")]).named("b")


def test_urns_are_those_of_the_engine() -> None:
    urn = run(valid()).named("node-1-labels-patch").urn
    assert urn == (
        "urn:pulumi:test::longhorn-rancher::longhornrancher:node:LonghornNode$"
        "longhornrancher:node:Labels$pulumi-python:dynamic/node:Marks::node-1-labels-patch"
    )


def test_a_resource_waits_for_what_its_parents_wait_for() -> None:
    graph = _graph(_declared("a"), _declared("b", "", "a"), _declared("c", "b"))
    assert all_before(graph, graph.by_urn["c"]) == {"a"}


def test_a_resource_waits_for_what_comes_before_through_others() -> None:
    graph = _graph(_declared("a"), _declared("b", "", "a"), _declared("c", "", "b"))
    assert all_before(graph, graph.by_urn["c"]) == {"a", "b"}
    assert graph.rank(graph.by_urn["c"]) == 2


def test_the_order_does_not_depend_on_when_registrations_arrive() -> None:
    resources = [_declared("a"), _declared("b", "", "a"), _declared("c", "b"), _declared("d", "b")]
    orders = {
        tuple(r.name for root in _graph(*shuffled).roots() for r in root.walk())
        for shuffled in (resources, resources[::-1], resources[2:] + resources[:2])
    }
    assert orders == {("a", "b", "c", "d")}


def test_numbers_in_names_sort_as_numbers() -> None:
    names = ["node-10", "node-9", "node-1", "1-node", "node"]
    assert sorted(names, key=natural) == ["1-node", "node", "node-1", "node-9", "node-10"]
