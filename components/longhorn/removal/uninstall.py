"""Longhorn's uninstallation to the end: nothing is left, and its namespace is gone."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.cluster.api import ApiError, ClusterApi, status_of
from components.cluster.gone import open_for_removal
from components.common.answers import listed
from components.common.waiting import wait_until
from components.longhorn.objects import NAMESPACE
from components.longhorn.removal.guard import refusal
from components.longhorn.removal.leftovers import Leftovers
from components.longhorn.volumes import read_volumes
from configuration.cluster import ClusterSettings

_COMPARED = ("kubeconfig", "context", "allow_uninstall", "timeout_seconds")


@dataclass(frozen=True, kw_only=True)
class LonghornUninstallArgs:
    """What is waited for."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    allow_uninstall: bool
    """Whether volumes that are still there may go with the namespace (longhorn.allowUninstall)."""
    timeout_seconds: int
    """Deadline for the uninstallation, and again for the namespace."""


class LonghornUninstallProvider(ResourceProvider):
    """Does nothing until it is deleted."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing to do: Longhorn is about to be installed."""
        return CreateResult("longhorn-uninstall", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Every input counts: a removal goes by what stands in the state."""
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _COMPARED))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Nothing to do but to have it in the state."""
        return UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Wait until nothing of Longhorn is left, then delete its namespace.

        Raises RuntimeError listing volumes that are still there, TimeoutError naming what is stuck.
        """
        cluster = open_for_removal(_props)
        if cluster is None:
            return
        volumes = read_volumes(cluster)
        if volumes and not _props["allow_uninstall"]:
            raise RuntimeError(refusal(volumes))
        seconds = float(_props["timeout_seconds"])
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
