"""Whether another Rancher has the cluster already, and whether the agent of this one runs.

Asked before anything is declared.

`check_agent` is pure; `read_agent` is the only look at the API, and reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed
from components.preflight.report import CheckResult, of_cluster

_AGENT = ("cattle-cluster-agent", "cattle-system")
_SERVER = "CATTLE_SERVER"
# How an object that Pulumi applied names who owns its fields.
_FIELD_MANAGER = "pulumi-kubernetes"
_ANSWER_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class AgentFacts:
    """Rancher's agent as it runs in the cluster."""

    server: str
    """The Rancher that it reports to."""
    is_managed: bool
    """Whether a Pulumi stack put it there."""
    is_away: bool
    """Whether it is to run, and no pod of it is available."""


def read_agent(api: ClusterApi) -> AgentFacts | None:
    """Ask the cluster; None where no agent is.

    Raises whatever the client raises when the cluster does not answer.
    """
    found: Any = unless_missing(
        api.apps.read_namespaced_deployment, *_AGENT, _request_timeout=_ANSWER_SECONDS
    )
    if found is None:
        return None
    variables = listed(found.spec.template.spec.containers[0].env)
    managers = [str(entry.manager) for entry in listed(found.metadata.managed_fields)]
    return AgentFacts(
        server=next((str(each.value) for each in variables if each.name == _SERVER), ""),
        is_managed=any(manager.startswith(_FIELD_MANAGER) for manager in managers),
        is_away=bool(found.spec.replicas) and not found.status.available_replicas,
    )


def check_agent(agent: AgentFacts | None, rancher_url: str) -> Iterator[CheckResult]:
    """An agent of another Rancher, which would be taken over; one of this Rancher that is away."""
    if agent is None:
        return
    if agent.is_managed or agent.server.rstrip("/") == rancher_url.rstrip("/"):
        if agent.is_away:
            yield of_cluster(
                "rancherAgent",
                "warning",
                f"no pod of {_AGENT[0]} is available, so Rancher does not reach the cluster",
                f"See why: kubectl -n {_AGENT[1]} describe pods -l app={_AGENT[0]}.",
            )
        return
    yield of_cluster(
        "otherRancher",
        "error",
        f"the cluster is imported into the Rancher at {agent.server} already",
        "Delete it there first. Accepted, its agent is moved to the Rancher of this stack.",
    )
