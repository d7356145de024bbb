"""One backup of a check's volume, and the StorageClass that brings it back."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from components.cluster.api import ApiError, ClusterApi
from components.common.answers import mapped
from components.common.waiting import wait_until
from components.longhorn.backups import TARGET, backup_volumes_of, unavailable
from components.longhorn.objects import (
    GROUP,
    NAMESPACE,
    VERSION,
    is_denied_by_longhorn,
    read_object,
    read_objects,
)
from components.volume_check.backup_objects import (
    backup_missing,
    backup_of,
    restoring_class,
    snapshot_of,
)


class VolumeBackup:
    """Makes them, under the name of the run; taking them away is the clean-up's."""

    def __init__(self, cluster: ClusterApi, name: str, seconds_left: Callable[[], float]) -> None:
        """Remember what it works with.

        Args:
            name: Of snapshot, backup and class.
            seconds_left: How long it may still take.
        """
        self._cluster = cluster
        self._name = name
        self._seconds_left = seconds_left
        self._backup: Mapping[str, Any] = {}

    def require_target(self) -> None:
        """Raises RuntimeError with Longhorn's reason when backups have nowhere to go."""
        reason = unavailable(read_object(self._cluster, "backuptargets", TARGET))
        if reason:
            raise RuntimeError(
                f"volume check, backup: the backup target is not available. {reason}. "
                "Set or correct longhorn.backup, or switch volumeCheck.restore off."
            )

    def make(self, volume: str, owner: str) -> None:
        """Back the volume up and wait until Longhorn has it in the target.

        Args:
            volume: The volume's name in Longhorn.
            owner: The cluster's uid.

        Raises RuntimeError or TimeoutError with Longhorn's reason.
        """
        self._create("snapshots", snapshot_of(self._name, volume))
        self._wait("snapshot", self._snapshot_missing)
        self._create("backups", backup_of(self._name, volume, owner))
        self._wait("backup", lambda: self._backup_missing(volume))

    @property
    def size_bytes(self) -> int:
        """What Longhorn says of the backup's size, once it is made."""
        return int(mapped(self._backup["status"]).get("size") or 0)

    def restoring_class(self, of: Any) -> dict[str, Any]:
        """The StorageClass for a volume with the backup's content; `of` is the checked one."""
        return restoring_class(self._name, str(self._backup["status"]["url"]), of)

    def _create(self, plural: str, body: dict[str, Any]) -> None:
        create = self._cluster.custom.create_namespaced_custom_object
        try:
            create(GROUP, VERSION, NAMESPACE, plural, body)
        except ApiError as error:
            if error.status in (400, 422) or is_denied_by_longhorn(error):
                raise RuntimeError(
                    f"volume check, backup: Longhorn refuses the {body['kind']}: "
                    f"{(error.body or str(error))[:300]}"
                ) from error
            raise

    def _wait(self, what: str, missing: Callable[[], list[str]]) -> None:
        wait_until(f"volume check, {what}", missing, timeout_seconds=self._seconds_left())

    def _snapshot_missing(self) -> list[str]:
        status = mapped(mapped(read_object(self._cluster, "snapshots", self._name)).get("status"))
        if status.get("readyToUse"):
            return []
        return [f"the snapshot is not ready: {status.get('error') or 'Longhorn has not made it'}"]

    def _backup_missing(self, volume: str) -> list[str]:
        self._backup = read_object(self._cluster, "backups", self._name) or {}
        missing = backup_missing(self._backup or None)
        volumes = read_objects(self._cluster, "backupvolumes") or []
        if missing or backup_volumes_of([volume], volumes):
            return missing
        # A volume is made from a backup only where Longhorn has this object, too.
        return [f"Longhorn has not read the backups of {volume} from the target"]


def now_text() -> str:
    """The time, in UTC, as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
