"""What the cluster is like is compared with the stack before a disk is touched."""

from typing import Any

import pytest

from components.nodes.description import Tolerated
from components.preflight.cluster import check_cluster
from components.preflight.cluster_facts import ClusterFacts, ClusterNode, LonghornLeftovers
from components.preflight.cluster_wanted import ClusterWanted, WantedNode, cluster_wanted
from components.preflight.report import CheckResult
from tests.unit.doubles.a_stack import load, nodes, valid

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
ADDONS = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoExecute"}
PLAIN: dict[str, Any] = {
    "version": "v1.28.4",
    "global_priority_class": None,
    "dns_replicas": 2,
    "nodes": {"server-1": ClusterNode(), "node2": ClusterNode()},
}
WANTED: dict[str, Any] = {
    "longhorn_version": "1.5.3",
    "nodes": [
        WantedNode(name="server-1", has_disks=True),
        WantedNode(name="node2", has_disks=True),
    ],
    "prepares_nodes": True,
    "is_default_class": True,
}


def results(facts: dict[str, Any] | None = None, **wanted: Any) -> list[CheckResult]:
    return list(
        check_cluster(ClusterFacts(**{**PLAIN, **(facts or {})}), ClusterWanted(**WANTED | wanted))
    )


def only(facts: dict[str, Any] | None = None, **wanted: Any) -> CheckResult:
    (result,) = results(facts, **wanted)
    return result


def tainted(*taints: dict[str, str]) -> dict[str, Any]:
    return {"nodes": {**PLAIN["nodes"], "server-1": ClusterNode(taints=taints)}}


def test_a_cluster_that_is_as_the_stack_wants_it_has_no_findings() -> None:
    assert results({"default_classes": ["longhorn"]}) == []


def test_a_name_that_the_cluster_does_not_have_is_an_error_with_the_near_miss() -> None:
    names = {"server-1": ClusterNode(), "node2.example.com": ClusterNode()}
    missing, _ = results({"nodes": names})
    assert (missing.node, missing.check, missing.severity) == ("node2", "nodeName", "error")
    assert "node2.example.com comes closest" in missing.found
    assert "`name: node2.example.com`" in missing.remedy
    assert "lost: true" in missing.remedy


def test_a_name_that_nothing_resembles_says_which_there_are() -> None:
    missing, *_ = results({"nodes": {"server-1": ClusterNode(), "zzzzz": ClusterNode()}})
    assert "Its nodes: server-1, zzzzz" in missing.found
    assert "comes closest" not in missing.found


def test_names_are_compared_without_longhorn_too() -> None:
    assert only({"nodes": {"server-1": ClusterNode()}}, longhorn_version=None).check == "nodeName"


@pytest.mark.parametrize(
    ("taint", "remedy"),
    [
        (CONTROL_PLANE, "controlPlane.scheduling: tolerate"),
        (
            ADDONS,
            'longhorn.tolerations: [{key: CriticalAddonsOnly, value: "true", effect: NoExecute}]',
        ),
        ({**CONTROL_PLANE, "effect": "NoExecute"}, "longhorn.tolerations: [{key: node-role"),
        ({"key": "node-role.kubernetes.io/etcd", "effect": "NoExecute"}, "longhorn.tolerations"),
        ({"key": "dedicated", "value": "x", "effect": "NoSchedule"}, "longhorn.tolerations"),
    ],
)
def test_a_taint_that_keeps_longhorn_off_a_node_with_disks_is_named_with_its_remedy(
    taint: dict[str, str], remedy: str
) -> None:
    result = only(tainted(taint))
    assert (result.node, result.check, result.severity) == ("server-1", "taints", "error")
    assert taint["key"] in result.found
    assert taint["effect"] in result.found
    assert remedy in result.remedy


@pytest.mark.parametrize(
    "taint",
    [
        {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
        {"key": "dedicated", "effect": "PreferNoSchedule"},
    ],
)
def test_a_taint_that_passes_or_only_prefers_is_no_finding(taint: dict[str, str]) -> None:
    assert results(tainted(taint)) == []


def test_a_tolerated_taint_is_no_finding() -> None:
    allowed = Tolerated(key="CriticalAddonsOnly", effect="NoExecute", value=None)
    assert results(tainted(ADDONS), tolerated=[allowed]) == []


def test_a_taint_that_the_program_takes_off_is_no_finding_and_its_other_effect_is() -> None:
    given = [
        WantedNode(name="server-1", has_disks=True, is_untainted=True),
        WantedNode(name="node2", has_disks=True),
    ]
    assert results(tainted(CONTROL_PLANE), nodes=given) == []
    assert only(tainted({**CONTROL_PLANE, "effect": "NoExecute"}), nodes=given).check == "taints"


@pytest.mark.parametrize(
    ("text", "keeps_off"),
    [
        ("", True),
        ("CriticalAddonsOnly=true:NoExecute", False),
        ("a=b:NoSchedule; CriticalAddonsOnly:", False),
        ("CriticalAddonsOnly=false:NoExecute", True),
    ],
)
def test_a_taint_must_be_tolerated_by_what_longhorn_starts_too(text: str, keeps_off: bool) -> None:
    values = {
        "longhornManager": {"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}]},
        "defaultSettings": {"taintToleration": text},
    }
    asked = wanted(longhorn={"values": values})
    found = results(
        tainted(ADDONS), tolerated=asked.tolerated, tolerated_by_parts=asked.tolerated_by_parts
    )
    assert [(each.check, each.severity) for each in found] == [("taints", "error")] * keeps_off
    assert all("longhorn.tolerations" in each.remedy for each in found)


def test_a_node_that_longhorns_parts_are_kept_off_is_an_error_with_the_label() -> None:
    values = {"defaultSettings": {"systemManagedComponentsNodeSelector": "storage:fast; a/b:c"}}
    selector = wanted(longhorn={"values": values}).parts_selector
    assert selector == {"storage": "fast", "a/b": "c"}
    labelled = ClusterNode(labels=selector)
    result = only(
        {"nodes": {"server-1": ClusterNode(), "node2": labelled}}, parts_selector=selector
    )
    assert (result.node, result.check) == ("server-1", "nodeSelector")
    assert "systemManagedComponentsNodeSelector wants the label storage=fast" in result.found


def test_a_taint_on_a_node_without_disks_keeps_nothing_waiting() -> None:
    given = [WantedNode(name="server-1", has_disks=False), WANTED["nodes"][1]]
    assert results(tainted(ADDONS), nodes=given) == []


def test_a_node_that_longhorn_runs_on_and_no_stage_prepares_is_a_warning() -> None:
    more = {"nodes": {**PLAIN["nodes"], "worker-9": ClusterNode()}}
    result = only(more)
    assert (result.node, result.check, result.severity) == ("worker-9", "unpreparedNode", "warning")
    assert results(more, prepares_nodes=False) == []
    assert results(more, longhorn_version=None) == []


def test_a_node_that_takes_no_pods_of_longhorn_needs_no_preparing() -> None:
    node = ClusterNode(taints=[CONTROL_PLANE], unready="gone")
    assert results({"nodes": {**PLAIN["nodes"], "worker-9": node}}) == []


_CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def test_a_cordon_keeps_longhorn_off_no_node() -> None:
    more = {"nodes": {**PLAIN["nodes"], "worker-9": ClusterNode(taints=[_CORDON])}}
    result = only(more)
    assert (result.node, result.check) == ("worker-9", "unpreparedNode")
    assert "cordon" not in result.remedy


@pytest.mark.parametrize("name", ["server-1", "worker-9"])
def test_a_node_that_is_not_ready_stops_a_first_installation(name: str) -> None:
    node = ClusterNode(unready="cni plugin not initialized", taints=[_CORDON])
    given = {"nodes": {**PLAIN["nodes"], name: node}}
    found = next(each for each in results(given) if each.check == "nodeReady")
    assert (found.node, found.severity) == (name, "error")
    assert "cni plugin not initialized" in found.found
    running = {**given, "longhorn": LonghornLeftovers(has_settings=True)}
    assert {r.severity for r in results(running) if r.check == "nodeReady"} == {"warning"}
    assert [r for r in results(given, longhorn_version=None) if r.check == "nodeReady"] == []


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        ({"kubernetes.io/os": "windows"}, "windowsCluster.enabled: true"),
        ({"kubernetes.io/arch": "arm"}, "64 bits"),
    ],
)
def test_a_node_on_which_longhorn_never_starts_is_an_error(
    labels: dict[str, str], remedy: str
) -> None:
    more = {"nodes": {**PLAIN["nodes"], "worker-9": ClusterNode(labels=labels)}}
    result = only(more, prepares_nodes=False)
    assert (result.node, result.check, result.severity) == ("worker-9", "nodeSystem", "error")
    assert remedy in result.remedy


@pytest.mark.parametrize("architecture", ["amd64", "arm64", "s390x"])
def test_a_node_of_each_architecture_that_longhorn_has_images_for_is_fine(
    architecture: str,
) -> None:
    more = ClusterNode(labels={"kubernetes.io/arch": architecture})
    assert results({"nodes": {**PLAIN["nodes"], "worker-9": more}}, prepares_nodes=False) == []


def test_windows_nodes_are_left_out_where_the_values_say_so() -> None:
    values = {"global": {"cattle": {"windowsCluster": {"enabled": True}}}}
    wanted = cluster_wanted(load(valid(longhorn={"values": values})))
    assert wanted.node_selector == {"kubernetes.io/os": "linux"}


def test_a_class_that_somebody_made_the_default_is_asked_about_before_longhorn_is_there() -> None:
    result = only({"default_classes": ["gp2"]})
    assert (result.check, result.severity) == ("defaultStorageClass", "error")
    assert "longhorn.defaultStorageClass: false" in result.remedy
    assert "destroy makes gp2 the default again" in result.remedy
    running = LonghornLeftovers(has_settings=True)
    assert results({"default_classes": ["gp2", "longhorn"], "longhorn": running}) == []
    assert results({"default_classes": ["gp2"]}, is_default_class=False) == []


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_k3s_makes_the_default_again_is_told_of_servers_that_nobody_keeps_from_it(
    is_kept: bool,
) -> None:
    server = ClusterNode(labels={CONTROL_PLANE["key"]: "true"})
    facts = {
        "default_classes": ["local-path"],
        "k3s_classes": ["local-path"],
        "nodes": {"server-1": server, "node2": ClusterNode()},
    }
    named = [
        WantedNode(name="server-1", has_disks=True, keeps_default_class=is_kept),
        WANTED["nodes"][1],
    ]
    found = results(facts, nodes=named)
    assert [(each.check, each.severity) for each in found] == (
        [] if is_kept else [("defaultStorageClass", "warning")]
    )
    assert all("keep it from that on server-1" in each.found for each in found)
    assert all("local-storage.yaml.skip" in each.remedy for each in found)
    assert results(facts, nodes=named, is_default_class=False) == []


def test_the_class_of_the_volume_check_must_be_there_or_be_made() -> None:
    asked = wanted(stages={"volumeCheck": True}, volumeCheck={"storageClass": "fast"})
    assert asked.classes == [("volumeCheck.storageClass", "fast")]
    result = only({"classes": {"local-path": "rancher.io/local-path"}}, classes=asked.classes)
    assert (result.check, result.severity) == ("storageClass", "error")
    assert "local-path" in result.remedy
    assert results({"classes": {"fast": "example.com/any"}}, classes=asked.classes) == []
    made = {"storageClasses": [{"name": "fast"}]}
    check = {"volumeCheck": {"storageClass": "fast"}, "stages": {"volumeCheck": True}}
    assert wanted(longhorn=made, **check).classes == []
    assert wanted(stages={"volumeCheck": True}).classes == []


def test_a_class_of_the_stack_s_own_can_not_have_the_name_of_another_provisioner_s() -> None:
    own = wanted(longhorn={"storageClasses": [{"name": "fast"}]}).own_classes
    result = only({"classes": {"fast": "ebs.csi.aws.com"}}, own_classes=own)
    assert "longhorn.storageClasses[0].name is fast" in result.found
    assert "ebs.csi.aws.com" in result.found
    assert results({"classes": {"fast": "driver.longhorn.io"}}, own_classes=own) == []


def test_a_secret_that_is_named_and_not_there_is_an_error_with_its_key() -> None:
    result = only(secrets=[("longhorn.registrySecret", "registry")])
    assert (result.check, result.severity) == ("referencedSecret", "error")
    assert "longhorn.registrySecret names the Secret registry" in result.found
    assert (
        results({"secrets": ["registry"]}, secrets=[("longhorn.registrySecret", "registry")]) == []
    )


def test_more_replicas_than_nodes_with_disks_are_a_warning() -> None:
    result = only(replica_count=3)
    assert (result.check, result.severity) == ("replicaCount", "warning")
    assert results(replica_count=2) == []


@pytest.mark.parametrize(
    ("longhorn", "said"),
    [
        (LonghornLeftovers(releases=["storage/longhorn"]), "Helm release storage/longhorn"),
        (LonghornLeftovers(releases=["longhorn-system/lh"]), "Helm release longhorn-system/lh"),
        (LonghornLeftovers(volumes=["pvc-1"]), "left without it: pvc-1"),
        (LonghornLeftovers(is_terminating=True), "longhorn-system is being deleted"),
        (LonghornLeftovers(has_unowned=True), "that no Helm release owns"),
        (
            LonghornLeftovers(has_unowned=True, volumes=["pvc-1"]),
            "left without it: pvc-1",
        ),
    ],
)
def test_what_an_earlier_longhorn_left_is_an_error(longhorn: LonghornLeftovers, said: str) -> None:
    result = only({"longhorn": longhorn})
    assert (result.check, result.severity) == ("longhornLeftovers", "error")
    assert said in result.found
    assert results({"longhorn": longhorn}, longhorn_version=None) == []


def test_a_longhorn_that_kubectl_installed_is_not_to_be_taken_apart() -> None:
    running = LonghornLeftovers(has_unowned=True, has_settings=True)
    result = only({"longhorn": running})
    assert "stages.longhorn: false" in result.remedy
    assert "delete" not in result.remedy


def test_the_stacks_own_longhorn_is_no_leftover() -> None:
    own = LonghornLeftovers(
        releases=["longhorn-system/longhorn"], volumes=["pvc-1"], has_settings=True
    )
    assert results({"longhorn": own}) == []


def wanted(**changes: Any) -> ClusterWanted:
    return cluster_wanted(load(valid(**changes)))


def test_a_stack_wants_its_nodes_but_not_the_lost_ones() -> None:
    found = wanted(nodes=nodes({}, {"disks": []}, {"lost": True}))
    assert found.nodes == [
        WantedNode(name="node-1", has_disks=True),
        WantedNode(name="node-2", has_disks=False),
    ]


def test_a_stack_wants_the_secrets_and_the_class_that_it_names() -> None:
    found = wanted(
        longhorn={
            "registrySecret": "registry",
            "backup": {"target": "s3://bucket/", "credentialSecret": "backup"},
        },
        frontend={
            "type": "Ingress",
            "host": "a.example.com",
            "tlsSecret": "tls",
        },
    )
    assert [name for _, name in found.secrets] == ["registry", "tls", "backup"]


def test_a_tls_secret_that_an_issuer_makes_need_not_be_there() -> None:
    ingress = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    assert wanted(frontend={**ingress, "clusterIssuer": "acme"}).secrets == []
    annotations = {"cert-manager.io/issuer": "of-this-namespace"}
    assert wanted(frontend={**ingress, "annotations": annotations}).secrets == []


@pytest.mark.parametrize(
    "entry",
    [
        {"operator": "Exists"},
        {"key": "CriticalAddonsOnly", "operator": "Exists"},
        {"key": "CriticalAddonsOnly", "operator": "Equal", "value": "true", "effect": "NoExecute"},
    ],
)
def test_what_longhorn_values_tolerates_is_no_finding(entry: dict[str, str]) -> None:
    found = wanted(longhorn={"values": {"longhornManager": {"tolerations": [entry]}}})
    assert results(tainted(ADDONS), tolerated=found.tolerated) == []


def test_a_registry_secret_that_the_chart_makes_need_not_be_there() -> None:
    longhorn = {"registrySecret": "r", "values": {"privateRegistry": {"createSecret": True}}}
    assert wanted(longhorn=longhorn).secrets == []


def test_only_control_plane_nodes_are_untainted() -> None:
    found = wanted(nodes=nodes({"controlPlane": True}, {}), controlPlane={"scheduling": "untaint"})
    assert [node.is_untainted for node in found.nodes] == [True, False]


def test_what_longhorn_tolerates_counts_in_the_comparison() -> None:
    found = wanted(
        controlPlane={"scheduling": "tolerate"},
        longhorn={"tolerations": [{"key": "dedicated", "effect": "NoExecute"}]},
    )
    assert results(tainted(CONTROL_PLANE), tolerated=found.tolerated) == []
    given = {"key": "dedicated", "value": "any", "effect": "NoExecute"}
    assert results(tainted(given), tolerated=found.tolerated) == []


def test_a_node_without_the_label_that_longhorns_managers_are_kept_to_is_an_error() -> None:
    labelled = ClusterNode(labels={"storage": "yes", "other": "x"})
    found = {"nodes": {"server-1": labelled, "node2": ClusterNode(labels={"storage": "no"})}}
    result = only(found, node_selector={"storage": "yes"})
    assert (result.node, result.check, result.severity) == ("node2", "nodeSelector", "error")
    assert "kubectl label node node2 storage=yes" in result.remedy


def test_nodes_that_longhorns_managers_are_kept_off_need_no_packages() -> None:
    labelled = ClusterNode(labels={"storage": "yes"})
    found = {"nodes": {"server-1": labelled, "node2": labelled, "other": ClusterNode()}}
    assert results(found, node_selector={"storage": "yes"}) == []
    assert only(found).check == "unpreparedNode"


def test_a_priority_class_that_is_not_there_is_an_error_with_those_that_are() -> None:
    wanted = {"priority_classes": [("longhorn.values.longhornManager.priorityClass", "high")]}
    result = only({"priority_classes": ["system-node-critical"]}, **wanted)
    assert (result.check, result.severity) == ("priorityClass", "error")
    assert "system-node-critical" in result.remedy
    assert results({"priority_classes": ["high"]}, **wanted) == []


@pytest.mark.parametrize(("version", "is_refused"), [("v1.24.17", False), ("v1.25.0", True)])
def test_a_pod_security_policy_is_refused_where_kubernetes_has_none(
    version: str, is_refused: bool
) -> None:
    found = results({"version": version}, has_pod_security_policy=True)
    assert [result.check for result in found] == ["kubernetesVersion"] * is_refused


def test_what_the_values_keep_longhorn_to_is_part_of_what_the_stack_wants() -> None:
    values = {
        "enablePSP": True,
        "longhornManager": {"nodeSelector": {"storage": "yes"}, "priorityClass": "high"},
    }
    wanted = cluster_wanted(load(valid(longhorn={"values": values})))
    assert wanted.node_selector == {"storage": "yes"}
    assert wanted.priority_classes == [("longhorn.values.longhornManager.priorityClass", "high")]
    assert wanted.has_pod_security_policy


@pytest.mark.parametrize(("version", "is_of_the_chart"), [("1.5.3", False), ("1.6.4", True)])
def test_longhorns_own_priority_class_need_be_there_only_where_its_chart_makes_none(
    version: str, is_of_the_chart: bool
) -> None:
    values = {"longhornUI": {"priorityClass": "longhorn-critical"}}
    found = cluster_wanted(load(valid(longhorn={"version": version, "values": values})))
    assert [name for _, name in found.priority_classes] == ["longhorn-critical"] * (
        not is_of_the_chart
    )
