"""Taking away what volume checks have made, of this run or of one that was broken off."""

from functools import cached_property
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.waiting import wait_until
from components.longhorn.backups import backup_volumes_of
from components.longhorn.objects import delete_object, read_objects
from components.volume_check.backup_objects import own_backups
from components.volume_check.objects import SELECTOR

_SECONDS = 120


class VolumeCheckCleanup:
    """Removes what volume checks have made: in one namespace, and in the backup target.

    Of backups those alone that bear this cluster's uid: other clusters may use the same target.
    """

    def __init__(self, cluster: ClusterApi, namespace: str) -> None:
        self._cluster = cluster
        self._core, self._batch, self._storage = cluster.core, cluster.batch, cluster.storage
        self._namespace = namespace
        self._volumes: set[str] = set()
        self._backed_up: set[str] = set()

    @cached_property
    def owner(self) -> str:
        """The cluster's uid, which every backup of a check bears."""
        return str(self._core.read_namespace("kube-system").metadata.uid)

    def run(self) -> None:
        """Delete all of it and wait until it is gone. Raises TimeoutError naming what is left."""
        self.remove_claims()
        for found in self._classes():
            unless_missing(self._storage.delete_storage_class, found.metadata.name)
        scripts = self._core.list_namespaced_config_map(
            self._namespace, label_selector=SELECTOR
        ).items
        for script in scripts:
            unless_missing(
                self._core.delete_namespaced_config_map, script.metadata.name, self._namespace
            )
        backups = self._backups()
        self._backed_up |= {volume for _name, volume in backups}
        # One goes with all of its backups, also in the target.
        for name in self._backup_volumes():
            delete_object(self._cluster, "backupvolumes", name)
        for name, _volume in backups:
            delete_object(self._cluster, "backups", name)
        wait_until("volume check, cleaning up", self._left, timeout_seconds=_SECONDS)

    def remove_claims(self) -> None:
        """Delete Jobs and claims, and wait until their volumes are gone. Raises TimeoutError."""
        self._let_volumes_go()
        jobs = self._batch.list_namespaced_job(self._namespace, label_selector=SELECTOR).items
        for job in jobs:
            unless_missing(
                self._batch.delete_namespaced_job,
                job.metadata.name,
                self._namespace,
                # Its pods, too, which keep the claim.
                propagation_policy="Foreground",
            )
        for claim in self._claims():
            unless_missing(
                self._core.delete_namespaced_persistent_volume_claim,
                claim.metadata.name,
                self._namespace,
            )
        wait_until("volume check, removing its volume", self._claimed, timeout_seconds=_SECONDS)

    def _claims(self) -> list[Any]:
        return self._core.list_namespaced_persistent_volume_claim(
            self._namespace, label_selector=SELECTOR
        ).items

    def _classes(self) -> list[Any]:
        return self._storage.list_storage_class(label_selector=SELECTOR).items

    def _backups(self) -> list[tuple[str, str]]:
        """Name and volume of each backup of a check of this cluster."""
        found = read_objects(self._cluster, "backups")
        return own_backups(found, self.owner) if found else []

    def _backup_volumes(self) -> list[str]:
        if not self._backed_up:
            return []
        return backup_volumes_of(
            self._backed_up, read_objects(self._cluster, "backupvolumes") or []
        )

    def _let_volumes_go(self) -> None:
        """Have each volume deleted with its claim, also where the class says Retain."""
        for claim in self._claims():
            volume = claim.spec.volume_name
            if volume:
                self._volumes.add(volume)
                unless_missing(
                    self._core.patch_persistent_volume,
                    volume,
                    {"spec": {"persistentVolumeReclaimPolicy": "Delete"}},
                )

    def _claimed(self) -> list[str]:
        volumes = self._core.list_persistent_volume().items
        return [
            *(f"claim {claim.metadata.name}" for claim in self._claims()),
            *(
                f"volume {item.metadata.name}"
                for item in volumes
                if item.metadata.name in self._volumes
            ),
        ]

    def _left(self) -> list[str]:
        return [
            *(f"StorageClass {each.metadata.name}" for each in self._classes()),
            *(f"backup {name} of volume {volume}" for name, volume in self._backups()),
            *(f"the backups of volume {name} in the target" for name in self._backup_volumes()),
        ]
