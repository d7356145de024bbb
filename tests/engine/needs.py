"""What a module of engine tests needs of the machine, as its `pytestmark`."""

import os

import pytest

from lab.longhorn import chart
from lab.longhorn.manager import choice
from lab.programs import toolchain


def _missing(*plugins: str) -> str | None:
    """Why tests that need these plugins and a lab can't run here; None when they can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    found = toolchain.plugins()
    absent = [name for name in plugins if found[name] is None]
    if absent:
        return f"no pulumi-resource-{{{','.join(absent)}}} on PATH or among installed plugins"
    return None


def _marks(missing: str | None) -> list[pytest.MarkDecorator]:
    return [
        pytest.mark.engine,
        pytest.mark.lab,
        pytest.mark.skipif(missing is not None, reason=str(missing)),
    ]


needs_longhorn = _marks(_missing("command", "kubernetes") or chart.missing_chart())
"""Hosts, a cluster and the chart."""
needs_longhorn_manager = _marks(
    _missing("command", "kubernetes") or chart.missing_chart() or choice.missing()
)
"""The same and Longhorn's own manager in place of its stand-in."""
needs_whole_lab = _marks(_missing("command", "kubernetes", "docker") or chart.missing_chart())
"""Hosts, a cluster, the chart and a Docker engine."""


def needs_charts(*versions: str) -> list[pytest.MarkDecorator]:
    """A cluster without hosts, and the charts of these versions."""
    return _marks(_missing("kubernetes") or chart.missing_chart(*versions))


def marks(*plugins: str) -> list[pytest.MarkDecorator]:
    """A cluster without hosts, and these plugins."""
    return _marks(_missing(*plugins))
