"""What preflight asks of a cluster, asked of a real API server."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import (
    ApiextensionsV1Api,
    AppsV1Api,
    CoreV1Api,
    CustomObjectsApi,
    StorageV1Api,
)

from components.cluster.api import ClusterApi
from components.preflight.agent import check_agent, read_agent
from components.preflight.cluster import check_cluster
from components.preflight.cluster_facts import read_cluster
from components.preflight.cluster_wanted import ClusterWanted, WantedNode
from components.preflight.frontend import check_ingress_class, read_ingress_classes
from configuration.longhorn import DEFAULT_VERSION, FrontendSettings
from tests.engine import longhorn_chart
from tests.engine.conftest import Cluster

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="the lab's cluster needs root"),
]
_CLASSES = ("scheduling.k8s.io", "v1", "priorityclasses")
_LABELS = {"k8s-app": "kube-dns"}
_DNS: dict[str, Any] = {
    "metadata": {"name": "coredns", "labels": _LABELS},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        "template": {
            "metadata": {"labels": _LABELS},
            "spec": {"containers": [{"name": "coredns", "image": "coredns"}]},
        },
    },
}


@pytest.fixture
def burdened(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with a default PriorityClass and a CoreDNS that stands alone."""
    apps, custom = AppsV1Api(cluster.client), CustomObjectsApi(cluster.client)
    priority = {"metadata": {"name": "everyone"}, "value": 1000, "globalDefault": True}
    priority |= {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    custom.create_cluster_custom_object(*_CLASSES, priority)
    apps.create_namespaced_deployment("kube-system", _DNS)
    yield cluster
    custom.delete_cluster_custom_object(*_CLASSES, "everyone")
    apps.delete_namespaced_deployment("coredns", "kube-system")


def _checked(cluster: Cluster) -> dict[str, str]:
    facts = read_cluster(ClusterApi(str(cluster.handle.kubeconfig), None))
    wanted = ClusterWanted(longhorn_version=DEFAULT_VERSION)
    return {result.check: result.found for result in check_cluster(facts, wanted)}


def test_a_default_priority_class_and_a_lonely_dns_server_are_named(burdened: Cluster) -> None:
    found = _checked(burdened)
    assert "PriorityClass everyone" in found["globalPriorityClass"]
    assert "CoreDNS has 1 replica" in found["coreDnsReplicas"]


def test_a_cluster_without_them_is_told_to_be_new_and_nothing_else(cluster: Cluster) -> None:
    assert set(_checked(cluster)) == {"kubernetesVersion"}


def test_an_agent_that_somebody_installed_for_another_rancher_is_named(cluster: Cluster) -> None:
    api = ClusterApi(str(cluster.handle.kubeconfig), None)
    assert list(check_agent(read_agent(api), "https://rancher.example.com", "a/b")) == []
    labels = {"app": "cattle-cluster-agent"}
    variable = {"name": "CATTLE_SERVER", "value": "https://other.example.com"}
    pod = {"containers": [{"name": "agent", "image": "agent", "env": [variable]}]}
    CoreV1Api(cluster.client).create_namespace({"metadata": {"name": "cattle-system"}})
    AppsV1Api(cluster.client).create_namespaced_deployment(
        "cattle-system",
        {
            "metadata": {"name": "cattle-cluster-agent"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    )
    (result,) = check_agent(read_agent(api), "https://rancher.example.com", "a/b")
    assert "https://other.example.com" in result.found
    assert list(check_agent(read_agent(api), "https://other.example.com/", "a/b")) == []


@pytest.fixture
def used(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with a default class, a taint, and definitions of somebody else's Longhorn."""
    core, storage = CoreV1Api(cluster.client), StorageV1Api(cluster.client)
    extensions = ApiextensionsV1Api(cluster.client)
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    metadata = {"name": "local-path", "annotations": default}
    storage.create_storage_class({"metadata": metadata, "provisioner": "example.com/local"})
    taint = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoExecute"}
    core.patch_node("node-1", {"spec": {"taints": [taint]}})
    definition = longhorn_chart.definition("Volume", "volumes")
    definition["metadata"]["annotations"] = {
        "meta.helm.sh/release-name": "storage",
        "meta.helm.sh/release-namespace": "longhorn-system",
    }
    extensions.create_custom_resource_definition(definition)
    yield cluster
    extensions.delete_custom_resource_definition("volumes.longhorn.io")
    core.patch_node("node-1", {"spec": {"taints": None}})
    storage.delete_storage_class("local-path")


def test_nodes_taints_classes_secrets_and_leftovers_are_compared_with_the_stack(
    used: Cluster,
) -> None:
    api = ClusterApi(str(used.handle.kubeconfig), None)
    facts = read_cluster(api, ["registry"])
    wanted = ClusterWanted(
        longhorn_version=DEFAULT_VERSION,
        nodes=[
            WantedNode(name="node-1", has_disks=True),
            WantedNode(name="node-two", has_disks=True),
        ],
        is_default_class=True,
        secrets=[("longhorn.registrySecret", "registry")],
    )
    ingress = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    frontend = FrontendSettings.model_validate({**ingress, "ingressClass": "nginx"})
    classes = check_ingress_class(frontend, read_ingress_classes(api), has_password=False)
    found = {result.check: result for result in [*check_cluster(facts, wanted), *classes]}
    assert found["nodeName"].node == "node-two"
    assert "CriticalAddonsOnly=true:NoExecute" in found["taints"].found
    assert "local-path" in found["defaultStorageClass"].found
    assert "longhorn-system/storage" in found["longhornLeftovers"].found
    assert set(found) >= {"ingressClass", "referencedSecret"}
