"""An agent that somebody has scaled to 0 or deleted: found, run again, waited for."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.common.dynamic import FINDING
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from components.rancher.agent import running_agent
from components.rancher.agent.running_agent import RancherAgentConnectionProvider
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_stack import run, valid, with_secrets
from tests.unit.rancher.agent.test_connection import a_deployment, rancher_s

PROVIDER = RancherAgentConnectionProvider()
OFF = "Deployment cattle-cluster-agent is scaled to 0"
PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "deployment": a_deployment(),
    "incarnation": "uid",
    "timeout_seconds": 60,
    "environment": None,
    "host_aliases": None,
    FINDING: None,
}


class Agent:
    """The agent's Deployment in a cluster, whose pods come with the next moment that passes."""

    def __init__(self) -> None:
        self.any = self
        self.live: dict[str, Any] | None = rancher_s()
        self.has_room = True
        self.patches: list[Any] = []
        self.scale(2)
        self.tick()

    def scale(self, replicas: int) -> None:
        assert self.live is not None
        self.live["spec"]["replicas"] = replicas
        metadata = self.live["metadata"]
        metadata["generation"] = metadata.get("generation", 0) + 1

    def tick(self) -> None:
        if self.live is None:
            return
        replicas = self.live["spec"]["replicas"]
        available = replicas if self.has_room else 0
        self.live["status"] = {
            "observedGeneration": self.live["metadata"]["generation"],
            **dict.fromkeys(("replicas", "updatedReplicas"), replicas),
            "availableReplicas": available,
        }

    def call_api(self, path: str, method: str, body: Any = None, **_: Any) -> Any:
        if path.endswith("/pods"):
            return {"items": []}
        assert path.endswith("/deployments/cattle-cluster-agent")
        if self.live is None:
            raise ApiError(404)
        if method == "PATCH":
            self.patches.append(body)
            self.scale(body["spec"]["replicas"])
        return self.live


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    made = Agent()
    monkeypatch.setattr(running_agent, "open_cluster", lambda _props: made)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock(lambda _: made.tick()))
    return made


def _state() -> dict[str, Any]:
    return PROVIDER.make(PROPS)[1]


def test_an_agent_that_is_scaled_to_0_runs_again_and_its_pods_are_waited_for(agent: Agent) -> None:
    state = _state()
    agent.scale(0)
    after = PROVIDER.change(state, {**PROPS, FINDING: OFF})
    assert agent.patches == [{"spec": {"replicas": 1}}]
    assert agent.live is not None
    assert agent.live["status"]["availableReplicas"] == 1
    assert after["revision"] != state["revision"], "so that Rancher's own word is waited for"
    assert PROVIDER.diff("id", after, PROPS).changes is False


def test_an_agent_whose_pods_do_not_come_is_no_success(agent: Agent) -> None:
    state = _state()
    agent.scale(0)
    agent.has_room = False
    with pytest.raises(TimeoutError, match="0 of 1 new pods are available"):
        PROVIDER.change(state, {**PROPS, FINDING: OFF})


def test_an_agent_that_is_gone_is_an_error_with_what_makes_it_again(agent: Agent) -> None:
    state = _state()
    agent.live = None
    finding = "there is no Deployment cattle-cluster-agent"
    with pytest.raises(RuntimeError, match="`pulumi up --refresh`"):
        PROVIDER.change(state, {**PROPS, FINDING: finding})


def test_a_refresh_sees_an_agent_that_is_scaled_to_0_where_no_preview_looks(agent: Agent) -> None:
    state = _state()
    assert PROVIDER.look(state) == state
    agent.scale(0)
    seen = PROVIDER.look(state)
    assert seen is not None
    assert PROVIDER.diff("id", seen, PROPS).changes is True
    after = PROVIDER.change(seen, PROPS)
    assert agent.patches == [{"spec": {"replicas": 1}}]
    assert PROVIDER.look(after) == after
    assert PROVIDER.diff("id", after, PROPS).changes is False


@pytest.mark.parametrize("is_given", [True, False], ids=["a given manifest", "its own server"])
def test_what_was_found_reaches_the_resource(
    monkeypatch: pytest.MonkeyPatch, is_given: bool
) -> None:
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: Findings(agent=OFF))
    # A configuration of its own, since equal ones share one run.
    given = {"timeoutSeconds": 1777}
    config: Any = valid(stages={"rancherImport": True}, rancherImport=given)
    if is_given:
        stages = {"rancher": False, "rancherImport": True}
        config = with_secrets(
            valid(rancher=None, stages=stages, rancherImport=given),
            rancherManifestUrl="https://rancher/v3/import/t.yaml",
        )
    assert run(config).named("rancher-agent-connection").inputs[FINDING] == OFF
