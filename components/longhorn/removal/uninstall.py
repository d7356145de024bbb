"""Longhorn's uninstallation to the end: nothing is left, and its namespace is gone."""

from dataclasses import dataclass

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import ApiError, ClusterApi, status_of
from components.cluster.gone import open_for_removal
from components.common.answers import listed
from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import wait_until
from components.longhorn.objects import NAMESPACE
from components.longhorn.removal.guard import refusal
from components.longhorn.removal.leftovers import Leftovers
from components.longhorn.volumes import read_volumes
from configuration.cluster import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class LonghornUninstallArgs:
    """What is waited for."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    allow_uninstall: bool
    """Whether volumes that are still there may go with the namespace (longhorn.allowUninstall)."""
    timeout_seconds: int
    """Deadline for the uninstallation, and again for the namespace."""


class LonghornUninstallProvider(DynamicProvider):
    """Does nothing until it is deleted."""

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Nothing to do: Longhorn is about to be installed."""
        return "longhorn-uninstall", new

    def change(self, id_: str, old: Properties, new: Properties) -> Properties:
        """Nothing to do but to have it in the state."""
        del id_, old
        return new

    def remove(self, id_: str, state: Properties) -> None:
        """Wait until nothing of Longhorn is left, then delete its namespace.

        Raises RuntimeError listing volumes that are still there, TimeoutError naming what is stuck.
        """
        del id_
        cluster = open_for_removal(state)
        if cluster is None:
            return
        volumes = read_volumes(cluster)
        if volumes and not state["allow_uninstall"]:
            raise RuntimeError(refusal(volumes))
        seconds = float(state["timeout_seconds"])
        wait_until(
            "Longhorn's uninstallation",
            Leftovers(cluster).read,
            timeout_seconds=seconds,
            still="Still there",
        )
        wait_until(
            f"deleting namespace {NAMESPACE}",
            lambda: _namespace_left(cluster),
            timeout_seconds=seconds,
            still="Still there",
        )


def _namespace_left(cluster: ClusterApi) -> list[str]:
    """What keeps the namespace; deletes it first where nobody has yet."""
    try:
        namespace = cluster.core.read_namespace(NAMESPACE)
        if namespace.metadata.deletion_timestamp is None:
            cluster.core.delete_namespace(NAMESPACE)
    except ApiError as error:
        if status_of(error) == 404:
            return []
        raise
    reasons = [
        condition.message
        for condition in listed(namespace.status.conditions)
        if condition.status == "True"
    ]
    return [f"namespace {NAMESPACE} {' '.join(reasons)}".rstrip()]


class LonghornUninstall(Resource, module="longhorn", name="Uninstall"):
    """Owns the end of Longhorn: namespace and release depend on it, so it is deleted after both.

    Helm's own wait can't stand in for it: definitions that are stuck in a finalizer make it run
    into its deadline, and the release is forgotten although half of it is still there.
    """

    def __init__(
        self,
        name: str,
        args: LonghornUninstallArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            LonghornUninstallProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "allow_uninstall": args.allow_uninstall,
                "timeout_seconds": args.timeout_seconds,
            },
            opts,
        )
