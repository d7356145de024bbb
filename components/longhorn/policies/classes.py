"""StorageClasses beside Longhorn's own."""

import pulumi
import pulumi_kubernetes as kubernetes

from components.longhorn.objects import DRIVER
from components.longhorn.policies.class_parameters import parameters
from configuration.storage_classes import StorageClassSettings


def declare_class(
    name: str, settings: StorageClassSettings, replicas: int, opts: pulumi.ResourceOptions
) -> kubernetes.storage.v1.StorageClass:
    """The class; what Kubernetes lets nobody change replaces it, and volumes keep theirs."""
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
                # Beside the parameters, which the plugin knows of.
                replace_on_changes=["reclaimPolicy", "volumeBindingMode"],
            ),
        ),
    )
