"""The backup target: derived from the settings, looked at, and what it holds as objects.

Source: Longhorn manager 1.5.3, controller/setting_controller.go (syncBackupTarget),
backup_target_controller.go and backup_volume_controller.go. Not played are system backups, backing
images and the lifetime of failed backups.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from lab.common.progress import say
from lab.longhorn.manager_stand_in.api import LONGHORN, LonghornApi, Object
from lab.longhorn.manager_stand_in.backup_store import BackupStore, StoreError
from lab.longhorn.manager_stand_in.disks import condition

TARGETS, VOLUMES, BACKUPS = "backuptargets", "backupvolumes", "backups"
VOLUME_LABEL = "backup-volume"
_NAME = "default"
_ACCESS_MODE = f"{LONGHORN}/volume-access-mode"


def reconcile(api: LonghornApi, core: CoreV1Api, settings: Mapping[str, str]) -> BackupStore | None:
    """Bring target, volumes and backups up to date; the store, where it can be opened.

    Args:
        api: Longhorn's objects.
        core: the cluster, for the Secret.
        settings: Longhorn's settings.
    """
    if not api.has(TARGETS):
        return None
    target = _with_spec(api, settings)
    spec, status = target["spec"], target.get("status") or {}
    store, reason = _opened(api, core, spec)
    if _is_due(spec, status, float(settings["backupstore-poll-interval"])):
        status = {**status, "lastSyncedAt": now()} if store is not None else dict(status)
        if store is not None:
            try:
                _sync_volumes(api, store.volumes())
            except StoreError as error:
                reason = str(error)
        if not spec["backupTargetURL"]:
            _sync_volumes(api, set())
            status["lastSyncedAt"] = now()
        unavailable = condition(
            "Unavailable", met=bool(reason), reason="Unavailable" * bool(reason), message=reason
        )
        said = {**status, "available": not reason, "conditions": [unavailable]}
        if said != target.get("status"):
            api.replace_status(TARGETS, {**target, "status": said})
    if store is None:
        return None
    for volume in api.by_name(VOLUMES).values():
        _sync_volume(api, store, volume)
    return store


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def request_sync(api: LonghornApi) -> None:
    """Have the target looked at again."""
    target = api.by_name(TARGETS)[_NAME]
    api.replace(TARGETS, {**target, "spec": {**target["spec"], "syncRequestedAt": now()}})


def _with_spec(api: LonghornApi, settings: Mapping[str, str]) -> Object:
    wanted = {
        "backupTargetURL": settings["backup-target"],
        "credentialSecret": settings["backup-target-credential-secret"],
        "pollInterval": f"{settings['backupstore-poll-interval']}s",
    }
    target = api.by_name(TARGETS).get(_NAME)
    if target is None:
        return api.create(TARGETS, "BackupTarget", _NAME, {"spec": wanted})
    if any(target["spec"].get(key) != value for key, value in wanted.items()):
        spec = {**target["spec"], **wanted, "syncRequestedAt": now()}
        return api.replace(TARGETS, {**target, "spec": spec})
    return target


def _opened(
    api: LonghornApi, core: CoreV1Api, spec: Mapping[str, Any]
) -> tuple[BackupStore | None, str]:
    """The store, or why it can't even be asked."""
    url, secret = spec["backupTargetURL"], spec["credentialSecret"]
    if not url:
        return None, "backup target URL is empty"
    if not secret:
        return None, "could not access s3 without credential secret"
    try:
        found: Any = core.read_namespaced_secret(secret, api.namespace)
        data = {name: base64.b64decode(text).decode() for name, text in (found.data or {}).items()}
        return BackupStore(url, data), ""
    except ApiException as error:
        if error.status != 404:
            raise
        return None, f'secrets "{secret}" not found'
    except StoreError as error:
        return None, str(error)


def _is_due(spec: Mapping[str, Any], status: Mapping[str, Any], poll_seconds: float) -> bool:
    last, requested = status.get("lastSyncedAt") or "", spec.get("syncRequestedAt") or ""
    # Both are whole seconds: what was asked for in the second of the last look is still open.
    if not last or requested >= last:
        return True
    since = datetime.now(UTC) - datetime.fromisoformat(last)
    return bool(spec["backupTargetURL"]) and 0 < poll_seconds <= since.total_seconds()


def _sync_volumes(api: LonghornApi, stored: set[str]) -> None:
    """An object for each volume in the store, and none without."""
    existing = api.by_name(VOLUMES)
    for name in sorted(stored - set(existing)):
        api.create(VOLUMES, "BackupVolume", name, {"spec": {"syncRequestedAt": now()}})
        say(f"backups of volume {name} are in the target")
    for name in sorted(set(existing) - stored):
        _forget(api, existing[name])
    for name in sorted(stored & set(existing)):
        item = existing[name]
        if "deletionTimestamp" not in item["metadata"]:
            api.replace(VOLUMES, {**item, "spec": {**item["spec"], "syncRequestedAt": now()}})


def _forget(api: LonghornApi, volume: Object) -> None:
    for backup in _backups_of(api, volume["metadata"]["name"]):
        api.delete(BACKUPS, backup)
    api.delete(VOLUMES, volume)


def _sync_volume(api: LonghornApi, store: BackupStore, item: Object) -> None:
    name = item["metadata"]["name"]
    try:
        if "deletionTimestamp" in item["metadata"]:
            store.remove_volume(name)
            _forget(api, item)
            say(f"removed the backups of volume {name} from the target")
            return
        status = item.get("status") or {}
        if (item["spec"].get("syncRequestedAt") or "") < (status.get("lastSyncedAt") or ""):
            return
        _sync_backups(api, store, name)
        noted = store.volume(name) or {}
    except StoreError as error:
        say(f"backups of volume {name}: {error}")
        return
    said = {
        **status,
        "size": noted.get("Size", ""),
        "labels": noted.get("Labels"),
        "createdAt": noted.get("CreatedTime", ""),
        "lastBackupName": noted.get("LastBackupName", ""),
        "lastBackupAt": noted.get("LastBackupAt", ""),
        "lastSyncedAt": now(),
    }
    api.replace_status(VOLUMES, {**item, "status": said})


def _sync_backups(api: LonghornApi, store: BackupStore, volume: str) -> None:
    """An object for each backup in the store; those that are being made keep theirs."""
    stored = store.backups(volume)
    existing = {item["metadata"]["name"]: item for item in _backups_of(api, volume)}
    for name in sorted(stored - set(existing)):
        noted = store.backup(name, volume) or {}
        mode = (noted.get("Labels") or {}).get(_ACCESS_MODE)
        labels = {} if mode is None else {_ACCESS_MODE: mode}
        metadata = {"labels": {VOLUME_LABEL: volume}}
        api.create(BACKUPS, "Backup", name, {"metadata": metadata, "spec": {"labels": labels}})
    for name in sorted(set(existing) - stored):
        item = existing[name]
        is_made_here = bool(item["spec"].get("snapshotName"))
        if not is_made_here or (item.get("status") or {}).get("state") == "Completed":
            api.delete(BACKUPS, item)


def _backups_of(api: LonghornApi, volume: str) -> list[Object]:
    return [
        item
        for item in api.by_name(BACKUPS).values()
        if (item["metadata"].get("labels") or {}).get(VOLUME_LABEL) == volume
    ]
