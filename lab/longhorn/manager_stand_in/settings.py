"""Longhorn's settings: one object each, its value from the chart's ConfigMap or the default.

Source: Longhorn manager 1.5.3, types/setting.go and datastore/longhorn.go. A value from the
ConfigMap is written again whenever the ConfigMap has changed, over what somebody set meanwhile.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from lab.longhorn.manager_stand_in.api import LONGHORN, LonghornApi, Object

PLURAL = "settings"
CONFIG_MAP = "longhorn-default-setting"
_SEEN = f"{LONGHORN}/configmap-resource-version"
_VERSION = "current-longhorn-version"

# Not every setting that Longhorn has, only those that somebody who installs it looks at.
DEFAULTS = {
    "auto-delete-pod-when-volume-detached-unexpectedly": "true",
    "auto-salvage": "true",
    "backup-target": "",
    "backup-target-credential-secret": "",
    "backupstore-poll-interval": "300",
    "create-default-disk-labeled-nodes": "false",
    _VERSION: "v1.5.3",
    "default-data-locality": "disabled",
    "default-data-path": "/var/lib/longhorn/",
    "default-longhorn-static-storage-class": "longhorn-static",
    "default-replica-count": "3",
    "deleting-confirmation-flag": "false",
    "disable-scheduling-on-cordoned-node": "true",
    "guaranteed-instance-manager-cpu": "12",
    "log-level": "Info",
    "node-down-pod-deletion-policy": "do-nothing",
    "node-drain-policy": "block-if-contains-last-replica",
    "orphan-auto-deletion": "false",
    "priority-class": "",
    "replica-auto-balance": "disabled",
    "replica-soft-anti-affinity": "false",
    "replica-zone-soft-anti-affinity": "true",
    "storage-minimal-available-percentage": "25",
    "storage-network": "",
    "storage-over-provisioning-percentage": "100",
    "storage-reserved-percentage-for-default-disk": "30",
    "system-managed-components-node-selector": "",
    "taint-toleration": "",
    "upgrade-checker": "true",
}


def customized(config_map: Mapping[str, str]) -> dict[str, str]:
    """The values that the chart's ConfigMap carries, by setting, as text."""
    # The base loader keeps `true` and `25` the text that a setting holds.
    loaded = yaml.load(config_map.get("default-setting.yaml", ""), yaml.BaseLoader)  # noqa: S506
    return {str(name): str(value) for name, value in (loaded or {}).items()}


def reconcile(api: LonghornApi, config_map: Any, manager_image: str) -> dict[str, str]:
    """Create the settings that are missing, apply a changed ConfigMap; every setting's value.

    Args:
        api: Longhorn's objects.
        config_map: the chart's ConfigMap with its metadata, or None where there is none.
        manager_image: the image of the managers, whose tag is their version.
    """
    wanted = customized(config_map.data or {}) if config_map is not None else {}
    version = config_map.metadata.resource_version if config_map is not None else ""
    existing = api.by_name(PLURAL)
    said = {_VERSION: manager_image.rpartition(":")[2]}
    for name, value in {**DEFAULTS, **wanted, **said}.items():
        if name not in existing:
            existing[name] = api.create(PLURAL, "Setting", name, _new(value, version))
        elif name in wanted and _annotations(existing[name]).get(_SEEN) != version:
            existing[name] = api.replace(PLURAL, _changed(existing[name], wanted[name], version))
        elif name in said and existing[name]["value"] != value:
            existing[name] = api.replace(PLURAL, {**existing[name], "value": value})
    return {name: item.get("value", "") for name, item in existing.items()}


def _new(value: str, version: str) -> Object:
    # Longhorn's settings are the one kind without a finalizer.
    return {"value": value, "metadata": {"finalizers": [], "annotations": {_SEEN: version}}}


def _changed(item: Object, value: str, version: str) -> Object:
    annotations = {**_annotations(item), _SEEN: version}
    return {**item, "value": value, "metadata": {**item["metadata"], "annotations": annotations}}


def _annotations(item: Object) -> dict[str, str]:
    return item["metadata"].get("annotations") or {}
