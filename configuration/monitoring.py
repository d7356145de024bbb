"""How Prometheus and Grafana see Longhorn."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from configuration.base import ObjectName, StackModel, is_qualified
from configuration.problems import rule

_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def _labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not is_qualified(key) or _VALUE.fullmatch(value) is None:
            raise rule(
                f"has {key}: {value}, which is no label that Kubernetes takes",
                "Use letters, digits and . _ -, 63 characters at most, with a letter or digit at "
                "both ends.",
            )
    return labels


Labels = Annotated[dict[str, str], AfterValidator(_labels)]


class MonitoringSettings(StackModel):
    """Longhorn in a Prometheus that the Prometheus operator runs, and in Grafana."""

    labels: Labels = Field(default_factory=dict)
    """Labels by which that Prometheus finds what it is to read and its rules, such as
    `release: kube-prometheus-stack`."""
    alerts: bool = True
    """Whether there are alerts; their names and limits stand in docs/monitoring.md."""
    dashboard: bool = True
    """Whether there is a dashboard for Grafana, in a ConfigMap that its side-car finds."""
    dashboard_labels: Labels = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """Labels by which Grafana's side-car finds it."""
    dashboard_namespace: ObjectName = "longhorn-system"
    """Namespace of that ConfigMap, where the side-car looks into one alone; it must be there."""
