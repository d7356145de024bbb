"""Longhorn in Prometheus and Grafana, as the program declares it."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.longhorn.monitoring.rules import alert_groups, dashboard
from components.longhorn.objects import NAMESPACE
from configuration.longhorn import LonghornSettings
from configuration.monitoring import MonitoringSettings

_API = "monitoring.coreos.com/v1"
_NAME = "longhorn"


class LonghornMonitoring(pulumi.ComponentResource):
    """Owns what Prometheus reads of Longhorn, the alerts, and a dashboard for Grafana.

    Refuses to own Prometheus, Grafana and where alerts are sent. The ServiceMonitor is the
    program's own for every version: the chart's takes labels only from 1.6.3 on, and without the
    operator's definitions Longhorn's own release would fail with it.
    """

    def __init__(
        self,
        name: str,
        *,
        longhorn: LonghornSettings,
        monitoring: MonitoringSettings,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            longhorn: The settings of Longhorn.
            monitoring: How it is seen.
        """
        super().__init__("longhornrancher:longhorn:Monitoring", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        backup = longhorn.backup
        objects: dict[str, tuple[str, dict[str, Any]]] = {
            "metrics": ("ServiceMonitor", _service_monitor())
        }
        if monitoring.alerts:
            age = None if backup is None else backup.maximum_age_hours
            groups = alert_groups(longhorn.version, age)
            objects["alerts"] = ("PrometheusRule", {"groups": groups})
        for part, (kind, spec) in objects.items():
            kubernetes.apiextensions.CustomResource(
                f"{name}-{part}",
                api_version=_API,
                kind=kind,
                metadata=kubernetes.meta.v1.ObjectMetaArgs(
                    name=_NAME, namespace=NAMESPACE, labels=monitoring.labels
                ),
                spec=spec,
                opts=here,
            )
        if monitoring.dashboard:
            kubernetes.core.v1.ConfigMap(
                f"{name}-dashboard",
                metadata=kubernetes.meta.v1.ObjectMetaArgs(
                    name=f"{_NAME}-dashboard",
                    namespace=monitoring.dashboard_namespace,
                    labels=monitoring.dashboard_labels,
                ),
                data={f"{_NAME}.json": dashboard()},
                opts=here,
            )
        self.register_outputs({})


def _service_monitor() -> dict[str, Any]:
    """Every manager, through the chart's Service longhorn-backend (templates/daemonset-sa.yaml)."""
    return {
        "selector": {"matchLabels": {"app": "longhorn-manager"}},
        "namespaceSelector": {"matchNames": [NAMESPACE]},
        "endpoints": [{"port": "manager", "path": "/metrics"}],
    }
