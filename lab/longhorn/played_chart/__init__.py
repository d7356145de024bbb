"""A small chart of the lab's own that plays Longhorn's, for machines where that can't be had.

Whoever installs Longhorn sees the same of it: the chart's values, the objects by kind and name, the
hooks around an upgrade and before an uninstallation, and what the stand-in for longhorn-manager
reads of them. Longhorn's own programs would not run with it: its definitions take any object.
tests/engine/test_longhorn_charts.py compares it with the real charts wherever they are.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from configuration.chart_keys import keys_of_version

_TEMPLATES = Path(__file__).parent / "templates"
_DEFINITIONS = {
    "backingimagedatasources": "BackingImageDataSource",
    "backingimagemanagers": "BackingImageManager",
    "backingimages": "BackingImage",
    "backups": "Backup",
    "backuptargets": "BackupTarget",
    "backupvolumes": "BackupVolume",
    "engineimages": "EngineImage",
    "engines": "Engine",
    "instancemanagers": "InstanceManager",
    "nodes": "Node",
    "orphans": "Orphan",
    "recurringjobs": "RecurringJob",
    "replicas": "Replica",
    "settings": "Setting",
    "sharemanagers": "ShareManager",
    "snapshots": "Snapshot",
    "supportbundles": "SupportBundle",
    "systembackups": "SystemBackup",
    "systemrestores": "SystemRestore",
    "volumeattachments": "VolumeAttachment",
    "volumes": "Volume",
}
_SINCE_1_6 = {"backupbackingimages": "BackupBackingImage"}
_IMAGES = {
    "backingImageManager": "backing-image-manager",
    "engine": "longhorn-engine",
    "instanceManager": "longhorn-instance-manager",
    "manager": "longhorn-manager",
    "shareManager": "longhorn-share-manager",
    "ui": "longhorn-ui",
}
_NO_INSTANCE_SERVICES = ("1.6.3", "1.6.4")
_PRIORITY_CLASS = "longhorn-critical"


def write(version: str, folder: Path) -> Path:
    """Write the chart of a supported version into FOLDER/longhorn-VERSION; that folder."""
    chart = folder / f"longhorn-{version}"
    shutil.copytree(_TEMPLATES, chart / "templates", dirs_exist_ok=True)
    for name, content in (
        ("Chart.yaml", _description(version)),
        ("values.yaml", values(version)),
        ("facts.yaml", _facts(version)),
    ):
        (chart / name).write_text(yaml.safe_dump(content))
    return chart


def values(version: str) -> dict[str, Any]:
    """The values of a supported version's chart: every key, and what the templates read of them."""
    found: dict[str, Any] = {}
    paths = keys_of_version(version)
    for path in sorted(paths):
        part = _part(found, path)
        part.update({name: part.get(name) for name in sorted(paths[path])})
    longhorn = found["image"]["longhorn"]
    for name, repository in _IMAGES.items():
        longhorn[name] = {"repository": f"longhornio/{repository}", "tag": f"v{version}"}
    found["image"]["pullPolicy"] = "IfNotPresent"
    found["service"]["ui"]["type"] = found["service"]["manager"]["type"] = "ClusterIP"
    found["longhornUI"]["replicas"] = 2
    found["persistence"] |= {
        "defaultClass": True,
        "defaultClassReplicaCount": 3,
        "defaultDataLocality": "disabled",
        "defaultFsType": "ext4",
        "reclaimPolicy": "Delete",
    }
    if _is_1_6(version):
        found["preUpgradeChecker"] = {"jobEnabled": True, "upgradeVersionCheck": True}
        for part in ("defaultSettings", "longhornManager", "longhornDriver", "longhornUI"):
            found[part]["priorityClass"] = _PRIORITY_CLASS
    else:
        found["helmPreUpgradeCheckerJob"] = {"enabled": True}
    return found


def setting_name(key: str) -> str:
    """The name of a setting, from its key in the chart's values."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", key)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1-\2", words).lower()


def _description(version: str) -> dict[str, str]:
    return {
        "apiVersion": "v2",
        "name": "longhorn",
        "version": version,
        "appVersion": f"v{version}",
        "kubeVersion": ">=1.21.0-0",
        "description": "Plays Longhorn's chart in the lab of longhorn-rancher. Stores nothing.",
    }


def _facts(version: str) -> dict[str, Any]:
    settings = keys_of_version(version)["defaultSettings"]
    return {
        "definitions": _DEFINITIONS | (_SINCE_1_6 if _is_1_6(version) else {}),
        "settings": {key: setting_name(key) for key in settings},
        "priorityClass": _PRIORITY_CLASS if _is_1_6(version) else None,
        "uiAccount": "longhorn-ui-service-account" if _is_1_6(version) else None,
        "instanceServices": [] if version in _NO_INSTANCE_SERVICES else ["engine", "replica"],
    }


def _part(found: dict[str, Any], path: str) -> dict[str, Any]:
    for name in filter(None, path.split(".")):
        if found.get(name) is None:
            found[name] = {}
        found = found[name]
    return found


def _is_1_6(version: str) -> bool:
    return version.startswith("1.6.")
