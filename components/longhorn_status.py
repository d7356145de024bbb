"""What Longhorn has started by itself, and what of it is missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.kubernetes_api import ApiError, ClusterApi, listed, mapped, status_of
from components.longhorn_values import NAMESPACE

DRIVER = "driver.longhorn.io"
STORAGE_CLASS = "longhorn"
_DEFAULT_CLASS_KEYS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_DAEMON_SETS = ("longhorn-manager", "longhorn-csi-plugin")
_DEPLOYMENTS = ("csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter", "longhorn-ui")
_ENGINE_IMAGE_PREFIX = "engine-image-"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A DaemonSet or Deployment: how many pods it wants and how many are ready."""

    name: str
    wanted: int
    ready: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What the cluster says of Longhorn at one moment."""

    daemon_sets: Sequence[Workload]
    deployments: Sequence[Workload]
    has_driver: bool
    storage_classes: Sequence[str]
    default_classes: Sequence[str]
    nodes: Mapping[str, Mapping[str, Any]]
    """nodes.longhorn.io by name."""


class ClusterView:
    """Reads a Snapshot; changes nothing."""

    def __init__(self, cluster: ClusterApi) -> None:
        self._cluster = cluster

    def read(self) -> Snapshot:
        """Ask the API server anew. Raises ApiException when it does not answer."""
        apps, storage = self._cluster.apps, self._cluster.storage
        classes = storage.list_storage_class().items
        return Snapshot(
            daemon_sets=[
                Workload(
                    name=item.metadata.name,
                    wanted=item.status.desired_number_scheduled or 0,
                    ready=item.status.number_ready or 0,
                )
                for item in apps.list_namespaced_daemon_set(NAMESPACE).items
            ],
            deployments=[
                Workload(
                    name=item.metadata.name,
                    wanted=item.spec.replicas or 0,
                    ready=item.status.ready_replicas or 0,
                )
                for item in apps.list_namespaced_deployment(NAMESPACE).items
            ],
            has_driver=any(
                item.metadata.name == DRIVER for item in storage.list_csi_driver().items
            ),
            storage_classes=[item.metadata.name for item in classes],
            default_classes=sorted(
                item.metadata.name
                for item in classes
                if any(
                    mapped(item.metadata.annotations).get(key) == "true"
                    for key in _DEFAULT_CLASS_KEYS
                )
            ),
            nodes=self._longhorn_nodes(),
        )

    def _longhorn_nodes(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            found = self._cluster.custom.list_namespaced_custom_object(
                "longhorn.io", "v1beta2", NAMESPACE, "nodes"
            )
        except ApiError as error:
            if status_of(error) == 404:
                return {}
            raise
        return {item["metadata"]["name"]: item for item in found["items"]}


def missing_parts(
    snapshot: Snapshot, *, disks_by_node: Mapping[str, Sequence[str]], wants_default_class: bool
) -> list[str]:
    """What is not there or not ready yet, one line each; empty when Longhorn is ready. Pure."""
    return [
        *_workloads_missing("DaemonSet", snapshot.daemon_sets, _DAEMON_SETS),
        *_workloads_missing("Deployment", snapshot.deployments, _DEPLOYMENTS),
        *_engine_images_missing(snapshot.daemon_sets),
        *([] if snapshot.has_driver else [f"CSIDriver {DRIVER}"]),
        *_classes_missing(snapshot, wants_default_class),
        *(
            line
            for node, paths in sorted(disks_by_node.items())
            for line in _disks_missing(node, snapshot.nodes.get(node), paths)
        ),
    ]


def _workloads_missing(kind: str, found: Iterable[Workload], names: Iterable[str]) -> Iterator[str]:
    by_name = {workload.name: workload for workload in found}
    for name in names:
        workload = by_name.get(name)
        if workload is None:
            yield f"{kind} {name}"
        elif workload.ready < workload.wanted or workload.wanted == 0:
            yield f"{kind} {name} ({workload.ready} of {workload.wanted} pods ready)"


def _engine_images_missing(found: Iterable[Workload]) -> Iterator[str]:
    images = [workload for workload in found if workload.name.startswith(_ENGINE_IMAGE_PREFIX)]
    if not images:
        yield f"DaemonSet {_ENGINE_IMAGE_PREFIX}…"
    yield from _workloads_missing("DaemonSet", images, [image.name for image in images])


def _classes_missing(snapshot: Snapshot, wants_default_class: bool) -> Iterator[str]:
    if STORAGE_CLASS not in snapshot.storage_classes:
        yield f"StorageClass {STORAGE_CLASS}"
    elif wants_default_class and list(snapshot.default_classes) != [STORAGE_CLASS]:
        yield (
            f"{STORAGE_CLASS} as the one default StorageClass (default now: "
            f"{', '.join(snapshot.default_classes) or 'none'}; take the annotation "
            f"{_DEFAULT_CLASS_KEYS[0]} off the others, or set longhorn.defaultStorageClass: false)"
        )


def _disks_missing(
    name: str, node: Mapping[str, Any] | None, paths: Sequence[str]
) -> Iterator[str]:
    if node is None:
        yield f"nodes.longhorn.io {name}"
        return
    status = mapped(node.get("status"))
    if not _is_true(status.get("conditions"), "Ready"):
        yield f"node {name}: {_reason(status.get('conditions'), 'Ready')}"
    spec = mapped(node.get("spec"))
    spec_disks = mapped(spec.get("disks"))
    disk_status = mapped(status.get("diskStatus"))
    by_path = {disk.get("path", "").rstrip("/"): key for key, disk in spec_disks.items()}
    for path in paths:
        key = by_path.get(path)
        if key is None:
            yield f"disk {path} of node {name} in Longhorn"
            continue
        conditions = mapped(disk_status.get(key)).get("conditions")
        wanted = ["Ready"]
        if spec_disks[key].get("allowScheduling"):
            wanted.append("Schedulable")
        for condition in wanted:
            if not _is_true(conditions, condition):
                yield f"disk {path} of node {name}: {_reason(conditions, condition)}"


def _is_true(conditions: object, kind: str) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True"
        for condition in listed(conditions)
    )


def _reason(conditions: object, kind: str) -> str:
    for condition in listed(conditions):
        if condition.get("type") == kind:
            said = condition.get("message") or condition.get("reason") or "no reason given"
            return f"not {kind} ({said})"
    return f"not {kind} yet"
