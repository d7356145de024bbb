"""Rules for Longhorn, its interface, its check and control-plane nodes."""

from typing import Any

import pytest

from configuration.longhorn import SUPPORTED_VERSIONS
from tests.unit.doubles.a_stack import load, mistake, mistakes, valid


@pytest.mark.parametrize("version", ["1.5.2", "1.6.0", "1.7.0", "v1.4.3", "1.5", "latest", ""])
def test_a_chart_version_that_is_not_supported_is_refused(version: str) -> None:
    problem = mistake(valid(longhorn={"version": version}))
    assert problem.key == "longhorn-rancher:longhorn.version"
    assert "Supported: 1.5.3, 1.5.4" in problem.remedy


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_every_supported_version_is_taken(version: str) -> None:
    assert load(valid(longhorn={"version": version})).longhorn.version == version


def test_a_version_may_be_written_with_a_v() -> None:
    assert load(valid(longhorn={"version": "v1.5.3"})).longhorn.version == "1.5.3"


@pytest.mark.parametrize("seconds", [899, 0, -1])
def test_a_timeout_shorter_than_longhorns_uninstall_job_is_refused(seconds: int) -> None:
    problem = mistake(valid(longhorn={"timeoutSeconds": seconds}))
    assert problem.key == "longhorn-rancher:longhorn.timeoutSeconds"
    assert "900" in problem.rule


@pytest.mark.parametrize("name", ["createDefaultDiskLabeledNodes", "deletingConfirmationFlag"])
def test_free_values_may_not_set_what_the_program_decides(name: str) -> None:
    problem = mistake(valid(longhorn={"values": {"defaultSettings": {name: False}}}))
    assert name in problem.rule


def test_free_values_pass_through_otherwise() -> None:
    values = {"defaultSettings": {"logLevel": "Debug"}, "annotations": {"a": "b"}}
    assert load(valid(longhorn={"values": values})).longhorn.values == values


@pytest.mark.parametrize("count", [0, -1, 21, 2.5, "3"])
def test_a_replica_count_out_of_range_is_refused(count: object) -> None:
    assert mistake(valid(longhorn={"replicaCount": count})).key.endswith("longhorn.replicaCount")


@pytest.mark.parametrize("registry", ["https://registry", "registry example", ""])
def test_a_registry_that_is_no_registry_is_refused(registry: str) -> None:
    assert mistake(valid(longhorn={"registry": registry})).key.endswith("longhorn.registry")


@pytest.mark.parametrize("repository", ["charts.longhorn.io", "oci://charts", "file:///chart"])
def test_a_chart_repository_without_http_is_refused(repository: str) -> None:
    problem = mistake(valid(longhorn={"chartRepository": repository}))
    assert problem.key.endswith("longhorn.chartRepository")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("defaultDataLocality", "always"),
        ("replicaAutoBalance", True),
        ("storageMinimalAvailablePercentage", 101),
        ("guaranteedInstanceManagerCPU", 41),
        ("nodeDownPodDeletionPolicy", "delete"),
        ("backupTargetCredentialSecret", "Not A Name"),
    ],
)
def test_a_setting_of_longhorn_with_a_wrong_value_is_refused(setting: str, value: object) -> None:
    problem = mistake(valid(longhorn={"defaultSettings": {setting: value}}))
    assert problem.key == f"longhorn-rancher:longhorn.defaultSettings.{setting}"


@pytest.mark.parametrize("port", [29999, 32768, 80])
def test_a_node_port_outside_the_clusters_range_is_refused(port: int) -> None:
    problem = mistake(valid(frontend={"type": "NodePort", "nodePort": port}))
    assert problem.rule == "is outside the allowed range 30000-32767"
    assert problem.value == port


def test_a_cluster_may_have_another_range_of_node_ports() -> None:
    frontend = {"type": "NodePort", "nodePort": 20080, "nodePortRange": "20000-22767"}
    assert mistakes(valid(frontend=frontend)) == []


@pytest.mark.parametrize("given", ["30000", "a-b", "30000-", "30000_32767"])
def test_a_range_of_node_ports_in_another_form_is_refused(given: str) -> None:
    problem = mistake(valid(frontend={"type": "NodePort", "nodePortRange": given}))
    assert problem.key == "longhorn-rancher:frontend.nodePortRange"


@pytest.mark.parametrize("missing", ["host", "tlsSecret"])
def test_an_ingress_without_host_or_tls_is_refused(missing: str) -> None:
    frontend: dict[str, Any] = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    del frontend[missing]
    assert "needs host and tlsSecret" in mistake(valid(frontend=frontend)).rule


@pytest.mark.parametrize("key", ["host", "tlsSecret", "clusterIssuer"])
def test_what_belongs_to_an_ingress_is_refused_elsewhere(key: str) -> None:
    problem = mistake(valid(frontend={"type": "NodePort", key: "a"}))
    assert "goes with type Ingress" in problem.rule


@pytest.mark.parametrize("kind", ["ClusterIP", "LoadBalancer"])
def test_a_node_port_is_refused_for_other_types(kind: str) -> None:
    problem = mistake(valid(frontend={"type": kind, "nodePort": 30080}))
    assert "goes with type NodePort" in problem.rule


def test_a_frontend_of_an_unknown_type_is_refused_with_the_known_ones() -> None:
    problem = mistake(valid(frontend={"type": "nodePort"}))
    assert "ClusterIP, NodePort, LoadBalancer or Ingress" in problem.rule


@pytest.mark.parametrize("size", ["0", "0Gi", "10", "ten", "-5Mi", ""])
def test_a_volume_check_needs_a_size_above_zero(size: str) -> None:
    found = mistakes(valid(volumeCheck={"size": size}))
    assert bool(found) == (size != "10"), "a plain number of bytes is a size"


def test_an_access_mode_unknown_to_the_check_is_refused() -> None:
    problem = mistake(valid(volumeCheck={"accessMode": "ReadOnlyMany"}))
    assert problem.key == "longhorn-rancher:volumeCheck.accessMode"


@pytest.mark.parametrize("choice", ["Untaint", "", None, True])
def test_control_plane_scheduling_is_one_of_three_words(choice: object) -> None:
    problem = mistake(valid(controlPlane={"scheduling": choice}))
    assert problem.key == "longhorn-rancher:controlPlane.scheduling"
    assert "leave, tolerate or untaint" in problem.rule
