"""Alerts and dashboard: only of what the manager of each version tells Prometheus."""

import json
import re
from typing import Any

import pytest

from components.longhorn.monitoring.rules import alert_groups, dashboard
from configuration.longhorn import SUPPORTED_VERSIONS
from tests.unit.longhorn.monitoring.metrics import METRICS
from tests.unit.longhorn.monitoring.scenarios import HOURS, SCENARIOS

_METRIC = re.compile(r"\b(?:longhorn|kubelet)_[a-z_]+\b")
_MATCHED = re.compile(r"\b((?:longhorn|kubelet)_[a-z_]+)\{([^}]*)\}")
_SEVERITIES = {"critical", "warning"}


def _rules(version: str = "1.5.3", hours: int | None = HOURS) -> list[dict[str, Any]]:
    return [rule for group in alert_groups(version, hours) for rule in group["rules"]]


def _expressions() -> list[str]:
    panels = json.loads(dashboard())["panels"]
    drawn = [target["expr"] for panel in panels for target in panel["targets"]]
    alerts = [rule["expr"] for version in SUPPORTED_VERSIONS for rule in _rules(version)]
    return [*drawn, *alerts]


def test_no_metric_is_asked_for_that_the_manager_does_not_have() -> None:
    asked = {name for expression in _expressions() for name in _METRIC.findall(expression)}
    assert asked
    assert asked <= set(METRICS)


def test_no_series_is_chosen_by_a_label_that_it_does_not_have() -> None:
    for expression in _expressions():
        for metric, matchers in _MATCHED.findall(expression):
            assert set(re.findall(r"(\w+)=", matchers)) <= set(METRICS[metric])


@pytest.mark.parametrize("fires", [True, False])
def test_every_alert_has_series_that_fire_it_and_such_that_do_not(fires: bool) -> None:
    tried = {each.alert for each in SCENARIOS if each.fires is fires}
    assert {rule["alert"] for rule in _rules()} == tried


def test_the_series_of_the_scenarios_are_the_managers() -> None:
    target = {"namespace", "job", "pod", "node"}
    for scenario in SCENARIOS:
        for series in scenario.series:
            name, _, labels = series.partition("{")
            said = set(re.findall(r'(\w+)="', labels))
            assert said - target == set(METRICS[name]) - target, series


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in _SEVERITIES
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    # What a message names is what the alert has.
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    grouped = re.search(r"max by \(([^)]*)\)", rule["expr"])
    assert named <= set(re.findall(r"\w+", grouped[1] if grouped else ""))


def test_the_age_of_backups_is_looked_at_only_where_the_stack_file_says_how_old() -> None:
    assert "LonghornBackupOld" not in {rule["alert"] for rule in _rules(hours=None)}
    (aged,) = [rule for rule in _rules(hours=36) if rule["alert"] == "LonghornBackupOld"]
    assert "offset 36h" in aged["expr"]
    assert "36 hours" in aged["annotations"]["summary"]
    assert "HOURS" not in str(aged)


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    panels = json.loads(dashboard())["panels"]
    cells = [
        (x, panel["gridPos"]["y"])
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
