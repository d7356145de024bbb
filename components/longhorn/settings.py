"""Longhorn's own settings that the stack file names, kept as it names them.

The chart's values become settings only when the chart's ConfigMap changes (longhorn-manager v1.5.3,
controller/setting_controller.go), and a value that Longhorn does not take then is only logged. So
what a person changed in Longhorn's interface, and what Longhorn refused, is put here.
"""

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.waiting import wait_until
from components.longhorn.findings import settings_finding
from components.longhorn.objects import read_objects, try_patch
from configuration.cluster import ClusterSettings

# Its webhook is briefly away while a manager starts; what it refuses for good it refuses as long.
_PATIENCE = 60.0


def setting_values(chart_settings: Mapping[str, Any]) -> dict[str, str]:
    """Longhorn's settings out of the chart's values `defaultSettings`, as the text they hold. Pure.

    Values that say nothing are left out, as in the chart.
    """
    return {
        _setting_name(key): _text(value)
        for key, value in chart_settings.items()
        if value is not None and value != ""
    }


def _setting_name(key: str) -> str:
    """defaultReplicaCount → default-replica-count (the chart's templates/default-setting.yaml)."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", key).lower()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class LonghornSettingValuesProvider(DynamicProvider):
    """Writes the settings that differ; a setting that this Longhorn does not have is left out."""

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Write what differs. Raises TimeoutError with Longhorn's words when it refuses."""
        cluster, wanted = open_cluster(new), dict(new["values"])

        def missing() -> list[str]:
            found = _values(cluster)
            refusals = {
                name: try_patch(cluster, "settings", name, {"value": value})
                for name, value in wanted.items()
                if settings_finding(found, {name: value})
            }
            return [f"{why} (wanted: {wanted[name]})" for name, why in refusals.items() if why]

        wait_until("Longhorn's settings", missing, timeout_seconds=_PATIENCE)
        return "longhorn-settings", new

    def look(self, state: Properties) -> Properties:
        """These settings as they are now."""
        found = _values(open_cluster(state))
        values = {name: found.get(name, value) for name, value in state["values"].items()}
        return {**state, "values": values}


def _values(cluster: ClusterApi) -> dict[str, str]:
    return {
        str(item["metadata"]["name"]): str(item.get("value") or "")
        for item in read_objects(cluster, "settings") or []
    }


class LonghornSettingValues(DynamicResource, module="longhorn", name="SettingValues"):
    """Owns the values of the settings that the stack file names, while it names them.

    A setting that it no longer names keeps its value.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        values: Mapping[str, str],
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            values: Text by the setting's name (setting_values).
            finding: Which have another value right now.
        """
        inputs = {**cluster_inputs(cluster), "values": dict(values), "finding": finding}
        super().__init__(LonghornSettingValuesProvider(), name, inputs, opts)
