"""Who plays longhorn-manager in the lab: the real one, or the stand-in.

The real one needs a `longhorn-manager` of the default version on PATH, Longhorn's own chart, and a
lab host for every node of the cluster. $LAB_LONGHORN says which one is wanted: `real`, `stand-in`,
or nothing.
"""

import os
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from configuration.longhorn import DEFAULT_VERSION
from lab.common.progress import LabError
from lab.longhorn import chart

REAL = "longhorn-manager"
STAND_IN = "longhorn-manager-stand-in"
_PROGRAM = "longhorn-manager"
_VARIABLE = "LAB_LONGHORN"
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Choice:
    """Who plays longhorn-manager.

    Args:
        process: REAL or STAND_IN, which names the lab's process too.
        why: what decided it.
    """

    process: str
    why: str

    def __str__(self) -> str:
        kind = "the real one" if self.process == REAL else "a stand-in"
        return f"{kind} ({self.why})"


def missing() -> str | None:
    """Why this machine has no real longhorn-manager to run; None when it has."""
    return _missing_program() or chart.missing_chart()


def _missing_program() -> str | None:
    version = f"v{DEFAULT_VERSION}"
    path = shutil.which(_PROGRAM)
    if path is None:
        return f"no {_PROGRAM} {version} on PATH"
    answer = subprocess.run(
        [path, "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_ANSWER_SECONDS,
    )
    said = answer.stdout.strip()
    return None if said.split()[-1:] == [version] else f"{path} is not {version}: {said}"


def program() -> Path:
    """The real longhorn-manager. Raises LabError where there is none."""
    path = shutil.which(_PROGRAM)
    if path is None:
        raise LabError(str(missing()))
    return Path(path)


def chosen(nodes: Collection[str], hosts: Collection[str]) -> Choice:
    """Decide for a cluster.

    Args:
        nodes: the names of its nodes.
        hosts: the names of the lab's hosts.

    Raises LabError when the real one is wanted by name and can't run.
    """
    wanted = os.environ.get(_VARIABLE, "")
    if wanted not in ("", "real", "stand-in"):
        raise LabError(f"{_VARIABLE}={wanted}: give real, stand-in, or nothing")
    if wanted == "stand-in":
        return Choice(STAND_IN, f"{_VARIABLE}=stand-in")
    obstacle = _obstacle(nodes, hosts)
    if obstacle is None:
        return Choice(REAL, str(program()))
    if wanted == "real":
        raise LabError(f"{_VARIABLE}=real: {obstacle}")
    return Choice(STAND_IN, obstacle)


def _obstacle(nodes: Collection[str], hosts: Collection[str]) -> str | None:
    without_host = sorted(set(nodes) - set(hosts))
    if without_host:
        return f"no lab host for node {', '.join(without_host)}"
    return missing()
