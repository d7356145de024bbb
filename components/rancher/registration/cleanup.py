"""The end of Rancher in the cluster: its clean-up has run, and what that leaves is removed."""

from collections.abc import Callable

import pulumi

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.waiting import Clock, wait_until
from components.rancher.agent.namespaces import free_namespaces, why_not_removable
from components.rancher.registration.belongings import (
    Belonging,
    belongings,
    clean_up_jobs,
    holds_data,
    remove,
    remove_job,
)
from configuration.cluster import ClusterSettings

_SECONDS = 300
"""How long Rancher's clean-up may take, and again what is removed after it."""


class RancherCleanupProvider(DynamicProvider):
    """Notes what was there before Rancher's agent came; deleted after the agent, it clears up."""

    outputs = ("kept",)
    replaced_by = ("owner",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Note what has one of Rancher's names already: that belongs to others."""
        found = belongings(open_cluster(new))
        return "rancher-cleanup", {**new, "kept": [str(each) for each in found]}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Nothing to do but to have it in the state."""
        return {**new, "kept": old["kept"]}

    def remove(self, state: Properties) -> None:
        """Wait for Rancher's clean-up and remove what it left. Raises TimeoutError naming it."""
        cluster = open_for_removal(state)
        if cluster is not None:
            clear(
                cluster,
                owner=str(state["owner"]),
                kept=frozenset(state["kept"]),
                timeout_seconds=float(state["timeout_seconds"]),
            )


def clear(
    cluster: ClusterApi,
    *,
    owner: str,
    kept: frozenset[str],
    timeout_seconds: float,
    say: Callable[[str], None] = tell,
    clock: Clock | None = None,
) -> None:
    """Wait until Rancher's clean-up Job has ended, then remove what is left of Rancher's.

    Args:
        owner: Uid that the cluster must have.
        kept: What was there before this stack's agent, as Belonging prints itself.
        timeout_seconds: For the Job, and again for the rest. A Job that does not end in time is
            deleted, since what follows does its work.
        say: Receives progress.

    Raises TimeoutError naming what does not go.
    """
    found = cluster.core.read_namespace("kube-system").metadata.uid
    if found != owner:
        say(f"Rancher: nothing is removed, because this is another cluster ({found}, not {owner})")
        return
    _wait_for_jobs(cluster, timeout_seconds, say, clock)
    why = why_not_removable(cluster)
    if why:
        say(f"Rancher: nothing of Rancher's is removed from the cluster, because {why}")
        return
    free_namespaces(cluster)
    reported = set[Belonging]()

    def left() -> list[str]:
        ours = [each for each in belongings(cluster) if str(each) not in kept]
        still = list[str]()
        for each in ours:
            if holds_data(cluster, each):
                if each not in reported:
                    say(f"Rancher: {each} is left, because it holds PersistentVolumeClaims")
                reported.add(each)
                continue
            if each not in reported:
                say(f"Rancher: removing {each}, which its clean-up left")
                reported.add(each)
            remove(cluster, each)
            still.append(str(each))
        return still

    wait_until(
        "removing what Rancher left in the cluster",
        left,
        timeout_seconds=timeout_seconds,
        say=say,
        still="Still there",
        clock=clock,
    )


def _wait_for_jobs(
    cluster: ClusterApi, seconds: float, say: Callable[[str], None], clock: Clock | None
) -> None:
    def running() -> list[str]:
        return [f"Job default/{name} is at work" for name in clean_up_jobs(cluster)]

    try:
        wait_until(
            "Rancher's clean-up in the cluster",
            running,
            timeout_seconds=seconds,
            say=say,
            still="Not done",
            clock=clock,
        )
    except TimeoutError as error:
        say(f"{error}. It is deleted, and what it would have removed is removed now.")
        for name in clean_up_jobs(cluster):
            remove_job(cluster, name)


class RancherCleanup(DynamicResource, module="rancher", name="Cleanup"):
    """Owns what Rancher's agent brings beside its manifest; the agent must depend on it.

    Then it is deleted after the agent's objects, and no agent makes again what it removes.
    """

    kept: pulumi.Output[list[str]]
    """What had one of Rancher's names before the agent came, and is never removed."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        owner: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it; owner is the uid of kube-system, and no other cluster is touched."""
        inputs = {**cluster_inputs(cluster), "owner": owner, "timeout_seconds": _SECONDS}
        super().__init__(RancherCleanupProvider(), name, inputs, opts)
