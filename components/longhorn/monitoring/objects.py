"""The objects by which Prometheus and Grafana see Longhorn, as Kubernetes has them. Pure."""

from collections.abc import Mapping
from typing import Any

from components.longhorn.monitoring.rules import alert_groups, dashboard
from components.longhorn.objects import NAMESPACE
from configuration.longhorn import LonghornSettings
from configuration.monitoring import MonitoringSettings

Document = dict[str, Any]

_API = "monitoring.coreos.com/v1"
_NAME = "longhorn"


def monitoring_documents(
    longhorn: LonghornSettings, monitoring: MonitoringSettings
) -> dict[str, Document]:
    """All of them, by what they are for: metrics, alerts and dashboard.

    Args:
        longhorn: The settings of Longhorn.
        monitoring: How it is seen.
    """
    labels = monitoring.labels
    documents = {"metrics": _of_operator("ServiceMonitor", labels, _service_monitor())}
    if monitoring.alerts:
        age = None if longhorn.backup is None else longhorn.backup.maximum_age_hours
        groups = alert_groups(longhorn.version, age)
        documents["alerts"] = _of_operator("PrometheusRule", labels, {"groups": groups})
    if monitoring.dashboard:
        documents["dashboard"] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(
                f"{_NAME}-dashboard",
                monitoring.dashboard_namespace,
                monitoring.dashboard_labels,
            ),
            "data": {f"{_NAME}.json": dashboard()},
        }
    return documents


def _of_operator(kind: str, labels: Mapping[str, str], spec: Document) -> Document:
    metadata = _metadata(_NAME, NAMESPACE, labels)
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _metadata(name: str, namespace: str, labels: Mapping[str, str]) -> Document:
    """Without labels where there are none: Kubernetes keeps no empty map, so it would differ."""
    metadata: Document = {"name": name, "namespace": namespace}
    return {**metadata, "labels": dict(labels)} if labels else metadata


def _service_monitor() -> Document:
    """Every manager, through the chart's Service longhorn-backend (templates/daemonset-sa.yaml)."""
    return {
        "selector": {"matchLabels": {"app": "longhorn-manager"}},
        "namespaceSelector": {"matchNames": [NAMESPACE]},
        "endpoints": [{"port": "manager", "path": "/metrics"}],
    }
