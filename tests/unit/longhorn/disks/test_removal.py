"""Disks leave Longhorn only when their replicas have left them."""

import copy
import json
from typing import Any

import pytest

from components.cluster import gone as gone_cluster
from components.common import waiting
from components.longhorn.disks import disks as longhorn_disks
from components.longhorn.disks.disks import LonghornDisksProvider
from components.longhorn.disks.late import put_late_disks
from components.longhorn.disks.owners import ANNOTATION, owners
from components.longhorn.disks.removal import remove_disks
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, Object, api_error, volume

LABEL = "node.longhorn.io/create-default-disk"
READY = [{"type": "Ready", "status": "True"}]
DESCRIBED = {"allowScheduling": True, "storageReserved": 0, "tags": []}
PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "node_name": "node-1",
    "disks": {
        "/mnt/a": {"name": "a", **DESCRIBED},
        "/mnt/b": {"name": "b", **DESCRIBED},
    },
    "owner": "project/one",
    "lost": False,
    "timeout_seconds": 60,
    "eviction_timeout_seconds": -1,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    """Two disks on node-1, as Longhorn has them, and its webhook's rule for removing one."""
    made = ACluster()
    made.node_labels["node-1"] = {LABEL: "config", "kept": "yes"}
    made.objects["nodes"]["node-1"] = {
        "spec": {
            "disks": {
                name: {"path": f"/mnt/{name}", "evictionRequested": False, **DESCRIBED}
                for name in ("a", "b")
            }
        },
        "status": {
            "conditions": READY,
            "diskStatus": {
                name: {"diskUUID": f"uuid-{name}", "conditions": READY, "scheduledReplica": {}}
                for name in ("a", "b")
            },
        },
    }
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    for module in (gone_cluster, longhorn_disks):
        monkeypatch.setattr(module, "open_cluster", lambda _props: made)
    return made


def remove(cluster: Any, *paths: str) -> None:
    remove_disks(
        cluster, "node-1", set(paths), owner="project/one", eviction_seconds=-1, edit_seconds=60
    )


def disks(cluster: ACluster) -> dict[str, Object]:
    return cluster.objects["nodes"]["node-1"]["spec"]["disks"]


def put_replica(cluster: ACluster, disk: str) -> None:
    status = cluster.objects["nodes"]["node-1"]["status"]["diskStatus"][disk]
    status["scheduledReplica"] = {"r1": 1}
    spec = {"volumeName": "pvc-1", "diskID": f"uuid-{disk}", "healthyAt": "then", "failedAt": ""}
    cluster.objects["replicas"]["r1"] = {"spec": spec}
    cluster.objects["volumes"]["pvc-1"] = volume("pvc-1")


def test_an_empty_disk_is_closed_first_and_then_taken_out(cluster: ACluster) -> None:
    seen: list[tuple[str, ...]] = []
    cluster.after_write = lambda: seen.append(
        tuple(name for name, disk in sorted(disks(cluster).items()) if disk["allowScheduling"])
    )
    remove(cluster, "/mnt/a")
    assert set(disks(cluster)) == {"b"}
    assert seen == [("b",), ("b",)]


def test_a_disk_with_a_replica_stays_closed_and_its_replica_is_told(cluster: ACluster) -> None:
    put_replica(cluster, "a")
    with pytest.raises(TimeoutError) as error:
        remove(cluster, "/mnt/a")
    assert "replica r1 of volume pvc-1 (10 MiB, attached, healthy)" in str(error.value)
    assert "Add a disk or a node" in str(error.value)
    assert disks(cluster)["a"]["evictionRequested"] is True
    assert disks(cluster)["a"]["allowScheduling"] is False


def test_a_disk_whose_replica_moves_is_taken_out_then(cluster: ACluster) -> None:
    put_replica(cluster, "a")

    def moved() -> None:
        cluster.objects["nodes"]["node-1"]["status"]["diskStatus"]["a"]["scheduledReplica"] = {}

    cluster.after_write = moved
    remove(cluster, "/mnt/a")
    assert set(disks(cluster)) == {"b"}


def test_the_only_copy_on_a_disk_that_longhorn_cannot_read_keeps_it(cluster: ACluster) -> None:
    put_replica(cluster, "a")
    status = cluster.objects["nodes"]["node-1"]["status"]["diskStatus"]["a"]
    status.update({"scheduledReplica": {}, "conditions": []})
    with pytest.raises(TimeoutError, match="Mount /mnt/a on node-1 again"):
        remove(cluster, "/mnt/a")
    assert set(disks(cluster)) == {"a", "b"}


def test_a_change_that_the_webhook_puts_off_is_tried_again(cluster: ACluster) -> None:
    cluster.refusals = [api_error(403), api_error(422, "being synced")]
    with pytest.raises(Exception, match="403"):
        remove(cluster, "/mnt/a")
    remove(cluster, "/mnt/a")
    assert set(disks(cluster)) == {"b"}


def test_the_last_disk_takes_the_label_along_or_longhorn_would_make_it_again(
    cluster: ACluster,
) -> None:
    remove(cluster, "/mnt/a")
    assert LABEL in cluster.node_labels["node-1"]
    remove(cluster, "/mnt/b")
    assert cluster.node_labels["node-1"] == {"kept": "yes"}


def test_a_disk_that_longhorn_made_again_is_taken_out_again(cluster: ACluster) -> None:
    remaining = [{"a": {"path": "/mnt/a", **DESCRIBED}}]

    def made_again() -> None:
        if not disks(cluster) and remaining:
            disks(cluster).update(remaining.pop())

    cluster.after_write = made_again
    remove(cluster, "/mnt/a", "/mnt/b")
    assert disks(cluster) == {}


@pytest.mark.parametrize("gone", ["node", "Longhorn"])
def test_a_node_or_a_longhorn_that_is_gone_needs_nothing(cluster: ACluster, gone: str) -> None:
    if gone == "node":
        cluster.objects["nodes"].clear()
    else:
        cluster.objects.clear()
    before, labels = copy.deepcopy(cluster.objects), copy.deepcopy(cluster.node_labels)
    cluster.refusals = [AssertionError("something is written")]
    remove(cluster, "/mnt/a", "/mnt/b")
    assert cluster.objects == before
    assert cluster.node_labels == labels
    assert cluster.deleted == []


def own(cluster: ACluster, **paths: str) -> None:
    owners = {f"/mnt/{name}": owner for name, owner in paths.items()}
    metadata = {"annotations": {ANNOTATION: json.dumps(owners)}}
    cluster.objects["nodes"]["node-1"]["metadata"] = metadata


def test_a_disk_that_another_stack_has_taken_over_stays_in_longhorn(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    own(cluster, a="project/two", b="project/one")
    before = dict(disks(cluster)["a"])
    LonghornDisksProvider().delete("id", PROPS)
    assert disks(cluster) == {"a": before}
    assert LABEL in cluster.node_labels["node-1"], "Longhorn may need it for the other stack"
    assert "/mnt/a stays in Longhorn" in capsys.readouterr().err


def test_whoever_puts_a_disk_owns_it_from_then_on(cluster: ACluster) -> None:
    own(cluster, a="project/two")
    LonghornDisksProvider().create(PROPS)
    assert owners(cluster.objects["nodes"]["node-1"]) == {
        "/mnt/a": "project/one",
        "/mnt/b": "project/one",
    }
    LonghornDisksProvider().delete("id", {**PROPS, "owner": "project/two"})
    assert set(disks(cluster)) == {"a", "b"}


def test_a_state_from_before_there_were_owners_takes_out_what_nobody_owns(
    cluster: ACluster,
) -> None:
    own(cluster, a="project/two")
    LonghornDisksProvider().delete("id", {k: v for k, v in PROPS.items() if k != "owner"})
    assert set(disks(cluster)) == {"a"}


def test_a_node_that_longhorn_does_not_have_yet_keeps_nothing_else_waiting(
    cluster: ACluster,
) -> None:
    cluster.objects["nodes"].clear()
    started = waiting.SYSTEM_CLOCK.now()
    assert LonghornDisksProvider().create(PROPS).outs == PROPS
    assert waiting.SYSTEM_CLOCK.now() == started


def test_a_manager_that_takes_no_change_is_left_to_the_wait_for_all_of_longhorn(
    cluster: ACluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.refusals = [api_error(500, "no endpoints available for the webhook")] * 10_000
    props = {**PROPS, "timeout_seconds": 1800}
    started = waiting.SYSTEM_CLOCK.now()
    LonghornDisksProvider().create(props)
    assert waiting.SYSTEM_CLOCK.now() - started < 120
    assert "no endpoints available" in capsys.readouterr().err


def test_late_disks_are_put_while_all_of_longhorn_is_waited_for(cluster: ACluster) -> None:
    wanted = {**PROPS["disks"], "/mnt/c": {"name": "c", **DESCRIBED}}
    props = {"owner": "project/one", "disks_by_node": {"node-1": wanted, "node-9": wanted}}
    assert put_late_disks(cluster, props) != []  # pyright: ignore[reportArgumentType]
    assert set(disks(cluster)) == {"a", "b", "c"}
    assert put_late_disks(cluster, props) == []  # pyright: ignore[reportArgumentType]


def test_a_node_under_maintenance_is_not_opened_by_that_wait(cluster: ACluster) -> None:
    props = {"owner": "project/one", "disks_by_node": {"node-1": PROPS["disks"]}}
    for closed in (["node-1"], []):
        put_late_disks(cluster, {**props, "closed": closed})  # pyright: ignore[reportArgumentType]
        assert cluster.objects["nodes"]["node-1"]["spec"]["allowScheduling"] is not bool(closed)


EVICTING = {**PROPS, "evicts_others": True, "eviction_timeout_seconds": 60}


def _with_root_disk(cluster: ACluster, **status: Any) -> None:
    node = cluster.objects["nodes"]["node-1"]
    entry = {"path": "/var/lib/longhorn/", "evictionRequested": False, **DESCRIBED}
    node["spec"]["disks"]["root"] = entry
    node["status"]["diskStatus"]["root"] = {"conditions": READY, "scheduledReplica": {}, **status}


@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_disk_that_nobody_lists_leaves_where_the_stack_file_says_so(
    cluster: ACluster, operation: str
) -> None:
    provider = LonghornDisksProvider()
    for props, left in ((PROPS, {"a", "b", "root"}), (EVICTING, {"a", "b"})):
        _with_root_disk(cluster)
        if operation == "create":
            provider.create(props)
        else:
            provider.update("id", PROPS, props)
        assert set(disks(cluster)) == left


def test_a_disk_that_another_stack_owns_stays(cluster: ACluster) -> None:
    _with_root_disk(cluster)
    owned = {ANNOTATION: json.dumps({"/var/lib/longhorn": "project/two"})}
    cluster.objects["nodes"]["node-1"]["metadata"] = {"annotations": owned}
    LonghornDisksProvider().create(EVICTING)
    assert set(disks(cluster)) == {"a", "b", "root"}


def test_replicas_that_do_not_leave_it_end_up_with_the_word_that_keeps_it(
    cluster: ACluster,
) -> None:
    _with_root_disk(cluster, scheduledReplica={"r1": 1})
    with pytest.raises(TimeoutError, match=r"longhorn\.otherDisks: keep"):
        LonghornDisksProvider().create(EVICTING)
    assert disks(cluster)["root"]["evictionRequested"] is True


def test_a_disk_with_another_file_system_comes_again_as_a_new_one(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[Any] = []

    def renew(_cluster: Any, node: str, paths: set[str], **_options: Any) -> None:
        renewed.append((node, paths))
        disks(cluster).pop("a")

    monkeypatch.setattr(longhorn_disks, "renew_disks", renew)

    def with_uuid(uuid: str | None) -> dict[str, Any]:
        disk = {**PROPS["disks"]["/mnt/a"], "uuid": uuid}
        return {**PROPS, "disks": {**PROPS["disks"], "/mnt/a": disk}}

    provider = LonghornDisksProvider()
    assert provider.diff("id", with_uuid("1"), with_uuid("2")).changes is True
    provider.update("id", with_uuid(None), with_uuid("2"))
    assert renewed == []
    provider.update("id", with_uuid("1"), with_uuid("2"))
    assert renewed == [("node-1", {"/mnt/a"})]
    assert set(disks(cluster)) == {"a", "b"}


def test_a_refresh_keeps_the_uuid_of_a_file_system(cluster: ACluster) -> None:
    known = {"/mnt/a": {**PROPS["disks"]["/mnt/a"], "uuid": "1"}}
    state = {**PROPS, "disks": known}
    assert LonghornDisksProvider().read("id", state).outs == state
    assert set(disks(cluster)) == {"a", "b"}


def test_a_node_that_left_kubernetes_has_no_label_to_take_off(cluster: ACluster) -> None:
    cluster.node_labels.clear()
    remove(cluster, "/mnt/a", "/mnt/b")
    assert disks(cluster) == {}


def test_disks_are_left_to_the_uninstallation_when_longhorn_itself_goes(cluster: ACluster) -> None:
    put_replica(cluster, "a")
    cluster.objects["settings"]["deleting-confirmation-flag"]["value"] = "true"
    before = {name: dict(disk) for name, disk in disks(cluster).items()}
    LonghornDisksProvider().delete("id", PROPS)
    assert disks(cluster) == before


def test_a_removed_node_takes_all_its_disks_out(cluster: ACluster) -> None:
    LonghornDisksProvider().delete("id", PROPS)
    assert disks(cluster) == {}


def test_an_added_disk_is_there_before_a_removed_one_gives_its_replicas_away(
    cluster: ACluster,
) -> None:
    put_replica(cluster, "a")
    wanted = {"/mnt/b": PROPS["disks"]["/mnt/b"], "/mnt/c": {"name": "c", **DESCRIBED}}
    with pytest.raises(TimeoutError):
        LonghornDisksProvider().update("id", PROPS, {**PROPS, "disks": wanted})
    assert disks(cluster)["c"]["allowScheduling"] is True


@pytest.mark.parametrize(
    "key",
    [
        "kubeconfig",
        "context",
        "node_name",
        "disks",
        "owner",
        "lost",
        "timeout_seconds",
        "eviction_timeout_seconds",
    ],
)
def test_what_a_removal_goes_by_is_kept_up_to_date(key: str) -> None:
    provider = LonghornDisksProvider()
    assert provider.diff("id", PROPS, {**PROPS, key: "other"}).changes is True
    assert provider.diff("id", PROPS, PROPS).changes is False


@pytest.mark.parametrize("finding", [None, "closed to scheduling in Longhorn"])
def test_a_repair_that_longhorn_does_not_take_ends_no_up_well(
    cluster: ACluster, finding: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects["nodes"]["node-1"]["spec"]["allowScheduling"] = False
    cluster.refusals = [api_error(403, "denied: being syncing")] * 1000
    new = {**PROPS, "finding": finding}
    if finding is None:
        # What changes an input is waited for by LonghornReady.
        LonghornDisksProvider().update("id", PROPS, new)
        assert "left to a later wait" in capsys.readouterr().err
    else:
        with pytest.raises(TimeoutError, match="denied: being syncing"):
            LonghornDisksProvider().update("id", PROPS, new)
