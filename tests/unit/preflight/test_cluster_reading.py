"""What one look at the cluster asks for, by what the stack is made of."""

from typing import Any

import pytest

from components.common.owner import this_stack
from components.longhorn.findings import LonghornFindings
from components.preflight import cluster_reading
from components.preflight.agent import AgentFacts
from components.preflight.cluster_facts import ClusterFacts, ClusterNode
from components.preflight.cluster_reading import ClusterSeen, look_at_cluster
from configuration.settings import Settings
from tests.unit.doubles.a_stack import load, valid, with_secrets
from tests.unit.doubles.a_storage import a_storage

_OTHER = "https://other.example.com"
_OFF = dict.fromkeys(("packages", "disks", "labels", "longhorn", "frontend"), False)


def _with_given_manifest() -> Settings:
    config = valid(rancher=None, stages={**_OFF, "rancher": False, "rancherImport": True})
    return load(with_secrets(config, rancherManifestUrl="https://rancher/v3/import/t.yaml"))


@pytest.fixture(autouse=True)
def _in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def asking(_seconds: float, look: Any, _unanswered: Any) -> Any:
        return look

    monkeypatch.setattr(cluster_reading, "asking", asking)
    monkeypatch.setattr(cluster_reading, "ClusterApi", lambda *_given: object())
    monkeypatch.setattr(cluster_reading, "read_clean_up", lambda _api: [])


@pytest.mark.parametrize("runs", [True, False])
def test_a_longhorn_that_is_not_the_stack_s_is_known_to_run_and_nothing_is_said_of_it(
    monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    facts = ClusterFacts(
        version="v1.28.4",
        global_priority_class=None,
        dns_replicas=2,
        nodes={"node-1": ClusterNode()},
    )
    monkeypatch.setattr(cluster_reading, "read_cluster", lambda *_given: facts)
    monkeypatch.setattr(cluster_reading, "check_cluster", lambda *_given: [])
    monkeypatch.setattr(cluster_reading, "read_storage", lambda _api: a_storage() if runs else None)
    config = valid(rancher=None, stages={**_OFF, "labels": True, "rancher": False})
    seen = look_at_cluster(load(config))()
    assert set(seen.nodes) == {"node-1"}
    assert seen.has_longhorn is runs
    assert seen.storage is None
    assert seen.longhorn == LonghornFindings()


def _seen(monkeypatch: pytest.MonkeyPatch, owner: str) -> ClusterSeen:
    agent = AgentFacts(server=_OTHER, is_managed=True, owner=owner, replicas=0, is_away=False)
    monkeypatch.setattr(cluster_reading, "read_agent", lambda _api: agent)
    return look_at_cluster(_with_given_manifest())()


def test_the_agent_of_a_given_manifest_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _seen(monkeypatch, this_stack())
    assert seen.agent == "Deployment cattle-cluster-agent is scaled to 0"


def test_nobody_knows_to_which_rancher_a_given_manifest_leads_so_no_other_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = _seen(monkeypatch, "project/another")
    assert (seen.agent, seen.results) == (None, [])
