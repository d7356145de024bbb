"""What the cluster says of Longhorn at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import listed, mapped
from components.common.owner import MARK
from components.longhorn.objects import DRIVER, NAMESPACE, VERSION_SETTING, read_objects

DEFAULT_CLASS_KEYS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)

TAKEN_FROM = f"{MARK}-default-class"
"""Annotation of a StorageClass that is no longer the default: the stack that took that from it."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A DaemonSet or Deployment: how many pods it wants and how many are ready."""

    name: str
    wanted: int
    ready: int
    """Pods of the present template that are ready; those of an earlier one do not count."""
    images: Sequence[str] = ()
    """Images of its containers."""
    arguments: Sequence[str] = ()
    """Command of its first container."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What the cluster says of Longhorn at one moment."""

    settings: Mapping[str, str]
    """Values of Longhorn's settings by name."""
    daemon_sets: Sequence[Workload]
    deployments: Sequence[Workload]
    has_driver: bool
    storage_classes: Sequence[str]
    default_classes: Sequence[str]
    taken_classes: Mapping[str, str] = field(default_factory=dict[str, str])
    """The classes that a stack made no default any more, by name: that stack."""
    nodes: Mapping[str, Mapping[str, Any]]
    """nodes.longhorn.io by name."""

    class_parts: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict[str, Mapping[str, Any]]
    )
    """What nobody can change in a StorageClass of Longhorn's driver, by the class's name."""

    @property
    def version(self) -> str | None:
        """The version that Longhorn itself says it is; None before it says any."""
        return self.settings.get(VERSION_SETTING)


def read_snapshot(cluster: ClusterApi) -> Snapshot:
    """Ask the API server. Raises ApiError when it refuses."""
    apps, storage = cluster.apps, cluster.storage
    classes = storage.list_storage_class().items
    return Snapshot(
        settings={
            name: str(setting.get("value") or "")
            for name, setting in _by_name(cluster, "settings").items()
        },
        daemon_sets=[
            _workload(
                item,
                item.status.desired_number_scheduled,
                item.status.number_ready,
                item.status.updated_number_scheduled,
            )
            for item in apps.list_namespaced_daemon_set(NAMESPACE).items
        ],
        deployments=[
            _workload(
                item,
                item.spec.replicas,
                item.status.ready_replicas,
                item.status.updated_replicas,
            )
            for item in apps.list_namespaced_deployment(NAMESPACE).items
        ],
        has_driver=any(item.metadata.name == DRIVER for item in storage.list_csi_driver().items),
        storage_classes=[item.metadata.name for item in classes],
        default_classes=sorted(
            item.metadata.name
            for item in classes
            if any(
                mapped(item.metadata.annotations).get(key) == "true" for key in DEFAULT_CLASS_KEYS
            )
        ),
        taken_classes={
            item.metadata.name: str(taker)
            for item in classes
            if (taker := mapped(item.metadata.annotations).get(TAKEN_FROM))
        },
        nodes=_by_name(cluster, "nodes"),
        class_parts={
            item.metadata.name: class_parts(item) for item in classes if item.provisioner == DRIVER
        },
    )


def class_parts(item: Any) -> dict[str, Any]:
    """What nobody can change in a StorageClass, beside its provisioner."""
    return {
        "parameters": mapped(item.parameters),
        "reclaimPolicy": item.reclaim_policy,
        "volumeBindingMode": item.volume_binding_mode,
    }


def _by_name(cluster: ClusterApi, plural: str) -> Mapping[str, Mapping[str, Any]]:
    found = read_objects(cluster, plural) or []
    return {item["metadata"]["name"]: item for item in found}


def _workload(item: Any, wanted: int | None, ready: int | None, updated: int | None) -> Workload:
    containers: list[Any] = item.spec.template.spec.containers
    is_observed = (item.status.observed_generation or 0) >= item.metadata.generation
    return Workload(
        name=item.metadata.name,
        wanted=wanted or 0,
        ready=min(ready or 0, updated or 0) if is_observed else 0,
        images=[str(container.image) for container in containers],
        arguments=listed(containers[0].command),
    )
