"""Taking away what volume checks have made, of this run or of one that was broken off."""

from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.waiting import wait_until
from components.volume_check.objects import SELECTOR

_SECONDS = 120


class VolumeCheckCleanup:
    """Removes Jobs, claims and scripts of volume checks in one namespace, with their volumes."""

    def __init__(self, cluster: ClusterApi, namespace: str) -> None:
        self._core, self._batch = cluster.core, cluster.batch
        self._namespace = namespace
        self._volumes: set[str] = set()

    def run(self) -> None:
        """Delete all of it and wait until it is gone. Raises TimeoutError naming what is left."""
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
        scripts = self._core.list_namespaced_config_map(
            self._namespace, label_selector=SELECTOR
        ).items
        for script in scripts:
            unless_missing(
                self._core.delete_namespaced_config_map, script.metadata.name, self._namespace
            )
        wait_until("volume check, cleaning up", self._left, timeout_seconds=_SECONDS)

    def _claims(self) -> list[Any]:
        return self._core.list_namespaced_persistent_volume_claim(
            self._namespace, label_selector=SELECTOR
        ).items

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

    def _left(self) -> list[str]:
        volumes = self._core.list_persistent_volume().items
        return [
            *(f"claim {claim.metadata.name}" for claim in self._claims()),
            *(
                f"volume {item.metadata.name}"
                for item in volumes
                if item.metadata.name in self._volumes
            ),
        ]
