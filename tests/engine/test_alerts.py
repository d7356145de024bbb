"""The alerts, judged by Prometheus's own promtool: each one fires on the manager's own series."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.longhorn.monitoring.rules import alert_groups
from tests.engine.needs import needs_promtool
from tests.unit.longhorn.monitoring.scenarios import HOURS, SCENARIOS, Scenario

pytestmark = needs_promtool

_PATIENCE = 300


def _promtool(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["promtool", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules in a file of Prometheus's own form."""
    path = tmp_path_factory.mktemp("alerts") / "alerts.yaml"
    path.write_text(yaml.safe_dump({"groups": alert_groups("1.5.3", HOURS)}))
    return path


def test_the_rules_are_well_formed(rules: Path) -> None:
    done = _promtool(rules.parent, "check", "rules", "--lint=all", "--lint-fatal", rules.name)
    assert done.returncode == 0, done.stdout + done.stderr


def _expected(scenario: Scenario, rules: Path) -> list[dict[str, Any]]:
    if not scenario.fires:
        return []
    groups = yaml.safe_load(rules.read_text())["groups"]
    (severity,) = (
        rule["labels"]["severity"]
        for group in groups
        for rule in group["rules"]
        if rule["alert"] == scenario.alert
    )
    labels = {"alertname": scenario.alert, "alertstate": "firing", "severity": severity}
    pairs = ",".join(f'{key}="{value}"' for key, value in {**labels, **scenario.labels}.items())
    return [{"labels": f"ALERTS{{{pairs}}}", "value": 1}]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{each.alert}-{each.fires}")
def test_an_alert_fires_on_what_it_is_for_and_on_nothing_else(
    scenario: Scenario, rules: Path
) -> None:
    wanted = f'ALERTS{{alertname="{scenario.alert}",alertstate="firing"}}'
    test: dict[str, Any] = {
        "interval": "1m",
        "input_series": [
            {"series": series, "values": values} for series, values in scenario.series.items()
        ],
        "promql_expr_test": [
            {"expr": wanted, "eval_time": scenario.at, "exp_samples": _expected(scenario, rules)}
        ],
    }
    said = {"rule_files": [rules.name], "evaluation_interval": "1m", "tests": [test]}
    (rules.parent / "test.yaml").write_text(yaml.safe_dump(said))
    done = _promtool(rules.parent, "test", "rules", "test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
