"""The alerts and the dashboard for one version of Longhorn, from the files beside this. Pure."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.longhorn.versions import minor_of

_FOLDER = Path(__file__).parent
_AGE = "alerts-backup-age"
_HOURS = "HOURS"
_COLUMNS, _HEIGHT = 24, 8


# The preflight and the declaration ask for the same, and reading YAML is slow.
@cache
def alert_groups(version: str, maximum_age_hours: int | None) -> Sequence[Mapping[str, Any]]:
    """The groups of alerts, as in a file of Prometheus's rules.

    Args:
        version: A supported version of Longhorn (longhorn.version).
        maximum_age_hours: longhorn.backup.maximumAgeHours; None for no alert about a backup's age.
    """
    groups: list[Mapping[str, Any]] = yaml.safe_load(_text(minor_of(version).alerts))["groups"]
    if maximum_age_hours is None:
        return groups
    aged = yaml.safe_load(_text(_AGE).replace(_HOURS, str(maximum_age_hours)))
    return [*groups, *aged["groups"]]


@cache
def dashboard() -> str:
    """Grafana's dashboard, as JSON."""
    rows: list[list[dict[str, Any]]] = yaml.safe_load(_text("dashboard"))
    panels = [
        _panel(panel, number, len(row), line)
        for line, row in enumerate(rows)
        for number, panel in enumerate(row)
    ]
    numbered = [{"id": identifier, **panel} for identifier, panel in enumerate(panels, 1)]
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return json.dumps(
        {
            "uid": "longhorn-rancher",
            "title": "Longhorn",
            "tags": ["longhorn"],
            "schemaVersion": 39,
            "editable": False,
            "time": {"from": "now-24h", "to": "now"},
            "refresh": "1m",
            "templating": {"list": [source]},
            "panels": numbered,
        },
        indent=1,
    )


def _panel(said: Mapping[str, Any], number: int, count: int, line: int) -> dict[str, Any]:
    width = _COLUMNS // count
    source = {"type": "prometheus", "uid": "${source}"}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if "alarm" in said:
        steps.append({"color": "red", "value": said["alarm"]})
    defaults = {
        "unit": said.get("unit", "short"),
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    target = {"refId": "A", "expr": said["expr"], "legendFormat": said.get("legend", "")}
    return {
        "title": said["title"],
        "type": said["kind"],
        "datasource": source,
        "gridPos": {"x": number * width, "y": line * _HEIGHT, "w": width, "h": _HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [{**target, "datasource": source}],
    }


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.yaml").read_text()
