"""Marks on a Node belong to who set them, and no Node is ever made, on a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from components.cluster.api import ApiError, ClusterApi
from components.nodes import marks as node_marks
from components.nodes.marks import drop_marks, put_marks, read_marks
from tests.engine.conftest import Cluster

pytestmark = pytest.mark.engine

_KEY = "example.com/test"
_ONE, _TWO = "project/one", "project/two"


def _marks(value: str) -> dict[str, dict[str, str]]:
    return {"labels": {_KEY: value}, "annotations": {_KEY: value}}


@pytest.fixture
def api(cluster: Cluster) -> Iterator[ClusterApi]:
    """The cluster; what a test has set on its nodes goes afterwards."""
    yield ClusterApi(str(cluster.handle.kubeconfig), None)
    gone = {"metadata": {"labels": {_KEY: None}, "annotations": {_KEY: None}}}
    CoreV1Api(cluster.client).patch_node("node-1", gone)


def test_marks_are_there_and_go_with_their_owner(api: ClusterApi) -> None:
    put_marks(api, "node-1", _ONE, _marks("a"))
    assert read_marks(api, "node-1", _marks("")) == _marks("a")
    drop_marks(api, "node-1", _ONE)
    assert read_marks(api, "node-1", _marks("")) == {"labels": {}, "annotations": {}}


def test_a_mark_that_two_have_set_stays_until_the_last_lets_it_go(api: ClusterApi) -> None:
    put_marks(api, "node-1", _ONE, _marks("a"))
    put_marks(api, "node-1", _TWO, _marks("a"))
    drop_marks(api, "node-1", _ONE)
    assert read_marks(api, "node-1", _marks("")) == _marks("a")
    drop_marks(api, "node-1", _TWO)
    assert read_marks(api, "node-1", _marks("")) == {"labels": {}, "annotations": {}}


def test_a_mark_that_another_has_taken_over_with_another_value_stays(api: ClusterApi) -> None:
    put_marks(api, "node-1", _ONE, _marks("a"))
    put_marks(api, "node-1", _TWO, _marks("b"))
    drop_marks(api, "node-1", _ONE)
    assert read_marks(api, "node-1", _marks("")) == _marks("b")


def test_a_mark_that_a_person_has_changed_is_no_longer_the_owners(
    api: ClusterApi, cluster: Cluster
) -> None:
    put_marks(api, "node-1", _ONE, _marks("a"))
    CoreV1Api(cluster.client).patch_node("node-1", {"metadata": {"labels": {_KEY: "mine"}}})
    drop_marks(api, "node-1", _ONE)
    assert read_marks(api, "node-1", _marks("")) == {"labels": {_KEY: "mine"}, "annotations": {}}


def test_a_change_by_hand_is_put_right(api: ClusterApi, cluster: Cluster) -> None:
    put_marks(api, "node-1", _ONE, _marks("a"))
    CoreV1Api(cluster.client).patch_node("node-1", {"metadata": {"labels": {_KEY: "mine"}}})
    put_marks(api, "node-1", _ONE, _marks("a"))
    assert read_marks(api, "node-1", _marks("")) == _marks("a")


def test_a_name_that_kubernetes_does_not_have_makes_no_node(
    api: ClusterApi, cluster: Cluster
) -> None:
    with pytest.raises(RuntimeError, match="no node node1; node-1 comes closest"):
        put_marks(api, "node1", _ONE, _marks("a"))
    assert "node1" not in _names(cluster)


def test_a_node_that_goes_between_the_look_and_the_change_is_not_made_again(
    api: ClusterApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = CoreV1Api(cluster.client)
    core.create_node({"metadata": {"name": "short-lived"}})
    read: Any = core.read_node("short-lived")
    core.delete_node("short-lived")
    monkeypatch.setattr(node_marks, "_read", lambda _cluster, _name: read)
    with pytest.raises(ApiError) as refused:
        put_marks(api, "short-lived", _ONE, _marks("a"))
    assert refused.value.status == 409
    drop_marks(api, "short-lived", _ONE)
    assert "short-lived" not in _names(cluster)


def _names(cluster: Cluster) -> set[str]:
    return {node.metadata.name for node in CoreV1Api(cluster.client).list_node().items}
