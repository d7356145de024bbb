"""Pulumi's provider for the cluster."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from configuration.cluster import ClusterSettings


def kubernetes_provider(
    cluster: ClusterSettings, parent: pulumi.Resource | None = None
) -> kubernetes.Provider:
    """The provider for the stack's cluster.

    It is bound to the name that the cluster had at first, since a kubeconfig that moved or got a
    new token, or another name, must not replace everything in the cluster. It overrides other
    owners of the few fields that this program sets (labels, annotations), so that a change by hand
    is put right by `up`. It takes over an object that is there already: an interrupted run may have
    made it.

    Args:
        cluster: The cluster.
        parent: What it is a part of; the stack itself if None.
    """
    return _provider("cluster", cluster, parent, takes_over=True)


def replacing_provider(
    name: str, cluster: ClusterSettings, parent: pulumi.Resource
) -> kubernetes.Provider:
    """A provider for objects that Kubernetes lets nobody change, which are only made anew.

    A preview of a replacement would else have the API server try the new object over the old one,
    and fail: the plugin knows that refusal only in words that API servers before 1.36 do not use
    for a StorageClass. It takes over nothing that is there already.
    Source: pulumi-kubernetes 4.32.0, provider/pkg/await/await.go, Creation; pulumi-kubernetes#3767.

    Args:
        name: The provider's name.
        cluster: The cluster.
        parent: What it is a part of.
    """
    return _provider(name, cluster, parent, takes_over=False)


def _provider(
    name: str, cluster: ClusterSettings, parent: pulumi.Resource | None, *, takes_over: bool
) -> kubernetes.Provider:
    return kubernetes.Provider(
        name,
        kubeconfig=str(Path(cluster.kubeconfig).expanduser()),
        context=cluster.context,
        cluster_identifier=cluster.name,
        enable_server_side_apply=takes_over,
        enable_patch_force=takes_over or None,
        upsert_existing_objects=takes_over or None,
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["clusterIdentifier"]),
    )
