"""Longhorn's backup target: set, and waited for until Longhorn itself calls it available."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pulumi

from components.cluster.api import ApiError, ClusterApi, cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.answers import mapped
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.waiting import wait_until
from components.longhorn.backups import TARGET, unavailable
from components.longhorn.fields import spec_of, status_of
from components.longhorn.objects import is_denied_by_longhorn, patch_object, read_object
from components.longhorn.removal.confirmation import removal_is_confirmed
from configuration.backup import BackupSettings
from configuration.cluster import ClusterSettings

TARGET_SETTING = "backup-target"
_REFUSED = (400, 422)


def target_settings(target: str, credential_secret: str, poll_seconds: int) -> dict[str, str]:
    """Longhorn's settings for this target, by name (longhorn-manager v1.5.3, types/setting.go)."""
    return {
        # First, so that Longhorn never tries a target with the credentials of another.
        "backup-target-credential-secret": credential_secret,
        "backupstore-poll-interval": str(poll_seconds),
        TARGET_SETTING: target,
    }


class BackupTargetProvider(DynamicProvider):
    """Writes the settings, asks Longhorn to try the target now, and waits for its answer."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "timeout_seconds": "a longer patience is no reason to try again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Raises TimeoutError with Longhorn's reason when the target stays unavailable."""
        _set(open_cluster(new), new)
        return "backup-target", new

    def look(self, state: Properties) -> Properties:
        """What Longhorn has now; a target that is away differs from the input `unavailable`."""
        cluster = open_cluster(state)
        values = {
            name: mapped(read_object(cluster, "settings", name)).get("value")
            for name in state["settings"]
        }
        reason = unavailable(read_object(cluster, "backuptargets", TARGET), _url(state))
        return {**state, "settings": values, "unavailable": reason}

    def remove(self, state: Properties) -> None:
        """Empty the settings; a target that somebody else has set since stays.

        With a standby volume Longhorn refuses that. When Longhorn itself goes, its uninstallation
        empties the target, once it has deleted the volumes (longhorn-manager v1.5.3,
        controller/uninstall_controller.go deleteCRDs).
        """
        cluster = open_for_removal(state)
        if cluster is None:
            return
        setting = read_object(cluster, "settings", TARGET_SETTING)
        if setting is None or setting.get("value") != _url(state):
            return
        try:
            _write(cluster, {TARGET_SETTING: "", "backup-target-credential-secret": ""})
        except ValueError:
            if not removal_is_confirmed(cluster):
                raise
            tell("Longhorn keeps its backup target until it goes, and empties it then itself")


def _url(props: Properties) -> str:
    return str(props["settings"][TARGET_SETTING])


def _set(cluster: ClusterApi, props: Properties) -> None:
    url, secret = _url(props), props["settings"]["backup-target-credential-secret"]
    before: list[Any] = []

    def missing() -> list[str]:
        if not before:
            _write(cluster, props["settings"])
            target = read_object(cluster, "backuptargets", TARGET) or {}
            spec = spec_of(target)
            if (spec.get("backupTargetURL"), spec.get("credentialSecret")) != (url, secret):
                return ["Longhorn's backup target"]
            before.append(_try_now(cluster, target))
            return ["Longhorn's first look at it"]
        target = read_object(cluster, "backuptargets", TARGET)
        reason = unavailable(target, url)
        if reason:
            return [reason]
        # What it says of an earlier look may be about other credentials.
        return [] if _last_look(target) != before[0] else ["Longhorn's look at it"]

    wait_until(f"backup target {url}", missing, timeout_seconds=float(props["timeout_seconds"]))


def _try_now(cluster: ClusterApi, target: Mapping[str, Any]) -> str:
    """Ask for a look now, as Longhorn's interface does; returns when the last one was."""
    last = _last_look(target)
    now = datetime.now(UTC)
    if last:  # this machine's clock may be behind the cluster's
        now = max(now, datetime.fromisoformat(last) + timedelta(seconds=1))
    requested = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    patch_object(cluster, "backuptargets", TARGET, {"spec": {"syncRequestedAt": requested}})
    return last


def _last_look(target: Mapping[str, Any] | None) -> str:
    return str(status_of(target or {}).get("lastSyncedAt") or "")


def _write(cluster: ClusterApi, values: Mapping[str, str]) -> None:
    """Bring the settings to these values, and write none that has its own already.

    With a standby volume Longhorn refuses every write of the target, also of the same one
    (longhorn-manager v1.5.3, datastore/longhorn.go ValidateSetting).
    """
    for name, value in values.items():
        if mapped(read_object(cluster, "settings", name)).get("value") == value:
            continue
        try:
            patch_object(cluster, "settings", name, {"value": value})
        except ApiError as error:
            if error.status in _REFUSED or is_denied_by_longhorn(error):
                raise ValueError(
                    f"Longhorn refuses {value or 'an empty value'} for its setting {name}: "
                    f"{_message(error)}. Correct longhorn.backup."
                ) from error
            raise


def _message(error: ApiError) -> str:
    try:
        return str(json.loads(error.body).get("message"))
    except ValueError:
        return str(error).splitlines()[0]


class BackupTarget(DynamicResource, module="longhorn", name="BackupTarget"):
    """Owns Longhorn's three settings for its backup target, and no backup."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        backup: BackupSettings,
        credential_secret: str,
        credentials: pulumi.Input[str],
        found: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            backup: The target.
            credential_secret: Name of the Secret in longhorn-system that opens it; empty for none.
            credentials: A digest of what that Secret holds: a changed password is tried at once.
            found: Which settings of it differ right now, and why Longhorn can't use it.
        """
        inputs = {
            **cluster_inputs(cluster),
            "settings": target_settings(backup.target, credential_secret, backup.poll_seconds),
            "credentials": credentials,
            "unavailable": "",
            "timeout_seconds": backup.timeout_seconds,
            FINDING: found,
        }
        super().__init__(BackupTargetProvider(), name, inputs, opts)
