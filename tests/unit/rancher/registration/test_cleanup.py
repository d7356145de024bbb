"""What Rancher leaves in a cluster that was taken out is removed, and nothing of others'."""

from typing import Any

import pytest

from components.rancher.registration import cleanup
from components.rancher.registration.cleanup import RancherCleanupProvider, clear
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_ranchers_cluster import OWNER, ARanchersCluster

LEFT = [
    "ClusterRole cattle-cleanup-x7k2p",
    "ClusterRole cattle-unauthenticated",
    "ClusterRole proxy-clusterrole-kubeapiserver",
    "ClusterRoleBinding cattle-cleanup-9qz4m",
    "ClusterRoleBinding cattle-unauthenticated",
    "CustomResourceDefinition apps.catalog.cattle.io",
    "CustomResourceDefinition settings.management.cattle.io",
    "Namespace local",
]


@pytest.fixture
def cluster() -> ARanchersCluster:
    """After the Job of a Rancher has run, with things of others beside."""
    made = ARanchersCluster()
    made.namespaces |= {"local", "cattle-monitoring-system", "team"}
    made.roles |= {each.split()[1] for each in LEFT if each.startswith("ClusterRole ")}
    made.roles |= {"cattle-reader", "admin"}
    made.bindings |= {each.split()[1] for each in LEFT if each.startswith("ClusterRoleBinding ")}
    made.definitions |= {
        "apps.catalog.cattle.io",
        "settings.management.cattle.io",
        "helmcharts.helm.cattle.io",
        "addons.k3s.cattle.io",
        "plans.upgrade.cattle.io",
        "bundles.fleet.cattle.io",
        "settings.longhorn.io",
    }
    return made


def cleared(cluster: Any, **changes: Any) -> list[str]:
    said: list[str] = []
    wanted = {"owner": OWNER, "kept": frozenset[str](), "timeout_seconds": 30.0} | changes
    clear(cluster, say=said.append, clock=a_clock(), **wanted)
    return said


def test_everything_with_a_name_of_ranchers_goes_and_all_else_stays(
    cluster: ARanchersCluster,
) -> None:
    said = cleared(cluster)
    assert sorted(cluster.deleted) == LEFT
    assert [line for line in said if "which its clean-up left" in line]
    assert cluster.namespaces == {"kube-system", "default", "cattle-monitoring-system", "team"}


def test_what_was_there_before_the_agent_stays(cluster: ARanchersCluster) -> None:
    cleared(cluster, kept=frozenset({"Namespace local", "ClusterRole cattle-unauthenticated"}))
    assert "local" in cluster.namespaces
    assert "cattle-unauthenticated" in cluster.roles
    assert "settings.management.cattle.io" not in cluster.definitions


def test_it_is_noted_before_the_agent_comes(
    cluster: ARanchersCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "open_cluster", lambda _: cluster)
    monkeypatch.setattr(cleanup, "open_for_removal", lambda _: cluster)
    provider = RancherCleanupProvider()
    inputs = {"kubeconfig": "k", "context": None, "owner": OWNER, "timeout_seconds": 30}
    state = provider.create(inputs).outs
    assert state is not None
    assert state["kept"] == LEFT
    moved = provider.update("", state, inputs | {"kubeconfig": "elsewhere"}).outs
    assert moved is not None
    assert moved["kept"] == LEFT
    provider.delete("", state)
    assert cluster.deleted == []
    assert provider.diff("", state, inputs | {"owner": "another"}).replaces == ["owner"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"owner": "another"}, "this is another cluster"),
        ({"services": {"cattle-system/rancher"}}, "a Rancher server runs in this cluster"),
        ({"deployments": {"cattle-system/cattle-cluster-agent"}}, "agent is still in this cluster"),
    ],
)
def test_from_a_cluster_that_is_anothers_nothing_is_removed(
    cluster: ARanchersCluster, change: dict[str, Any], reason: str
) -> None:
    for name, value in change.items():
        setattr(cluster, name, value)
    assert any(reason in line for line in cleared(cluster))
    assert cluster.deleted == []


def test_ranchers_own_job_is_waited_for(cluster: ARanchersCluster) -> None:
    cluster.jobs = {"cattle-cleanup-abcde": 70, "backup": 10_000}
    said = cleared(cluster, timeout_seconds=300.0)
    assert any("Job default/cattle-cleanup-abcde is at work" in line for line in said)
    assert sorted(cluster.deleted) == LEFT


def test_a_job_that_does_not_end_is_deleted_and_its_work_done(cluster: ARanchersCluster) -> None:
    cluster.jobs = {"cattle-cleanup-stuck": 10_000}
    said = cleared(cluster)
    assert "Job cattle-cleanup-stuck" in cluster.deleted
    assert any("not reached within 30 s" in line for line in said)
    assert set(LEFT) <= set(cluster.deleted)


def test_ranchers_finalizers_hold_nothing_up_and_others_are_kept(
    cluster: ARanchersCluster,
) -> None:
    cluster.finalizers["local"] = ["controller.cattle.io/namespace-auth"]
    cluster.objects["settings.management.cattle.io"] = [
        {"metadata": {"name": "a", "finalizers": ["wrangler.cattle.io/x"]}}
    ]
    cleared(cluster)
    assert sorted(cluster.deleted) == LEFT
    held = ARanchersCluster()
    held.definitions = {"apps.catalog.cattle.io"}
    held.objects["apps.catalog.cattle.io"] = [
        {"metadata": {"name": "a", "finalizers": ["example.com/mine"]}}
    ]
    with pytest.raises(TimeoutError, match=r"CustomResourceDefinition apps\.catalog\.cattle\.io"):
        cleared(held)
    assert held.objects["apps.catalog.cattle.io"][0]["metadata"]["finalizers"] == [
        "example.com/mine"
    ]


def test_the_work_of_a_clean_up_that_failed_is_done(cluster: ARanchersCluster) -> None:
    """Roles with Rancher's own label, and its finalizer on everybody's namespaces."""
    cluster.roles.add("cattle-impersonation-u-abc")
    cluster.bindings.add("crb-3dbo4h7rkg")
    cluster.marked = {"cattle-impersonation-u-abc", "crb-3dbo4h7rkg"}
    cluster.finalizers["team"] = ["controller.cattle.io/namespace-auth", "example.com/mine"]
    cleared(cluster)
    assert set(cluster.deleted) == {
        *LEFT,
        "ClusterRole cattle-impersonation-u-abc",
        "ClusterRoleBinding crb-3dbo4h7rkg",
    }
    assert cluster.finalizers["team"] == ["example.com/mine"]


def test_a_namespace_with_volumes_in_it_stays(cluster: ARanchersCluster) -> None:
    cluster.claims = {"local"}
    said = cleared(cluster)
    assert [line for line in said if "Namespace local is left" in line] == [
        "Rancher: Namespace local is left, because it holds PersistentVolumeClaims"
    ]
    assert "local" in cluster.namespaces
    assert sorted(cluster.deleted) == [each for each in LEFT if each != "Namespace local"]
