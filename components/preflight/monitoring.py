"""Whether what longhorn.monitoring makes is seen by a Prometheus.

Source: Prometheus operator, API reference of monitoring.coreos.com/v1, Prometheus: no selector
takes nothing, an empty one takes all; without a selector of namespaces its own namespace counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed, mapped
from components.longhorn.objects import NAMESPACE
from components.preflight.report import CheckResult, of_cluster
from configuration.monitoring import MonitoringSettings

_GROUP, _VERSION = "monitoring.coreos.com", "v1"
_KINDS = {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}
_SELECTORS = {"ServiceMonitor": "serviceMonitor", "PrometheusRule": "rule"}
_ANSWER: Mapping[str, Any] = {"_request_timeout": 10}

Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PrometheusFacts:
    """What the cluster has of the Prometheus operator."""

    missing: Sequence[str] = ()
    """The kinds of the operator that the cluster does not know."""
    instances: Sequence[Object] = ()
    """Every Prometheus that the operator runs."""
    namespace_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of Longhorn's namespace."""


def read_prometheus(api: ClusterApi) -> PrometheusFacts:
    """Ask the cluster. Raises ApiError."""
    named = {
        str(each.metadata.name)
        for each in listed(api.extensions.list_custom_resource_definition(**_ANSWER).items)
    }
    ask = api.custom.list_cluster_custom_object
    found: Any = unless_missing(ask, _GROUP, _VERSION, "prometheuses", **_ANSWER)
    namespace: Any = unless_missing(api.core.read_namespace, NAMESPACE, **_ANSWER)
    return PrometheusFacts(
        missing=[kind for plural, kind in _KINDS.items() if f"{plural}.{_GROUP}" not in named],
        instances=[] if found is None else listed(found["items"]),
        # The label that Kubernetes gives every namespace, one that is still to be made included.
        namespace_labels={"kubernetes.io/metadata.name": NAMESPACE}
        | ({} if namespace is None else mapped(namespace.metadata.labels)),
    )


def check_monitoring(
    monitoring: MonitoringSettings, facts: PrometheusFacts
) -> Iterator[CheckResult]:
    """An error without the operator, a warning where its Prometheus would not look. Pure."""
    kinds = ["ServiceMonitor"] + ["PrometheusRule"] * monitoring.alerts
    missing = [kind for kind in kinds if kind in facts.missing]
    if missing:
        yield of_cluster(
            "prometheusOperator",
            "error",
            f"longhorn.monitoring makes a {' and a '.join(missing)}, and the cluster does not know "
            f"{'these kinds' if len(missing) > 1 else 'this kind'}",
            "Install the Prometheus operator first (such as the chart kube-prometheus-stack), or "
            "remove longhorn.monitoring.",
        )
        return
    for kind in kinds if facts.instances else ():
        if not any(_takes(each, kind, monitoring.labels, facts) for each in facts.instances):
            wanted = "; ".join(_wants(each, kind) for each in facts.instances)
            yield of_cluster(
                "prometheusSelector",
                "warning",
                f"no Prometheus of the operator takes Longhorn's {kind} with the labels "
                f"{_text(monitoring.labels)}: {wanted}",
                "Set longhorn.monitoring.labels to what it looks for.",
            )


def _takes(instance: Object, kind: str, labels: Mapping[str, str], facts: PrometheusFacts) -> bool:
    spec, name = mapped(instance.get("spec")), _SELECTORS[kind]
    namespaces = spec.get(f"{name}NamespaceSelector")
    own = mapped(instance.get("metadata")).get("namespace") == NAMESPACE
    is_seen = own if namespaces is None else _selects(namespaces, facts.namespace_labels)
    return is_seen and _selects(spec.get(f"{name}Selector"), labels)


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """A label selector of Kubernetes; None selects nothing."""
    if selector is None:
        return False
    exact = mapped(selector.get("matchLabels"))
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _meets(each, labels) for each in map(mapped, listed(selector.get("matchExpressions")))
    )


def _meets(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key"), listed(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return labels.get(str(key)) in values
        case "NotIn":
            return labels.get(str(key)) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _wants(instance: Object, kind: str) -> str:
    meta, spec = mapped(instance.get("metadata")), mapped(instance.get("spec"))
    name = _SELECTORS[kind]
    selector, spaces = spec.get(f"{name}Selector"), spec.get(f"{name}NamespaceSelector")
    where = "its own namespace" if spaces is None else f"namespaces {_selector_text(spaces)}"
    who = f"{meta.get('namespace')}/{meta.get('name')}"
    return f"{who} looks for {_selector_text(selector)} in {where}"


def _selector_text(selector: Object | None) -> str:
    if selector is None:
        return "none"
    exact = mapped(selector.get("matchLabels"))
    said = [_text(exact)] if exact else []
    for each in map(mapped, listed(selector.get("matchExpressions"))):
        said.append(f"{each.get('key')} {each.get('operator')} {listed(each.get('values'))}")
    return ", ".join(said) or "any"


def _text(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) or "none"
