"""Longhorn's backup target, and which objects stand for a volume's backups. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.longhorn.fields import condition, is_true, name_of, spec_of, status_of

TARGET = "default"
"""Longhorn's object for the one target that versions before 1.8 have; its settings lead to it."""
BACKUP_VOLUME = "backup-volume"
"""Label of a backup that names its volume (longhorn-manager v1.5.3, types/types.go)."""


def unavailable(target: Mapping[str, Any] | None, wanted_url: str | None = None) -> str:
    """Why Longhorn can't use its target, in its own words; empty when it can.

    Args:
        target: The object backuptargets.longhorn.io `default`, None without one.
        wanted_url: The target that it is to have; None for any.
    """
    if target is None:
        return "Longhorn has no backup target yet"
    found = spec_of(target).get("backupTargetURL")
    if not found or (wanted_url is not None and found != wanted_url):
        return f"Longhorn's backup target is {found or 'empty'}"
    status = status_of(target)
    if status.get("available"):
        return ""
    if is_true(status, "Unavailable"):
        return f"Longhorn: {condition(status, 'Unavailable').get('message') or 'no reason given'}"
    return "Longhorn has not tried it yet"


def backup_volumes_of(volumes: Iterable[str], objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the objects that stand for all backups of these volumes.

    Until 1.7 such an object has its volume's name, from 1.8 on one of its own (longhorn-manager
    v1.8.2, k8s/pkg/apis/longhorn/v1beta2/backupvolume.go).

    Args:
        volumes: Names of volumes, which may be gone.
        objects: Every backupvolumes.longhorn.io object.
    """
    wanted = set(volumes)
    return sorted(
        name_of(each)
        for each in objects
        if (spec_of(each).get("volumeName") or name_of(each)) in wanted
    )
