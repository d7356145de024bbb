"""The finalizer that Rancher puts on every namespace, and who takes it off without Rancher.

A Rancher that has the cluster takes it off a namespace that is deleted. One that is gone, or has no
agent there any more, does not, and the namespace would wait for it for good.
Source: Rancher 2.8.5, pkg/controllers/managementuser/rbac/handler_base.go and
pkg/agent/clean/cluster.go.
"""

from typing import Any

from components.cluster.api import ApiError, ClusterApi, unless_missing
from components.common.answers import listed

FINALIZER = "controller.cattle.io/namespace-auth"
_ATTEMPTS = 5


def free_namespace(cluster: ClusterApi, name: str) -> None:
    """Take Rancher's finalizer off the namespace; those of others stay, and none is no error.

    One that somebody else changes all the time keeps it.
    """
    for _ in range(_ATTEMPTS):
        namespace: Any = unless_missing(cluster.core.read_namespace, name)
        found = listed(namespace.metadata.finalizers) if namespace is not None else []
        if namespace is None or FINALIZER not in found:
            return
        namespace.metadata.finalizers = [each for each in found if each != FINALIZER]
        try:
            # A patch would join the lists.
            unless_missing(cluster.core.replace_namespace, name, namespace)
        except ApiError as error:
            if error.status != 409:
                raise
        else:
            return


def free_namespaces(cluster: ClusterApi) -> None:
    """The same of every namespace: without Rancher none could be deleted."""
    for each in listed(cluster.core.list_namespace().items):
        if FINALIZER in listed(each.metadata.finalizers):
            free_namespace(cluster, each.metadata.name)


def why_not_removable(cluster: ClusterApi) -> str:
    """Why nothing of Rancher's may be removed from this cluster; empty when it may."""
    if unless_missing(cluster.core.read_namespaced_service, "rancher", "cattle-system"):
        return "a Rancher server runs in this cluster (Service cattle-system/rancher)"
    agent = "cattle-cluster-agent"
    if unless_missing(cluster.apps.read_namespaced_deployment, agent, "cattle-system"):
        return f"Rancher's agent is still in this cluster (Deployment cattle-system/{agent})"
    return ""
