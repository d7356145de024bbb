"""A cluster that belongs to another Rancher is not taken over unasked."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.api import ApiError
from components.preflight.agent import (
    AgentFacts,
    agent_finding,
    check_agent,
    check_clean_up,
    read_agent,
    read_clean_up,
)
from components.preflight.report import CheckResult

URL = "https://rancher.example.com"
OTHER = "https://other.example.com"
STACK, PULUMI = "longhorn-rancher/prod", "pulumi-kubernetes-1a2b3c"


class FakeCluster:
    """Has an agent that reports to this server, or none; its fields belong to this manager."""

    def __init__(
        self,
        server: str | None,
        manager: str = "kubectl-client-side-apply",
        available: int = 1,
        owner: str | None = None,
        replicas: int = 1,
    ) -> None:
        self.apps = self.core = self
        self._owner = owner
        self._server, self._manager = server, manager
        self._available, self._replicas = available or None, replicas

    def read_namespaced_deployment(self, name: str, namespace: str, **_: Any) -> Any:
        assert (name, namespace) == ("cattle-cluster-agent", "cattle-system")
        if self._server is None:
            raise ApiError(404)
        variables = [
            SimpleNamespace(name="CATTLE_IS_RKE", value="false"),
            SimpleNamespace(name="CATTLE_SERVER", value=self._server),
        ]
        pod = SimpleNamespace(containers=[SimpleNamespace(env=variables)])
        return SimpleNamespace(
            spec=SimpleNamespace(replicas=self._replicas, template=SimpleNamespace(spec=pod)),
            status=SimpleNamespace(available_replicas=self._available),
            metadata=SimpleNamespace(managed_fields=[SimpleNamespace(manager=self._manager)]),
        )

    def read_namespace(self, name: str, **_: Any) -> Any:
        assert name == "cattle-system"
        if self._server is None and self._owner is None:
            raise ApiError(404)
        marks = {"longhorn-rancher/stack": self._owner} if self._owner else None
        return SimpleNamespace(metadata=SimpleNamespace(annotations=marks))


def facts(
    server: str | None,
    manager: str = "kubectl-client-side-apply",
    available: int = 1,
    owner: str | None = None,
    replicas: int = 1,
) -> AgentFacts | None:
    cluster: Any = FakeCluster(server, manager, available, owner, replicas)
    return read_agent(cluster)


def test_an_agent_of_another_rancher_is_an_error_that_names_it() -> None:
    (result,) = check_agent(facts(OTHER), URL, STACK)
    assert result.severity == "error"
    assert OTHER in result.found


def test_an_agent_that_another_stack_put_there_is_an_error_that_names_the_stack() -> None:
    (result,) = check_agent(facts(OTHER, PULUMI, owner="longhorn-rancher/old"), URL, STACK)
    assert (result.check, result.severity) == ("otherRancher", "error")
    assert "by the stack longhorn-rancher/old" in result.found
    assert "stages.rancherImport: false in longhorn-rancher/old" in result.remedy


@pytest.mark.parametrize(
    "agent",
    [
        facts(None),
        facts(URL),
        facts(f"{URL}/"),
        facts("https://RANCHER.example.com:443"),
        facts(OTHER, PULUMI),
        facts(OTHER, PULUMI, owner=STACK),
        facts(OTHER, owner=STACK),
    ],
    ids=[
        "none",
        "of this Rancher",
        "with a slash",
        "with the default port",
        "of a stack from before there were marks",
        "of this stack, before rancher.url changed",
        "of this stack, made again by Rancher",
    ],
)
def test_no_agent_one_of_this_rancher_and_one_of_this_program_are_fine(
    agent: AgentFacts | None,
) -> None:
    assert list(check_agent(agent, URL, STACK)) == []


@pytest.mark.parametrize("server", [URL, OTHER])
def test_an_agent_of_this_rancher_without_a_pod_is_told(server: str) -> None:
    (result,) = check_agent(facts(server, PULUMI, available=0), URL, STACK)
    assert (result.check, result.severity) == ("rancherAgent", "warning")
    assert "so Rancher does not reach the cluster" in result.found


@pytest.mark.parametrize(
    ("agent", "severities"),
    [
        (facts(OTHER), []),
        (facts(OTHER, PULUMI, available=0), []),
        (facts(OTHER, owner="longhorn-rancher/old", available=0), []),
        (facts(OTHER, owner=STACK), []),
        (facts(OTHER, owner=STACK, available=0), ["warning"]),
    ],
    ids=["somebody's", "some program's", "another stack's", "its own", "its own without a pod"],
)
def test_where_only_a_given_manifest_tells_the_rancher_nothing_is_said_but_of_its_own_agent(
    agent: AgentFacts | None, severities: list[str]
) -> None:
    assert [each.severity for each in check_agent(agent, None, STACK)] == severities


def test_an_agent_of_this_stack_that_is_scaled_to_0_is_found_and_no_warning_besides() -> None:
    agent = facts(URL, owner=STACK, available=0, replicas=0)
    assert agent_finding(agent, STACK) == "Deployment cattle-cluster-agent is scaled to 0"
    assert list(check_agent(agent, URL, STACK)) == []
    assert agent_finding(facts(URL, owner=STACK, available=0), STACK) is None


def test_an_agent_of_this_stack_that_is_gone_is_found_by_the_mark_on_its_namespace() -> None:
    gone = facts(None, owner=STACK)
    assert agent_finding(gone, STACK) == "there is no Deployment cattle-cluster-agent"
    assert list(check_agent(gone, URL, STACK)) == []
    assert agent_finding(facts(None), STACK) is None, "as before a first run"
    assert list(check_agent(facts(None, owner="longhorn-rancher/old"), URL, STACK)) == []


@pytest.mark.parametrize("server", [URL, OTHER, None])
@pytest.mark.parametrize("owner", [None, "longhorn-rancher/old"])
def test_of_an_agent_that_is_not_marked_as_this_stack_s_nothing_is_found(
    server: str | None, owner: str | None
) -> None:
    assert agent_finding(facts(server, PULUMI, owner=owner, replicas=0), STACK) is None


class FakeJobs:
    """Has these Jobs in the namespace default, each with the condition that is True of it."""

    def __init__(self, jobs: Mapping[str, str]) -> None:
        self.batch = self
        self._jobs = jobs

    def list_namespaced_job(self, namespace: str, **_: Any) -> Any:
        assert namespace == "default"
        return SimpleNamespace(
            items=[
                SimpleNamespace(
                    metadata=SimpleNamespace(name=name),
                    status=SimpleNamespace(
                        conditions=[SimpleNamespace(type=condition, status="True")]
                    ),
                )
                for name, condition in self._jobs.items()
            ]
        )


def clean_up(jobs: Mapping[str, str]) -> list[CheckResult]:
    cluster: Any = FakeJobs(jobs)
    return list(check_clean_up(read_clean_up(cluster)))


def test_a_clean_up_of_rancher_that_is_at_work_is_an_error_that_names_its_job() -> None:
    (result,) = clean_up({"cattle-cleanup-7x2kp": "", "backup": ""})
    assert (result.check, result.severity) == ("rancherCleanUp", "error")
    assert "Job default/cattle-cleanup-7x2kp" in result.found
    assert "`pulumi up --refresh`" in result.remedy


@pytest.mark.parametrize("condition", ["Failed", "Complete"])
def test_a_clean_up_that_has_ended_is_fine(condition: str) -> None:
    assert clean_up({"cattle-cleanup-7x2kp": condition}) == []
