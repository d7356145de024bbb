"""Longhorn's Helm charts for the lab: from a file, from their repository, or the lab's own."""

import os
import socket
from functools import cache
from pathlib import Path

from configuration.longhorn import DEFAULT_VERSION
from lab.common import paths
from lab.common.paths import CACHE
from lab.longhorn import played_chart

_REPOSITORY_HOST = "charts.longhorn.io"
_REACHABLE_WITHIN_SECONDS = 3.0


def local_chart(version: str = DEFAULT_VERSION) -> Path | None:
    """The chart to install a version from; None where the repository has it.

    The lab's own one is written where neither a file nor the repository is there.
    """
    found = real_file(version)
    if found is not None or repository_answers():
        return found
    return played_chart.write(version, paths.STATE / "charts")


def real_file(version: str = DEFAULT_VERSION) -> Path | None:
    """Longhorn's own chart longhorn-VERSION.tgz in the cache; None if it is not there.

    $LAB_CHART, a folder or .tgz, is the one of the default version.
    """
    named = os.environ.get("LAB_CHART") if version == DEFAULT_VERSION else None
    candidates = [Path(named)] if named else []
    candidates.append(CACHE / f"longhorn-{version}.tgz")
    return next((path for path in candidates if path.exists()), None)


@cache
def repository_answers() -> bool:
    """Whether the charts' repository can be reached from here."""
    try:
        socket.create_connection((_REPOSITORY_HOST, 443), _REACHABLE_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def missing_chart(version: str = DEFAULT_VERSION) -> str | None:
    """Why Longhorn's own chart is not to be had and what to do; None when it is."""
    if real_file(version) is not None or repository_answers():
        return None
    return (
        f"Longhorn's chart {version}: {_REPOSITORY_HOST} can't be reached from here. "
        f"Save it elsewhere with `helm pull longhorn/longhorn --version {version}` and put it "
        f"into {CACHE}"
    )
