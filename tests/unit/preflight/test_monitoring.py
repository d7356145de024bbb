"""Whether a Prometheus sees what longhorn.monitoring makes."""

from typing import Any

import pytest

from components.preflight.monitoring import PrometheusFacts, check_monitoring
from components.preflight.report import CheckResult
from configuration.monitoring import MonitoringSettings

_EVERYWHERE: dict[str, Any] = {"serviceMonitorNamespaceSelector": {}, "ruleNamespaceSelector": {}}
_SPACE = {"kubernetes.io/metadata.name": "longhorn-system"}


def _prometheus(selector: Any, namespace: Any = "monitoring", **spec: Any) -> dict[str, Any]:
    both = {"serviceMonitorSelector": selector, "ruleSelector": selector}
    return {
        "metadata": {"name": "main", "namespace": namespace},
        "spec": {**_EVERYWHERE, **both, **spec},
    }


def _checked(
    *instances: dict[str, Any], missing: tuple[str, ...] = (), **given: Any
) -> list[CheckResult]:
    settings = MonitoringSettings.model_validate(given)
    facts = PrometheusFacts(missing=missing, instances=instances, namespace_labels=_SPACE)
    return list(check_monitoring(settings, facts))


def test_a_cluster_without_the_operator_is_an_error_with_the_kinds_that_it_lacks() -> None:
    (found,) = _checked(missing=("ServiceMonitor", "PrometheusRule"))
    assert (found.check, found.severity) == ("prometheusOperator", "error")
    assert "a ServiceMonitor and a PrometheusRule" in found.found
    assert "kube-prometheus-stack" in found.remedy


def test_without_alerts_no_kind_for_them_is_needed() -> None:
    assert _checked(missing=("PrometheusRule",), alerts=False) == []


@pytest.mark.parametrize(
    ("selector", "labels"),
    [
        ({}, {}),
        ({"matchLabels": {"release": "a"}}, {"release": "a", "more": "b"}),
        ({"matchExpressions": [{"key": "t", "operator": "In", "values": ["x", "y"]}]}, {"t": "y"}),
        ({"matchExpressions": [{"key": "t", "operator": "NotIn", "values": ["x"]}]}, {}),
        ({"matchExpressions": [{"key": "t", "operator": "Exists"}]}, {"t": "any"}),
        ({"matchExpressions": [{"key": "t", "operator": "DoesNotExist"}]}, {}),
    ],
)
def test_labels_that_a_prometheus_looks_for_are_well(
    selector: dict[str, Any], labels: dict[str, str]
) -> None:
    assert _checked(_prometheus(selector), labels=labels) == []


@pytest.mark.parametrize(
    ("selector", "labels", "said"),
    [
        (None, {}, "looks for none"),
        ({"matchLabels": {"release": "a"}}, {}, "looks for release: a in namespaces any"),
        ({"matchLabels": {"release": "a"}}, {"release": "b"}, "with the labels release: b"),
        (
            {"matchExpressions": [{"key": "t", "operator": "In", "values": ["x"]}]},
            {"t": "z"},
            "t In ['x']",
        ),
        (
            {"matchExpressions": [{"key": "t", "operator": "NotIn", "values": ["x"]}]},
            {"t": "x"},
            "",
        ),
        ({"matchExpressions": [{"key": "t", "operator": "Exists"}]}, {}, ""),
        ({"matchExpressions": [{"key": "t", "operator": "DoesNotExist"}]}, {"t": "x"}, ""),
    ],
)
def test_labels_that_no_prometheus_looks_for_are_a_warning_with_what_it_wants(
    selector: Any, labels: dict[str, str], said: str
) -> None:
    found = _checked(_prometheus(selector), labels=labels)
    assert [each.check for each in found] == ["prometheusSelector"] * 2
    assert {each.severity for each in found} == {"warning"}
    assert all(said in each.found and "monitoring/main" in each.found for each in found)


def test_one_prometheus_that_looks_is_enough() -> None:
    assert _checked(_prometheus(None), _prometheus({})) == []


def test_without_a_selector_of_namespaces_only_its_own_counts() -> None:
    alone: dict[str, Any] = dict.fromkeys(_EVERYWHERE)
    assert len(_checked(_prometheus({}, **alone))) == 2
    assert _checked(_prometheus({}, "longhorn-system", **alone)) == []


def test_longhorns_namespace_is_found_by_its_labels() -> None:
    named = {"matchLabels": _SPACE}
    spaces: dict[str, Any] = {
        "serviceMonitorNamespaceSelector": named,
        "ruleNamespaceSelector": named,
    }
    assert _checked(_prometheus({}, **spaces)) == []


def test_where_the_operator_runs_no_prometheus_nothing_is_said() -> None:
    assert _checked() == []
