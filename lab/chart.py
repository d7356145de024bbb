"""Longhorn's Helm chart for the lab: from a file if there is one, else from its repository."""

import os
import socket
from pathlib import Path

from configuration.longhorn import SUPPORTED_VERSIONS
from lab.paths import CACHE

_REPOSITORY_HOST = "charts.longhorn.io"
_REACHABLE_WITHIN_SECONDS = 3.0


def local_chart() -> Path | None:
    """The chart in $LAB_CHART (folder or .tgz), or in the cache; None if there is neither."""
    named = os.environ.get("LAB_CHART")
    candidates = [Path(named)] if named else []
    candidates.append(CACHE / f"longhorn-{SUPPORTED_VERSIONS[-1]}.tgz")
    return next((path for path in candidates if path.exists()), None)


def repository_answers() -> bool:
    """Whether the chart's repository can be reached from here."""
    try:
        socket.create_connection((_REPOSITORY_HOST, 443), _REACHABLE_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def missing_chart() -> str | None:
    """Why there is no chart and what to do; None when there is one."""
    if local_chart() is not None or repository_answers():
        return None
    return (
        f"Longhorn's chart: {_REPOSITORY_HOST} can't be reached from here. Save the chart "
        f"elsewhere with `helm pull longhorn/longhorn --version {SUPPORTED_VERSIONS[-1]}` and "
        f"name the file in $LAB_CHART, or put it into {CACHE}"
    )
