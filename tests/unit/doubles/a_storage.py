"""Longhorn at one moment, as a look at the cluster gives it."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.longhorn.snapshot import Snapshot
from components.longhorn.storage import Storage


def a_storage(
    nodes: Mapping[str, Any] | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    volumes: Sequence[Any] = (),
    replicas: Sequence[Any] = (),
    orphans: Sequence[Any] = (),
    backup_targets: Sequence[Any] = (),
) -> Storage:
    """With these objects; nodes.longhorn.io and settings are by name."""
    snapshot = Snapshot(
        settings={"current-longhorn-version": "v1.5.3", **(settings or {})},
        daemon_sets=[],
        deployments=[],
        has_driver=True,
        storage_classes=["longhorn"],
        default_classes=["longhorn"],
        nodes=nodes or {},
    )
    return Storage(
        snapshot=snapshot,
        volumes=volumes,
        replicas=replicas,
        orphans=orphans,
        backup_targets=backup_targets,
    )
