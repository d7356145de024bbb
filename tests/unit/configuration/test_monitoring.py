"""longhorn.monitoring in a stack file: what is accepted, what refused."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, valid


def _with(**longhorn: Any) -> dict[str, Any]:
    return valid(longhorn=longhorn)


@pytest.mark.parametrize(
    "labels", [{}, {"release": "kube-prometheus-stack"}, {"example.com/team": "", "a.b": "C_d"}]
)
def test_labels_of_kubernetes_are_accepted(labels: dict[str, str]) -> None:
    assert mistakes(_with(monitoring={"labels": labels})) == []


@pytest.mark.parametrize(
    "labels", [{"": "a"}, {"a b": "c"}, {"a": "-b"}, {"A_/b": "c"}, {"a": "x" * 64}, {"/a": "b"}]
)
def test_what_is_no_label_of_kubernetes_is_refused_by_name(labels: dict[str, str]) -> None:
    found = mistake(_with(monitoring={"dashboardLabels": labels}))
    assert found.key.endswith("longhorn.monitoring.dashboardLabels")
    assert "no label" in found.rule


@pytest.mark.parametrize("said", [True, False])
def test_the_service_monitor_of_the_chart_stays_off_beside_it(said: bool) -> None:
    values = {"metrics": {"serviceMonitor": {"enabled": said}}}
    assert mistakes(_with(version="1.6.4", values=values)) == []
    found = mistake(_with(version="1.6.4", values=values, monitoring={}))
    assert found.key.endswith("longhorn.values.metrics.serviceMonitor.enabled")
    assert "longhorn.monitoring" in found.rule
