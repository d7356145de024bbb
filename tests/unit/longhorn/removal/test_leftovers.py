"""What counts as left by an uninstallation, and what a refusal of the cluster's means."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.api import ApiError
from components.longhorn.removal.leftovers import Leftovers
from tests.unit.doubles.a_cluster import ACluster, api_error

_DEFINITION = "CustomResourceDefinition orphans.longhorn.io"


@pytest.fixture
def cluster() -> ACluster:
    """Longhorn has been uninstalled, and one of its kinds is being deleted."""
    made = ACluster()
    made.objects = {"orphans": {}}
    made.definitions = [
        SimpleNamespace(
            metadata=SimpleNamespace(name="orphans.longhorn.io", deletion_timestamp="now"),
            spec=SimpleNamespace(group="longhorn.io", names=SimpleNamespace(plural="orphans")),
        )
    ]
    return made


def _read(cluster: Any) -> list[str]:
    return Leftovers(cluster).read()


def _going(cluster: ACluster, *finalizers: str) -> None:
    metadata = {"name": "a", "deletionTimestamp": "now", "finalizers": list(finalizers)}
    cluster.objects["orphans"] = {"a": {"metadata": metadata}}


def _workload(name: str, active: int | None = None) -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name), status=SimpleNamespace(active=active)
    )


def _refusing(error: Exception) -> Any:
    def refuse(_name: str) -> None:
        raise error

    return refuse


@pytest.mark.parametrize("is_served", [True, False])
def test_a_definition_that_is_being_deleted_is_left_until_it_is_gone(
    cluster: ACluster, is_served: bool
) -> None:
    if not is_served:
        cluster.objects.clear()
    assert _read(cluster) == [_DEFINITION]
    cluster.definitions.clear()
    assert _read(cluster) == []


def test_an_object_with_no_finalizer_but_longhorns_is_not_one_that_others_keep(
    cluster: ACluster,
) -> None:
    _going(cluster, "longhorn.io")
    assert _read(cluster) == [_DEFINITION]
    assert "finalizers" not in cluster.objects["orphans"]["a"]["metadata"]


def test_an_object_that_only_others_keep_is_not_written(cluster: ACluster) -> None:
    _going(cluster, "example.com/keep")
    cluster.refusals = [AssertionError("it was written")]
    assert len(_read(cluster)) == 2


@pytest.mark.parametrize("status", [404, 409])
def test_an_object_that_changes_meanwhile_is_looked_at_again(
    cluster: ACluster, status: int
) -> None:
    _going(cluster, "longhorn.io")
    cluster.refusals = [api_error(status)]
    assert _read(cluster) == [_DEFINITION]
    assert cluster.objects["orphans"]["a"]["metadata"]["finalizers"] == ["longhorn.io"]
    _read(cluster)
    assert "finalizers" not in cluster.objects["orphans"]["a"]["metadata"]


def test_a_finalizer_that_may_not_be_taken_off_is_an_error(cluster: ACluster) -> None:
    _going(cluster, "longhorn.io")
    cluster.refusals = [api_error(403)]
    with pytest.raises(ApiError):
        _read(cluster)


@pytest.mark.parametrize(
    "call",
    [
        "delete_validating_webhook_configuration",
        "delete_mutating_webhook_configuration",
        "delete_csi_driver",
    ],
)
def test_what_may_not_be_deleted_is_an_error_and_not_gone(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(cluster, call, _refusing(api_error(403)))
    with pytest.raises(ApiError):
        _read(cluster)


@pytest.mark.parametrize(
    ("name", "active", "is_waited_for"),
    [("longhorn-uninstall", 1, True), ("longhorn-uninstall", None, False), ("backup", 1, False)],
)
def test_only_an_uninstall_job_that_runs_is_waited_for(
    cluster: ACluster, name: str, active: int | None, is_waited_for: bool
) -> None:
    cluster.jobs = [_workload(name, active)]
    assert ("Job longhorn-uninstall is running" in _read(cluster)) is is_waited_for


@pytest.mark.parametrize(("name", "is_waited_for"), [("longhorn-manager", True), ("agent", False)])
def test_the_managers_are_waited_for_and_nothing_of_others(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch, name: str, is_waited_for: bool
) -> None:
    found = SimpleNamespace(items=[_workload(name)])
    monkeypatch.setattr(cluster, "list_namespaced_daemon_set", lambda _namespace: found)
    assert _read(cluster) == (["DaemonSet longhorn-manager"] if is_waited_for else [_DEFINITION])
