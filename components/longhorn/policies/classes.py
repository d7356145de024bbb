"""StorageClasses beside Longhorn's own."""

import asyncio

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.api import ClusterApi
from components.longhorn.objects import DRIVER
from components.longhorn.policies.class_parameters import parameters
from components.longhorn.policies.present_class import remove_class
from configuration.cluster import ClusterSettings
from configuration.storage_classes import StorageClassSettings


def declare_class(
    name: str,
    settings: StorageClassSettings,
    replicas: int,
    *,
    cluster: ClusterSettings,
    opts: pulumi.ResourceOptions,
) -> kubernetes.storage.v1.StorageClass:
    """The class; what Kubernetes lets nobody change replaces it, and volumes keep theirs.

    One of Longhorn's that is in its place, and not in the state, makes room for it: an interrupted
    run has made it, or a person.

    Args:
        name: The resource's name.
        settings: The class.
        replicas: Replicas of volumes where the class does not say how many.
        cluster: Where it is.
        opts: With a provider that can replace it (components/cluster/provider.py).
    """

    async def make_room(_args: pulumi.ResourceHookArgs) -> None:
        there = ClusterApi(cluster.kubeconfig, cluster.context)
        if await asyncio.to_thread(remove_class, there, settings.name):
            pulumi.log.info(
                f"StorageClass {settings.name}, which the state did not have, is made anew"
            )

    return kubernetes.storage.v1.StorageClass(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(name=settings.name),
        provisioner=DRIVER,
        parameters=parameters(settings, replicas),
        reclaim_policy=settings.reclaim_policy,
        volume_binding_mode=settings.binding_mode,
        allow_volume_expansion=True,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                delete_before_replace=True,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"{name}-room", make_room)]
                ),
                # Beside the parameters, which the plugin knows of.
                replace_on_changes=["reclaimPolicy", "volumeBindingMode"],
            ),
        ),
    )
