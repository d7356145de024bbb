"""What stands between the agent and its namespace, and lets the namespace go at the end."""

from typing import Any

import pytest

from components.rancher.agent import additions
from components.rancher.agent.additions import RancherAgentAdditionsProvider
from tests.unit.doubles.a_cluster import api_error
from tests.unit.doubles.a_ranchers_cluster import ARanchersCluster
from tests.unit.doubles.a_stack import run, valid, waits_for

RANCHERS, OTHERS = "controller.cattle.io/namespace-auth", "example.com/mine"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ARanchersCluster:
    made = ARanchersCluster()
    made.namespaces |= {"cattle-system", "team"}
    made.finalizers = {"cattle-system": [RANCHERS, OTHERS], "team": [RANCHERS]}
    monkeypatch.setattr(additions, "open_for_removal", lambda _: made)
    return made


def removed() -> None:
    state = {"kubeconfig": "k", "context": None, "objects": "[]", "missing": []}
    RancherAgentAdditionsProvider().delete("additions", state)


def test_every_namespace_goes_without_rancher_and_what_others_wait_for_stays(
    cluster: ARanchersCluster,
) -> None:
    removed()
    assert cluster.finalizers == {"cattle-system": [OTHERS], "team": []}


def test_an_agent_that_still_runs_looks_after_the_namespaces(cluster: ARanchersCluster) -> None:
    cluster.deployments = {"cattle-system/cattle-cluster-agent"}
    removed()
    assert cluster.finalizers == {"cattle-system": [RANCHERS, OTHERS], "team": [RANCHERS]}


def test_a_namespace_that_somebody_changes_meanwhile_is_looked_at_again(
    cluster: ARanchersCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, refused = cluster.replace_namespace, [api_error(409)]

    def busy(name: str, body: Any) -> None:
        if refused:
            raise refused.pop()
        replace(name, body)

    monkeypatch.setattr(cluster, "replace_namespace", busy)
    removed()
    assert cluster.finalizers["cattle-system"] == [OTHERS]


def test_a_namespace_that_is_gone_needs_nothing(cluster: ARanchersCluster) -> None:
    cluster.namespaces.remove("cattle-system")
    removed()


def test_a_rancher_in_the_cluster_itself_looks_after_its_namespaces(
    cluster: ARanchersCluster,
) -> None:
    cluster.services = {"cattle-system/rancher"}
    removed()
    assert cluster.finalizers["cattle-system"] == [RANCHERS, OTHERS]


def test_the_namespace_is_let_go_after_the_agent_and_before_it_is_deleted() -> None:
    recording = run(valid(stages={"rancherImport": True}))
    assert waits_for(recording, "rancher-agent-deployment", "rancher-agent-additions")
    assert waits_for(recording, "rancher-agent-additions", "rancher-agent-namespace")
