"""Tags of a node in Longhorn: added and removed one by one, those of others left alone."""

from typing import Any

import pytest

from components.common import waiting
from components.common.waiting import Clock
from components.longhorn import node_tags
from components.longhorn.node_tags import LonghornNodeTagsProvider
from tests.unit.doubles.a_cluster import ACluster, api_error
from tests.unit.doubles.a_stack import mistake, nodes, run, valid, waits_for

_PROPS = {
    "kubeconfig": "k",
    "context": None,
    "node_name": "node-1",
    "tags": ["fast", "ssd"],
    "timeout_seconds": 60,
}
PROVIDER = LonghornNodeTagsProvider()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    one = ACluster()
    one.objects["nodes"]["node-1"] = {"spec": {"tags": ["theirs"], "disks": {"a": {}}}}
    monkeypatch.setattr(node_tags, "open_cluster", lambda _props: one)
    monkeypatch.setattr(node_tags, "open_for_removal", lambda _props: one)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", Clock(sleep=lambda _: None))
    return one


def _spec(cluster: ACluster) -> Any:
    return cluster.objects["nodes"]["node-1"]["spec"]


def test_tags_are_added_and_those_of_others_stay(cluster: ACluster) -> None:
    id_, state = PROVIDER.make(_PROPS)
    assert id_ == "tags-node-1"
    assert state == _PROPS
    assert _spec(cluster) == {"tags": ["fast", "ssd", "theirs"], "disks": {"a": {}}}


def test_a_node_without_any_tag_gets_them(cluster: ACluster) -> None:
    del _spec(cluster)["tags"]
    PROVIDER.make(_PROPS)
    assert _spec(cluster)["tags"] == ["fast", "ssd"]


def test_a_tag_that_is_no_longer_listed_goes(cluster: ACluster) -> None:
    PROVIDER.make(_PROPS)
    PROVIDER.change(_PROPS, {**_PROPS, "tags": ["ssd", "new"]})
    assert _spec(cluster)["tags"] == ["new", "ssd", "theirs"]


def test_a_refresh_sees_a_tag_that_somebody_took_off(cluster: ACluster) -> None:
    PROVIDER.make(_PROPS)
    assert PROVIDER.look(_PROPS) == _PROPS
    _spec(cluster)["tags"] = ["ssd", "other"]
    assert PROVIDER.look(_PROPS) == {**_PROPS, "tags": ["ssd"]}
    cluster.objects["nodes"].clear()
    assert PROVIDER.look(_PROPS) is None


def test_a_removal_takes_off_only_its_own(cluster: ACluster) -> None:
    PROVIDER.make(_PROPS)
    PROVIDER.remove(_PROPS)
    assert _spec(cluster)["tags"] == ["theirs"]


def test_a_node_that_longhorn_does_not_have_needs_no_removal(cluster: ACluster) -> None:
    cluster.objects["nodes"].clear()
    PROVIDER.remove(_PROPS)


@pytest.mark.parametrize("status", [409, 403, 500])
def test_a_refusal_that_passes_is_tried_again(cluster: ACluster, status: int) -> None:
    cluster.refusals = [api_error(status, "admission webhook denied the request")]
    PROVIDER.make(_PROPS)
    assert "fast" in _spec(cluster)["tags"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_stays_is_raised(cluster: ACluster, status: int) -> None:
    cluster.refusals = [api_error(status, "nodes.longhorn.io is forbidden")]
    with pytest.raises(Exception, match=str(status)):
        PROVIDER.make(_PROPS)


def test_only_nodes_with_tags_have_the_resource_and_it_waits_for_longhorn() -> None:
    recording = run(valid(nodes=nodes({"tags": ["fast"]}, {})))
    names = [r.name for r in recording.resources if r.name.endswith("-tags")]
    assert names == ["longhorn-node-1-tags"]
    assert recording.named("longhorn-node-1-tags").inputs["tags"] == ["fast"]
    assert waits_for(recording, "longhorn-node-1-tags", "longhorn-ready")


def test_tags_of_a_node_without_disks_are_refused() -> None:
    problem = mistake(valid(nodes=nodes({"tags": ["fast"], "disks": []}, {})))
    assert problem.key == "longhorn-rancher:nodes[0].tags"
