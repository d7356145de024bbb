"""Snapshots, backups and what is restored from them, with the data of the played volumes.

Source: Longhorn manager 1.5.3, controller/snapshot_controller.go, backup_controller.go and
volume_controller.go. A volume is never really attached here, so nothing waits for that. Not played
are progress in steps, the limits of concurrent backups and restores, and what the webhook refuses.
"""

from typing import Any

from lab.common.progress import say
from lab.longhorn.manager_stand_in.api import FINALIZER, LonghornApi, Object
from lab.longhorn.manager_stand_in.backup_store import BackupStore, StoreError
from lab.longhorn.manager_stand_in.backup_target import (
    BACKUPS,
    VOLUME_LABEL,
    VOLUMES,
    now,
    request_sync,
)
from lab.longhorn.manager_stand_in.disks import condition
from lab.longhorn.manager_stand_in.restoring import backup_of
from lab.longhorn.played_volumes import content

SNAPSHOTS = "snapshots"


def reconcile(api: LonghornApi, store: BackupStore | None) -> None:
    """Make, read and remove snapshots and backups, and restore volumes.

    Args:
        api: Longhorn's objects.
        store: the backup target, None where there is none that can be opened.
    """
    volumes = api.by_name("volumes")
    for snapshot in api.by_name(SNAPSHOTS).values():
        _see_to_snapshot(api, _held(api, SNAPSHOTS, snapshot), volumes)
    if store is None:
        return
    for backup in api.by_name(BACKUPS).values():
        _see_to_backup(api, store, _held(api, BACKUPS, backup), volumes)
    stored = api.by_name(VOLUMES)
    for name, volume in volumes.items():
        _restore(api, store, volume)
        _note_last_backup(api, volume, stored.get(name))


def _held(api: LonghornApi, plural: str, item: Object) -> Object:
    """The object with Longhorn's finalizer, which the webhook sets when one is made."""
    metadata = item["metadata"]
    if "deletionTimestamp" in metadata or FINALIZER in metadata.get("finalizers", []):
        return item
    return api.replace(plural, {**item, "metadata": {**metadata, "finalizers": [FINALIZER]}})


def _see_to_snapshot(api: LonghornApi, item: Object, volumes: dict[str, Object]) -> None:
    name, of = item["metadata"]["name"], item["spec"]["volume"]
    volume = volumes.get(of)
    if "deletionTimestamp" in item["metadata"] or volume is None:
        content.snapshot(of, name).unlink(missing_ok=True)
        api.delete(SNAPSHOTS, item)
        return
    if (item.get("status") or {}).get("readyToUse") or not item["spec"].get("createSnapshot"):
        return
    size = int(volume["spec"]["size"])
    taken = content.take_snapshot(of, name, size)
    status = {"readyToUse": True, "userCreated": True, "creationTime": now()}
    api.replace_status(
        SNAPSHOTS, {**item, "status": {**status, "size": taken, "restoreSize": size}}
    )
    say(f"snapshot {name} of volume {of}")


def _see_to_backup(
    api: LonghornApi, store: BackupStore, item: Object, volumes: dict[str, Object]
) -> None:
    name, status = item["metadata"]["name"], item.get("status") or {}
    of = (item["metadata"].get("labels") or {}).get(VOLUME_LABEL)
    if of is None:
        return
    try:
        if "deletionTimestamp" in item["metadata"]:
            if of in api.by_name(VOLUMES):
                store.remove_backup(name, of)
            api.delete(BACKUPS, item)
            request_sync(api)
        elif not status.get("lastSyncedAt"):
            if item["spec"].get("snapshotName"):
                _back_up(store, item, of, volumes)
            status = {**status, **_read(store, name, of)}
            api.replace_status(BACKUPS, {**item, "status": status})
            request_sync(api)
            say(f"backup {name} of volume {of}: {status['state']}")
    except StoreError as error:
        say(f"backup {name} of volume {of}: {error}")
        if "deletionTimestamp" not in item["metadata"]:
            failed = {"state": "Error", "error": str(error), "lastSyncedAt": now()}
            api.replace_status(BACKUPS, {**item, "status": {**status, **failed}})


def _back_up(store: BackupStore, item: Object, of: str, volumes: dict[str, Object]) -> None:
    name, snapshot = item["metadata"]["name"], item["spec"]["snapshotName"]
    volume, image = volumes.get(of), content.snapshot(of, snapshot)
    if volume is None:
        raise StoreError(f'Cannot find the corresponding volume: volume.longhorn.io "{of}"')
    if not image.exists():
        raise StoreError(f"could not find snapshot '{snapshot}' to backup, volume '{of}'")
    made = now()
    mode = {"longhorn.io/volume-access-mode": volume["spec"].get("accessMode") or "rwo"}
    labels = {**mode, **(item["spec"].get("labels") or {})}
    store.write(
        image,
        {
            "Name": name,
            "VolumeName": of,
            "SnapshotName": snapshot,
            "SnapshotCreatedAt": made,
            "CreatedTime": made,
            "Labels": labels,
        },
        {"Name": of, "Size": volume["spec"]["size"], "Labels": labels, "CreatedTime": made},
    )


def _read(store: BackupStore, name: str, of: str) -> dict[str, Any]:
    """A backup's status, read back from the store."""
    noted, volume = store.backup(name, of), store.volume(of)
    if noted is None or volume is None:
        raise StoreError(f"cannot find backup {name} of volume {of} in backupstore")
    return {
        "state": "Completed",
        "progress": 100,
        "error": "",
        "url": store.backup_url(name, of),
        "snapshotName": noted["SnapshotName"],
        "snapshotCreatedAt": noted["SnapshotCreatedAt"],
        "backupCreatedAt": noted["CreatedTime"],
        "size": noted["Size"],
        "labels": noted["Labels"],
        "volumeName": of,
        "volumeSize": volume["Size"],
        "volumeCreated": volume["CreatedTime"],
        "compressionMethod": noted["CompressionMethod"],
        "lastSyncedAt": now(),
    }


def _restore(api: LonghornApi, store: BackupStore, volume: Object) -> None:
    """Fill a volume that is to begin with a backup, once."""
    url, status = volume["spec"].get("fromBackup"), volume.get("status") or {}
    if not url or not status.get("restoreRequired") or status.get("robustness") == "faulted":
        return
    name, of = backup_of(url)
    own = volume["metadata"]["name"]
    try:
        store.restore(name, of, content.ensure(own, int(volume["spec"]["size"])))
        restored = condition("Restore", met=False)
        status = {**status, "restoreRequired": False}
    except StoreError as error:
        say(f"volume {own}: {error}")
        reason = "All replica restore failed and the volume became Faulted"
        restored = condition("Restore", met=False, reason="RestoreFailure", message=reason)
        status = {**status, "robustness": "faulted"}
    others = [each for each in status.get("conditions") or [] if each["type"] != "Restore"]
    api.replace_status(
        "volumes", {**volume, "status": {**status, "conditions": [*others, restored]}}
    )
    say(f"volume {own} is restored from {url}")


def _note_last_backup(api: LonghornApi, volume: Object, stored: Object | None) -> None:
    status, found = volume.get("status") or {}, (stored or {}).get("status") or {}
    last = {
        "lastBackup": found.get("lastBackupName", ""),
        "lastBackupAt": found.get("lastBackupAt", ""),
    }
    if {key: status.get(key, "") for key in last} != last and not status.get("restoreRequired"):
        api.replace_status("volumes", {**volume, "status": {**status, **last}})
