"""What a module of engine tests needs of the machine, as its `pytestmark`."""

import os
import shutil
from pathlib import Path

import pytest

from lab.longhorn.manager import choice
from lab.programs import plugins
from lab.programs.plugin_base.launcher import StandIn


def _missing(*names: str) -> str | None:
    """Why tests that need these plugins and a lab can't run here; None when they can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    return plugins.missing(names)


def _missing_docker() -> str | None:
    """Why the lab can't have a Docker engine here; None when it can."""
    return "Docker comes from apt" if shutil.which("apt-get") is None else None


def _marks(missing: str | None) -> list[pytest.MarkDecorator]:
    return [
        pytest.mark.engine,
        pytest.mark.lab,
        pytest.mark.skipif(missing is not None, reason=str(missing)),
    ]


needs_hosts = _marks(None if os.geteuid() == 0 else "the lab's hosts need root")
"""Hosts alone, with whatever plugin there is."""
needs_longhorn = _marks(_missing("command", "kubernetes"))
"""Hosts and a cluster."""
needs_longhorn_manager = _marks(_missing("command", "kubernetes") or choice.missing())
"""The same, Longhorn's own chart, and its own manager in place of its stand-in."""
needs_whole_lab = _marks(_missing("command", "kubernetes", "docker") or _missing_docker())
"""Hosts, a cluster and a Docker engine."""
needs_promtool = [
    pytest.mark.engine,
    pytest.mark.skipif(
        shutil.which("promtool") is None,
        reason="no promtool on PATH (go install github.com/prometheus/prometheus/cmd/promtool)",
    ),
]
"""Prometheus's own tool for rules. Building it takes minutes, so the lab does not."""


def marks(*names: str) -> list[pytest.MarkDecorator]:
    """A cluster without hosts, and these plugins."""
    return _marks(_missing(*names))


def docker_marks(*names: str) -> list[pytest.MarkDecorator]:
    """A Docker engine, and these plugins."""
    return _marks(_missing(*names) or _missing_docker())


def real_folder(stand_in: StandIn) -> Path:
    """Where the real plugin is that this one stands in for; the test is skipped where none is."""
    real = stand_in.find_real()
    if real is None:
        missing = f"no {stand_in.executable} on PATH or among Pulumi's installed plugins"
        pytest.skip(missing)
    return real.parent
