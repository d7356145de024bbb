"""Longhorn's uninstallation to the end: nothing is left, and its namespace is gone."""

from typing import Any

import pulumi

from components.cluster.api import ClusterApi, cluster_inputs, unless_missing
from components.cluster.gone import open_for_removal
from components.common.answers import listed
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.waiting import wait_until
from components.longhorn.objects import NAMESPACE
from components.longhorn.removal.guard import refusal
from components.longhorn.removal.leftovers import Leftovers
from components.longhorn.volumes import read_volumes
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings


class LonghornUninstallProvider(DynamicProvider):
    """Does nothing until it is deleted."""

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Nothing to do: Longhorn is about to be installed."""
        return "longhorn-uninstall", new

    def remove(self, state: Properties) -> None:
        """Wait until nothing of Longhorn is left, then delete its namespace.

        Raises RuntimeError listing volumes that are still there, TimeoutError naming what is stuck.
        """
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
    namespace: Any = unless_missing(cluster.core.read_namespace, NAMESPACE)
    if namespace is None:
        return []
    if namespace.metadata.deletion_timestamp is None:
        unless_missing(cluster.core.delete_namespace, NAMESPACE)
    reasons = [
        condition.message
        for condition in listed(namespace.status.conditions)
        if condition.status == "True"
    ]
    holders = listed(namespace.metadata.finalizers)
    if holders:
        reasons.append(f"(held by the finalizer {', '.join(holders)})")
    return [f"namespace {NAMESPACE} {' '.join(reasons)}".rstrip()]


class LonghornUninstall(DynamicResource, module="longhorn", name="Uninstall"):
    """Owns the end of Longhorn: namespace and release depend on it, so it is deleted after both.

    Helm's own wait can't stand in for it: definitions that are stuck in a finalizer make it run
    into its deadline, and the release is forgotten although half of it is still there.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        longhorn: LonghornSettings,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it; Longhorn's timeout is for the uninstallation, and again for the namespace."""
        inputs = {
            **cluster_inputs(cluster),
            "allow_uninstall": longhorn.allow_uninstall,
            "timeout_seconds": longhorn.timeout_seconds,
        }
        super().__init__(LonghornUninstallProvider(), name, inputs, opts)
