"""Whether the cluster belongs to somebody else already, and whether this stack's agent runs.

Asked before anything is declared. So is whether Rancher's clean-up of an earlier import works.

What begins with `check_` is pure; the rest looks at the API, and reads only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed, mapped
from components.common.owner import MARK
from components.preflight.report import CheckResult, of_cluster
from components.rancher.api.addresses import is_same_address
from components.rancher.registration.belongings import JOB_NAMESPACE, working_jobs

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
    owner: str | None = None
    """Which one, by the mark on the agent's namespace."""
    replicas: int | None
    """How many pods it is to have; None where it is gone, and its namespace says whose it was."""
    is_away: bool
    """Whether it is to run, and no pod of it is available."""


def read_agent(api: ClusterApi) -> AgentFacts | None:
    """Ask the cluster; None where no agent is, and no stack has had one.

    Raises whatever the client raises when the cluster does not answer.
    """
    found: Any = unless_missing(
        api.apps.read_namespaced_deployment, *_AGENT, _request_timeout=_ANSWER_SECONDS
    )
    namespace: Any = unless_missing(
        api.core.read_namespace, _AGENT[1], _request_timeout=_ANSWER_SECONDS
    )
    owner = mapped(namespace and namespace.metadata.annotations).get(MARK)
    if found is None:
        if owner is None:
            return None
        return AgentFacts(server="", is_managed=True, owner=owner, replicas=None, is_away=False)
    variables = listed(found.spec.template.spec.containers[0].env)
    managers = [str(entry.manager) for entry in listed(found.metadata.managed_fields)]
    return AgentFacts(
        server=next((str(each.value) for each in variables if each.name == _SERVER), ""),
        is_managed=any(manager.startswith(_FIELD_MANAGER) for manager in managers),
        owner=owner,
        replicas=int(found.spec.replicas or 0),
        is_away=bool(found.spec.replicas) and not found.status.available_replicas,
    )


def agent_finding(agent: AgentFacts | None, stack: str) -> str | None:
    """That this stack's agent has no pods by somebody's hand; nothing of another's.

    Args:
        agent: What runs in the cluster.
        stack: What `this_stack` tells.
    """
    if agent is None or agent.owner != stack or agent.replicas:
        return None
    if agent.replicas is None:
        return f"there is no Deployment {_AGENT[0]}"
    return f"Deployment {_AGENT[0]} is scaled to 0"


def check_agent(
    agent: AgentFacts | None, rancher_url: str | None, stack: str
) -> Iterator[CheckResult]:
    """An agent of another Rancher, which would be taken over; one of this Rancher that is away.

    Args:
        agent: What runs in the cluster.
        rancher_url: Where this stack's agent is to report to; None where only the manifest that a
            person gave tells.
        stack: What `this_stack` tells. Its own agent moves with a changed address.
    """
    if agent is None or agent.replicas is None:
        return
    is_ours = agent.owner == stack
    if rancher_url is not None:
        # A Pulumi program that leaves no mark may be an earlier version of this one.
        is_unmarked = agent.owner is None and agent.is_managed
        is_ours = is_ours or is_unmarked or is_same_address(agent.server, rancher_url)
    if is_ours:
        if agent.is_away:
            yield of_cluster(
                "rancherAgent",
                "warning",
                f"no pod of {_AGENT[0]} is available, so Rancher does not reach the cluster",
                f"See why: kubectl -n {_AGENT[1]} describe pods -l app={_AGENT[0]}.",
            )
        return
    if rancher_url is None:
        return
    yield of_cluster(
        "otherRancher",
        "error",
        f"the cluster is imported into the Rancher at {agent.server} already"
        + (f", by the stack {agent.owner}" if agent.owner else ""),
        (
            f"Take it out there first (stages.rancherImport: false in {agent.owner})."
            if agent.owner
            else "If that is the same Rancher by another name, write this one in the stack file; "
            "if not, delete the cluster there first."
        )
        + " Accepted, its agent is moved to the Rancher of this stack.",
    )


def read_clean_up(api: ClusterApi) -> list[str]:
    """Names of the Jobs with which Rancher clears up after an import, as long as they work."""
    return working_jobs(api, _ANSWER_SECONDS)


def check_clean_up(jobs: Sequence[str]) -> Iterator[CheckResult]:
    """A clean-up at work: a minute after Rancher has forgotten a cluster it deletes the agent.

    One that was imported again meanwhile is cut off then.

    Args:
        jobs: What `read_clean_up` found.
    """
    if jobs:
        names = ", ".join(f"{JOB_NAMESPACE}/{name}" for name in jobs)
        yield of_cluster(
            "rancherCleanUp",
            "error",
            f"Rancher's clean-up is at work (Job {names}) and would take a new import away again",
            "Wait until it is gone, then `pulumi up --refresh`.",
        )
