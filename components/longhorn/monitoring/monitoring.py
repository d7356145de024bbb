"""Longhorn in Prometheus and Grafana, as the program declares it."""

import json

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.kept import KeptObjects
from components.longhorn.monitoring.objects import monitoring_documents
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings
from configuration.monitoring import MonitoringSettings


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
        cluster: ClusterSettings,
        longhorn: LonghornSettings,
        monitoring: MonitoringSettings,
        found: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            cluster: How the cluster is reached.
            longhorn: The settings of Longhorn.
            monitoring: How it is seen.
            found: Which of the objects are gone or changed right now.
        """
        super().__init__("longhornrancher:longhorn:Monitoring", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        documents = monitoring_documents(longhorn, monitoring)
        owned: list[pulumi.Resource] = []
        for part, document in documents.items():
            metadata = document["metadata"]
            if document["kind"] == "ConfigMap":
                one = kubernetes.core.v1.ConfigMap(
                    f"{name}-{part}", metadata=metadata, data=document["data"], opts=here
                )
            else:
                one = kubernetes.apiextensions.CustomResource(
                    f"{name}-{part}",
                    api_version=document["apiVersion"],
                    kind=document["kind"],
                    metadata=metadata,
                    spec=document["spec"],
                    opts=here,
                )
            owned.append(one)
        KeptObjects(
            f"{name}-kept",
            cluster=cluster,
            objects=json.dumps([*documents.values()]),
            finding=found,
            opts=pulumi.ResourceOptions(parent=self, depends_on=owned),
        )
        self.register_outputs({})
