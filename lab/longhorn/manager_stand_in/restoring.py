"""What a backup's address says, and what a volume gets that is made from it. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit


def backup_of(url: str) -> tuple[str, str]:
    """Name and volume of the backup that an address means (backupstore, DecodeBackupURL)."""
    asked = parse_qs(urlsplit(url).query)
    return asked["backup"][0], asked["volume"][0]


def restoring(url: str, backups: Mapping[str, Mapping[str, Any]]) -> dict[str, str] | None:
    """What the specification of a volume from this backup says; None where the backup is unknown.

    Its size is the backup's, whatever was asked for (webhook/resources/volume/mutator.go).
    """
    name, _volume = backup_of(url)
    status = (backups.get(name) or {}).get("status") or {}
    size = status.get("volumeSize")
    return None if not size else {"fromBackup": url, "size": str(size)}
