"""The objects of a check's backup and of its restore, and which of them are a check's own. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.common.answers import listed, mapped
from components.longhorn.backups import BACKUP_VOLUME
from components.longhorn.objects import GROUP, NAMESPACE, VERSION
from components.volume_check.objects import LABELS

OWNER = "longhorn-rancher-volume-check"
"""Label of a check's backup, whose value is the cluster's uid. Longhorn keeps it in the backup
target, too, where several clusters may have their backups."""
# Nothing is to be done again and again to a volume that lives for a minute.
_NOT_TAKEN_OVER = ("recurringJobSelector",)


def snapshot_of(name: str, volume: str) -> dict[str, Any]:
    """The snapshot to back up (longhorn-manager v1.5.3, k8s/pkg/apis/longhorn/v1beta2/snapshot.go).

    Args:
        name: Its name, unique to the run.
        volume: The volume's name in Longhorn.
    """
    spec: dict[str, Any] = {"volume": volume, "createSnapshot": True, "labels": {}}
    return _longhorn("Snapshot", name, spec, {})


def backup_of(name: str, volume: str, owner: str) -> dict[str, Any]:
    """The backup of the snapshot of the same name.

    Without a mode, which versions from 1.7 on read as incremental, and without a target, for which
    those from 1.8 on take the volume's own (longhorn-manager v1.9.2, webhook/resources/backup).

    Args:
        name: Its name, unique to the run.
        volume: The volume's name in Longhorn.
        owner: The cluster's uid.
    """
    spec = {"snapshotName": name, "labels": {OWNER: owner}}
    return _longhorn("Backup", name, spec, {BACKUP_VOLUME: volume})


def restoring_class(name: str, url: str, of: Any) -> dict[str, Any]:
    """A StorageClass whose volumes begin with a backup, else like the one that is checked.

    The parameter `fromBackup` is read by every version from 1.5.3 to 1.12 (longhorn-manager,
    csi/util.go), and keys of encrypted volumes stay named.

    Args:
        name: Its name, unique to the run.
        url: The backup, as Longhorn names it.
        of: The class that is checked, as the client gives it.
    """
    parameters = {
        key: value for key, value in mapped(of.parameters).items() if key not in _NOT_TAKEN_OVER
    }
    return {
        "metadata": {"name": name, "labels": dict(LABELS)},
        "provisioner": of.provisioner,
        "parameters": {**parameters, "fromBackup": url},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": of.volume_binding_mode,
        "mountOptions": of.mount_options,
    }


def own_backups(backups: Iterable[Mapping[str, Any]], owner: str) -> list[tuple[str, str]]:
    """Name and volume of the backups that checks of this cluster have made.

    Args:
        backups: Every backups.longhorn.io object. One that Longhorn has read from the target has
            its labels in its status alone.
        owner: The cluster's uid.
    """
    found: list[tuple[str, str]] = []
    for each in backups:
        spec, status = mapped(each.get("spec")), mapped(each.get("status"))
        labels = [mapped(part.get("labels")).get(OWNER) for part in (spec, status)]
        if owner in labels:
            metadata = each["metadata"]
            volume = mapped(metadata.get("labels")).get(BACKUP_VOLUME) or status.get("volumeName")
            found.append((str(metadata["name"]), str(volume or "")))
    return sorted(found)


def backup_missing(backup: Mapping[str, Any] | None) -> list[str]:
    """What is missing until a backup is complete, and known as Longhorn has it in the target.

    Raises RuntimeError with Longhorn's reason when it will never be.
    """
    if backup is None:
        return ["the backup is gone"]
    status = mapped(backup.get("status"))
    state = status.get("state") or "not begun"
    if state in ("Error", "Unknown"):
        raise RuntimeError(
            f"volume check, backup: Longhorn says {state}: {status.get('error') or 'no reason'}. "
            "See longhorn.backup, the store's free space and rights, and the logs of "
            "longhorn-manager."
        )
    if state == "Completed" and status.get("url") and status.get("lastSyncedAt"):
        return []
    return [f"the backup is {state}, {status.get('progress') or 0} %"]


def restore_missing(volume: Mapping[str, Any] | None) -> list[str]:
    """What is missing until a volume has the content of its backup.

    Source: longhorn-manager v1.5.3, controller/volume_controller.go.

    Raises RuntimeError with Longhorn's reason when that has failed.
    """
    status = mapped(mapped(volume).get("status"))
    for condition in map(mapped, listed(status.get("conditions"))):
        if condition.get("type") == "Restore" and condition.get("reason") == "RestoreFailure":
            raise RuntimeError(
                f"volume check, restore: Longhorn says: {condition.get('message')}. See "
                "longhorn.backup, and the logs of the instance managers for what the store said."
            )
    return ["Longhorn restores the volume"] if status.get("restoreRequired") else []


def _longhorn(kind: str, name: str, spec: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {**LABELS, **labels}},
        "spec": spec,
    }
