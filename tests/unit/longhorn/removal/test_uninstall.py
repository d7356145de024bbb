"""An uninstallation is waited for to the end, and what is stuck is taken away or named."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster import gone as gone_cluster
from components.common import waiting
from components.longhorn.removal.uninstall import LonghornUninstallProvider
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import NAMESPACE, ACluster, volume

PROPS = {
    "kubeconfig": "k",
    "context": None,
    "allow_uninstall": False,
    "timeout_seconds": 60,
}
SHORT = {**PROPS, "timeout_seconds": -1}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    """Longhorn has been uninstalled; its namespace is left."""
    made = ACluster()
    made.objects.clear()
    made.namespaces[NAMESPACE] = namespace()
    monkeypatch.setattr(gone_cluster, "open_cluster", lambda _props: made)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return made


def namespace(*messages: str, deleted: str | None = None, held_by: Sequence[str] = ()) -> Any:
    conditions = [SimpleNamespace(status="True", message=message) for message in messages]
    return SimpleNamespace(
        metadata=SimpleNamespace(deletion_timestamp=deleted, finalizers=list(held_by)),
        status=SimpleNamespace(conditions=conditions),
    )


def definition(plural: str, deleted: str | None = "now", group: str = "longhorn.io") -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(name=f"{plural}.{group}", deletion_timestamp=deleted),
        spec=SimpleNamespace(group=group, names=SimpleNamespace(plural=plural)),
    )


def stuck(name: str, *finalizers: str, deleted: bool = True) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "finalizers": list(finalizers)}
    if deleted:
        metadata["deletionTimestamp"] = "now"
    return {"metadata": metadata}


def going_with_its_last_object(cluster: ACluster, plural: str) -> None:
    """What the API server does: no object with a finalizer left, so the definition goes."""

    def settle() -> None:
        held = [
            item
            for item in cluster.objects.get(plural, {}).values()
            if item["metadata"].get("finalizers")
        ]
        if not held:
            cluster.definitions.clear()

    cluster.after_write = settle


def delete(props: dict[str, Any] = PROPS) -> None:
    LonghornUninstallProvider().delete("id", props)


def test_the_namespace_goes_last(cluster: ACluster) -> None:
    delete()
    assert cluster.deleted == [NAMESPACE]


def test_a_namespace_that_is_gone_already_needs_nothing(cluster: ACluster) -> None:
    cluster.namespaces.clear()
    delete()
    assert cluster.deleted == []


def test_who_holds_the_namespace_is_named(cluster: ACluster) -> None:
    cluster.namespaces[NAMESPACE] = namespace(deleted="now", held_by=["example.com/keep"])
    with pytest.raises(TimeoutError, match=r"held by the finalizer example\.com/keep"):
        delete(SHORT)


def test_a_finalizer_of_longhorns_is_taken_off_what_is_being_deleted(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.definitions = [definition("orphans")]
    cluster.objects["orphans"] = {"a": stuck("a", "longhorn.io"), "b": stuck("b", "longhorn.io")}
    going_with_its_last_object(cluster, "orphans")
    delete()
    said = capsys.readouterr().err
    assert "took the finalizer longhorn.io off orphans.longhorn.io longhorn-system/a" in said
    assert "orphans.longhorn.io longhorn-system/b" in said


def test_finalizers_of_others_stay_and_are_named(cluster: ACluster) -> None:
    cluster.definitions = [definition("orphans")]
    cluster.objects["orphans"] = {"a": stuck("a", "longhorn.io", "example.com/keep")}
    with pytest.raises(TimeoutError, match=r"longhorn-system/a \(finalizers of others: example"):
        delete(SHORT)
    assert cluster.objects["orphans"]["a"]["metadata"]["finalizers"] == ["example.com/keep"]
    assert cluster.deleted == []


def test_no_finalizer_is_touched_while_a_manager_still_runs(cluster: ACluster) -> None:
    cluster.managers = ["longhorn-manager-x"]
    cluster.definitions = [definition("orphans")]
    cluster.objects["orphans"] = {"a": stuck("a", "longhorn.io")}
    with pytest.raises(TimeoutError, match="pod longhorn-manager-x on node node-1"):
        delete(SHORT)
    assert cluster.objects["orphans"]["a"]["metadata"]["finalizers"] == ["longhorn.io"]


def test_a_running_uninstall_job_is_waited_for(cluster: ACluster) -> None:
    cluster.jobs = [
        SimpleNamespace(
            metadata=SimpleNamespace(name="longhorn-uninstall"), status=SimpleNamespace(active=1)
        )
    ]
    with pytest.raises(TimeoutError, match="Job longhorn-uninstall is running"):
        delete(SHORT)


def test_an_object_that_nobody_deletes_keeps_its_finalizer(cluster: ACluster) -> None:
    cluster.definitions = [definition("orphans", deleted=None)]
    cluster.objects["orphans"] = {"a": stuck("a", "longhorn.io", deleted=False)}
    with pytest.raises(TimeoutError, match=r"orphans\.longhorn\.io, which nobody has deleted"):
        delete(SHORT)
    assert cluster.objects["orphans"]["a"]["metadata"]["finalizers"] == ["longhorn.io"]


def test_an_object_that_is_not_being_deleted_yet_keeps_its_finalizer_for_now(
    cluster: ACluster,
) -> None:
    cluster.definitions = [definition("orphans")]
    cluster.objects["orphans"] = {"a": stuck("a", "longhorn.io", deleted=False)}
    with pytest.raises(TimeoutError):
        delete(SHORT)
    assert cluster.objects["orphans"]["a"]["metadata"]["finalizers"] == ["longhorn.io"]


def test_definitions_of_others_are_left_alone(cluster: ACluster) -> None:
    cluster.definitions = [definition("backups", group="velero.io")]
    delete()
    assert cluster.deleted == [NAMESPACE]


def test_webhooks_and_driver_that_were_left_are_deleted_and_told(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    left = {"longhorn-webhook-validator", "longhorn-webhook-mutator", "driver.longhorn.io"}
    cluster.cluster_wide = {*left, "somebody-else"}
    delete()
    assert cluster.cluster_wide == {"somebody-else"}
    said = capsys.readouterr().err
    assert all(name in said for name in left)


def test_a_volume_that_is_still_there_keeps_the_namespace(cluster: ACluster) -> None:
    cluster.objects["volumes"] = {"pvc-1": volume("pvc-1")}
    with pytest.raises(RuntimeError, match="pvc-1"):
        delete()
    assert cluster.deleted == []


def test_volumes_go_with_the_namespace_where_the_stack_says_so(cluster: ACluster) -> None:
    cluster.objects["volumes"] = {"pvc-1": volume("pvc-1")}
    delete({**PROPS, "allow_uninstall": True})
    assert cluster.deleted == [NAMESPACE]


def test_what_keeps_the_namespace_is_told_in_kubernetes_own_words(cluster: ACluster) -> None:
    cluster.namespaces[NAMESPACE] = namespace("Some content remains: pods", deleted="now")
    with pytest.raises(TimeoutError, match="longhorn-system Some content remains: pods"):
        delete(SHORT)


@pytest.mark.parametrize("key", ["kubeconfig", "context", "allow_uninstall", "timeout_seconds"])
def test_every_input_is_kept_up_to_date_since_a_removal_goes_by_the_state(key: str) -> None:
    provider = LonghornUninstallProvider()
    assert provider.diff("id", PROPS, {**PROPS, key: "other"}).changes is True
    assert provider.diff("id", PROPS, PROPS).changes is False
