"""The file that holds what is in a volume, and its snapshots."""

import os
import shutil
from pathlib import Path

from lab.common import paths


def image(volume: str) -> Path:
    """The file of a volume, which need not be there."""
    return _folder() / f"{volume}.img"


def snapshot(volume: str, name: str) -> Path:
    """The file of a snapshot, which need not be there."""
    return _folder() / f"{volume}.{name}.snapshot"


def ensure(volume: str, size_bytes: int) -> Path:
    """The file of a volume; sparse and empty where there was none."""
    file = image(volume)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as content:
            content.truncate(size_bytes)
    return file


def take_snapshot(volume: str, name: str, size_bytes: int) -> int:
    """Keep what is in the volume now; returns how many bytes of it are not blank."""
    kept = snapshot(volume, name)
    partial = kept.with_suffix(".partial")
    shutil.copyfile(ensure(volume, size_bytes), partial)
    os.replace(partial, kept)
    return kept.stat().st_blocks * 512


def remove(volume: str) -> None:
    """Forget a volume with its snapshots."""
    image(volume).unlink(missing_ok=True)
    for kept in _folder().glob(f"{volume}.*.snapshot"):
        kept.unlink(missing_ok=True)


def _folder() -> Path:
    return paths.STATE / "volumes"
