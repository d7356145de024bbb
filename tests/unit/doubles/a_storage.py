"""Longhorn at one moment, as a look at the cluster gives it."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.longhorn.snapshot import Snapshot, Workload
from components.longhorn.storage import Storage

_DAEMON_SETS = ("longhorn-manager", "longhorn-csi-plugin")
_DEPLOYMENTS = (
    *("csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter"),
    *("longhorn-driver-deployer", "longhorn-ui"),
)


def a_storage(
    nodes: Mapping[str, Any] | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    volumes: Sequence[Any] = (),
    replicas: Sequence[Any] = (),
    orphans: Sequence[Any] = (),
    backup_targets: Sequence[Any] = (),
    recurring_jobs: Sequence[Any] = (),
    classes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Storage:
    """With these objects; nodes.longhorn.io and settings are by name.

    Classes are the fixed parts of those of Longhorn's driver, by name.
    """
    snapshot = Snapshot(
        settings={"current-longhorn-version": "v1.5.3", **(settings or {})},
        daemon_sets=[Workload(name=name, wanted=3, ready=3) for name in _DAEMON_SETS],
        deployments=[Workload(name=name, wanted=2, ready=2) for name in _DEPLOYMENTS],
        has_driver=True,
        storage_classes=["longhorn", *(classes or {})],
        default_classes=["longhorn"],
        nodes=nodes or {},
        class_parts=classes or {},
    )
    return Storage(
        snapshot=snapshot,
        volumes=volumes,
        replicas=replicas,
        orphans=orphans,
        backup_targets=backup_targets,
        recurring_jobs=recurring_jobs,
    )
