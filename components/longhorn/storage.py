"""Everything that one look at Longhorn's objects tells, one list for each kind. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi
from components.longhorn.objects import read_objects
from components.longhorn.snapshot import Snapshot, read_snapshot

Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Longhorn at one moment."""

    snapshot: Snapshot
    """What runs of it, its settings and its nodes."""
    volumes: Sequence[Object]
    replicas: Sequence[Object]
    orphans: Sequence[Object]
    """What is left of replicas that no volume has."""
    backup_targets: Sequence[Object] = ()
    recurring_jobs: Sequence[Object] = ()


def read_storage(api: ClusterApi) -> Storage | None:
    """Ask the cluster; None where it has no Longhorn that has begun to run.

    Raises whatever the client raises when the cluster does not answer.
    """
    snapshot = read_snapshot(api)
    if snapshot.version is None:
        return None
    return Storage(
        snapshot=snapshot,
        volumes=read_objects(api, "volumes") or [],
        replicas=read_objects(api, "replicas") or [],
        orphans=read_objects(api, "orphans") or [],
        backup_targets=read_objects(api, "backuptargets") or [],
        recurring_jobs=read_objects(api, "recurringjobs") or [],
    )
