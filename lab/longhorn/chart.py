"""Longhorn's Helm charts for the lab: from files if there are any, else from their repository."""

import os
import socket
from pathlib import Path

from configuration.longhorn import DEFAULT_VERSION
from lab.common.paths import CACHE

_REPOSITORY_HOST = "charts.longhorn.io"
_REACHABLE_WITHIN_SECONDS = 3.0


def local_chart(version: str = DEFAULT_VERSION) -> Path | None:
    """The chart longhorn-VERSION.tgz in the cache; None if it is not there.

    $LAB_CHART, a folder or .tgz, is the one of the default version.
    """
    named = os.environ.get("LAB_CHART") if version == DEFAULT_VERSION else None
    candidates = [Path(named)] if named else []
    candidates.append(CACHE / f"longhorn-{version}.tgz")
    return next((path for path in candidates if path.exists()), None)


def repository_answers() -> bool:
    """Whether the charts' repository can be reached from here."""
    try:
        socket.create_connection((_REPOSITORY_HOST, 443), _REACHABLE_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def missing_chart(*versions: str) -> str | None:
    """Why a chart is not to be had and what to do; None when all are.

    Args:
        versions: which charts; only that of the default version if none is named.
    """
    wanted = versions or (DEFAULT_VERSION,)
    absent = [version for version in wanted if local_chart(version) is None]
    if not absent or repository_answers():
        return None
    return (
        f"Longhorn's chart {', '.join(absent)}: {_REPOSITORY_HOST} can't be reached from here. "
        f"Save it elsewhere with `helm pull longhorn/longhorn --version {absent[0]}` and put it "
        f"into {CACHE}"
    )
