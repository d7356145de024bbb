"""What a StorageClass of the stack holds that nobody can change in it. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.common.answers import mapped
from components.longhorn.objects import NAMESPACE
from components.longhorn.policies.encryption_key import SECRET_NAME
from configuration.storage_classes import StorageClassSettings

_STALE_REPLICA_MINUTES = "30"
# Never the ones of provisioner and controller: the driver of 1.5 and 1.6 does not read them, and
# that of later versions may not (longhorn-manager v1.5.3, csi/node_server.go).
_SECRET_USERS = ("node-stage", "node-publish", "node-expand")


def parameters(settings: StorageClassSettings, replicas: int) -> dict[str, str]:
    """The class's parameters (longhorn-manager v1.5.3, csi/util.go).

    Args:
        settings: The class.
        replicas: Replicas of volumes where the class does not say how many.
    """
    values = {
        "numberOfReplicas": str(replicas if settings.replicas is None else settings.replicas),
        "staleReplicaTimeout": _STALE_REPLICA_MINUTES,
        "dataLocality": settings.data_locality,
        "fsType": settings.file_system,
    }
    if settings.disk_tags:
        values["diskSelector"] = ",".join(settings.disk_tags)
    if settings.node_tags:
        values["nodeSelector"] = ",".join(settings.node_tags)
    if settings.nfs_options is not None:
        values["nfsOptions"] = settings.nfs_options
    selected = [
        *({"name": name, "isGroup": False} for name in settings.recurring_jobs),
        *({"name": name, "isGroup": True} for name in settings.recurring_job_groups),
    ]
    if selected:
        values["recurringJobSelector"] = json.dumps(selected)
    if settings.encrypted:
        values["encrypted"] = "true"
        for user in _SECRET_USERS:
            values[f"csi.storage.k8s.io/{user}-secret-name"] = SECRET_NAME
            values[f"csi.storage.k8s.io/{user}-secret-namespace"] = NAMESPACE
    return values


def fixed_parts(settings: StorageClassSettings, replicas: int) -> dict[str, Any]:
    """All of it, as Kubernetes names it; arguments as for parameters."""
    return {
        "parameters": parameters(settings, replicas),
        "reclaimPolicy": settings.reclaim_policy,
        "volumeBindingMode": settings.binding_mode,
    }


def class_changes(
    found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """What differs between the fixed parts of two classes: its name, what is there, and what is to
    be there."""
    before, after = mapped(found.get("parameters")), mapped(wanted.get("parameters"))
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key, "nothing"), after.get(key, "nothing")
    for key in ("reclaimPolicy", "volumeBindingMode"):
        if found.get(key) != wanted.get(key):
            yield key, found.get(key), wanted.get(key)
