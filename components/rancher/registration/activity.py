"""When a cluster counts as active in Rancher and stays so, and waiting for that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.common.waiting import SYSTEM_CLOCK, Clock, wait_until
from components.rancher.agent.connection import image_of, rollout_problem
from components.rancher.api.clusters import Cluster
from components.rancher.api.errors import ClusterNotActiveError
from components.rancher.api.transport import Say

_INTERVAL_SECONDS = 2.0
_LOST_SECONDS = 30.0
"""How long an agent that was there may be away before Rancher is asked to deploy it again."""
_FIRST_SECONDS = 120.0
"""How long Rancher's first Deployment of its agent may take, which a loaded cluster needs."""
_AGAIN_SECONDS = 120.0
_GONE_SECONDS = 15.0
"""How long Rancher may hide a cluster that it has, as it does while it starts."""
_IMAGE_SECONDS = 180.0
"""How long Rancher may take to begin with its agent's new image."""


@dataclass(frozen=True, kw_only=True)
class RancherView:
    """What Rancher can be asked about one cluster.

    cluster: the cluster as Rancher sees it; None if it has no such.
    agent: the agent's Deployment, asked for through the agent; None if it doesn't answer.
    deploy_again: has Rancher deploy its agent once more.
    """

    cluster: Callable[[], Cluster | None]
    agent: Callable[[], Mapping[str, Any] | None]
    deploy_again: Callable[[Cluster], None]


def gone(cluster_id: str) -> str:
    """Says of a cluster that was registered and is not there what to do. Pure."""
    return (
        f"{cluster_id}: Rancher has no such cluster any more, or hides it from this user. If "
        "somebody deleted it there, `pulumi up --refresh` registers it again, once Rancher's "
        "clean-up in the cluster (Job default/cattle-cleanup-…) is gone."
    )


def why_not_active(cluster: Cluster | None) -> str:
    """What keeps the cluster from counting as active; empty when nothing does. Pure.

    Both conditions are asked for, since the state can be active before the agent is connected.
    """
    if cluster is None:
        return "Rancher has no such cluster"
    if cluster.state != "active":
        return f"its state is {cluster.state!r}{_reason(cluster)}"
    for condition in ("Connected", "Ready"):
        if not cluster.is_true(condition):
            return f"its condition {condition} is not True{_reason(cluster)}"
    return ""


def why_not_settled(agent: Mapping[str, Any] | None, image: str) -> str:
    """What is still to come after the cluster is active; empty when nothing is. Pure.

    Args:
        agent: The agent's Deployment as the agent itself sees it; None if it doesn't answer.
        image: The agent's image that goes with Rancher's version; empty if it doesn't matter.
    """
    if agent is None:
        return "its agent does not answer through Rancher"
    problem = rollout_problem(agent)
    if problem:
        return f"its agent is being renewed: {problem}"
    if image and _tag(image_of(agent)) != _tag(image):
        return f"its agent is still {image_of(agent)}, and Rancher renews it"
    return ""


def wait_until_active(
    rancher: RancherView,
    *,
    cluster_id: str,
    image: str,
    confirmations: int,
    timeout_seconds: float,
    say: Say,
    clock: Clock | None = None,
) -> None:
    """Look until the cluster was active, and its agent settled, `confirmations` times in a row.

    An agent that Rancher had deployed and that stays away is deployed again through Rancher.
    Another image than `image` is waited for only for a while: Rancher may have been told to give
    this cluster another one.

    Raises ClusterNotActiveError at the deadline, with what Rancher said last, and soon where it
    has no such cluster.
    """
    clock = clock or SYSTEM_CLOCK
    started = connected = clock.now()
    asked = started - _AGAIN_SECONDS
    hidden: float | None = None

    def missing() -> list[str]:
        nonlocal connected, asked, hidden
        cluster = rancher.cluster()
        why = why_not_active(cluster)
        agent = None if why else rancher.agent()
        now = clock.now()
        # Since Rancher said so first: one that did not answer has hidden nothing.
        hidden = None if cluster is not None else now if hidden is None else hidden
        if hidden is not None and now - hidden >= _GONE_SECONDS:
            raise ClusterNotActiveError(gone(cluster_id))
        connected = connected if agent is None else now
        if not why:
            why = why_not_settled(agent, image if now - started < _IMAGE_SECONDS else "")
        is_lost = now - connected >= _patience(cluster) and now - asked >= _AGAIN_SECONDS
        if is_lost and cluster is not None and cluster.is_true("AgentDeployed"):
            say(f"cluster {cluster_id}: {why}; Rancher is asked to deploy its agent again")
            rancher.deploy_again(cluster)
            asked = now
        return [why] if why else []

    try:
        wait_until(
            f"Cluster {cluster_id}, active in Rancher",
            missing,
            timeout_seconds=timeout_seconds,
            say=say,
            confirmations=confirmations,
            interval_seconds=_INTERVAL_SECONDS,
            clock=clock,
        )
    except TimeoutError as error:
        raise ClusterNotActiveError(
            f"{error}. See what its agent says: kubectl -n cattle-system get pods, and kubectl -n "
            "cattle-system logs deploy/cattle-cluster-agent. It must reach Rancher's server-url "
            "from a pod."
        ) from None


def _patience(cluster: Cluster | None) -> float:
    is_first = cluster is not None and cluster.state in ("pending", "waiting")
    return _FIRST_SECONDS if is_first else _LOST_SECONDS


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].rpartition(":")[2]


def _reason(cluster: Cluster) -> str:
    for kind, (status, said) in sorted(cluster.conditions.items()):
        if status != "True" and said:
            return f" ({kind}: {said})"
    return ""
