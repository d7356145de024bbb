"""Which replicas keep a disk in Longhorn, and what a person can do about them."""

from typing import Any

import pytest

from components.longhorn.disks.replicas import advice, explained, last_copies
from tests.unit.doubles.a_cluster import volume

PATHS = {"/mnt/a"}


def conditions(*, ready: bool) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": "True" if ready else "False"}]


def node(*, ready: bool = True, disk_ready: bool = True, **scheduled: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "node-1"},
        "spec": {"disks": {"a": {"path": "/mnt/a"}, "b": {"path": "/mnt/b"}}},
        "status": {
            "conditions": conditions(ready=ready),
            "diskStatus": {
                "a": {
                    "diskUUID": "uuid-a",
                    "scheduledReplica": scheduled,
                    "conditions": conditions(ready=disk_ready),
                }
            },
        },
    }


def replica(name: str, of: str, disk: str = "uuid-a", **spec: str) -> dict[str, Any]:
    healthy = {"healthyAt": "2026-01-01T00:00:00Z", "failedAt": ""}
    return {
        "metadata": {"name": name},
        "spec": {"volumeName": of, "diskID": disk, **healthy, **spec},
    }


def test_a_replica_is_told_with_its_volume_its_state_and_its_claim() -> None:
    held = volume("pvc-1")
    held["status"]["kubernetesStatus"] = {"namespace": "default", "pvcName": "data"}
    lines = explained(node(r1=1), PATHS, [replica("r1", "pvc-1")], [held])
    assert lines == [
        "/mnt/a: replica r1 of volume pvc-1 (10 MiB, attached, healthy, claim default/data)"
    ]


def test_longhorns_own_reason_for_finding_no_place_is_told() -> None:
    held = volume("pvc-1")
    held["status"]["conditions"] = [
        {"type": "Scheduled", "status": "False", "message": "insufficient storage"}
    ]
    (line,) = explained(node(r1=1), PATHS, [replica("r1", "pvc-1")], [held])
    assert "finds no place for another replica: insufficient storage" in line


def test_replicas_of_other_disks_are_not_told() -> None:
    assert explained(node(), PATHS, [replica("r1", "pvc-1", disk="uuid-b")], []) == []


def test_a_replica_whose_volume_is_gone_is_told_all_the_same() -> None:
    assert explained(node(), PATHS, [replica("r1", "pvc-1")], []) == [
        "/mnt/a: replica r1 of volume pvc-1"
    ]


def test_a_long_list_is_cut() -> None:
    replicas = [replica(f"r{number:02}", "pvc-1") for number in range(30)]
    lines = explained(node(), PATHS, replicas, [])
    assert lines[-2:] == ["/mnt/a: replica r19 of volume pvc-1", "and 10 more"]
    assert explained(node(), PATHS, replicas[:20], []) == lines[:20]


def test_a_disk_that_cannot_be_read_keeps_the_only_copy_of_a_volume() -> None:
    found = last_copies(node(disk_ready=False), PATHS, [replica("r1", "pvc-1")])
    assert found == ["/mnt/a, which Longhorn can't read, has all data of pvc-1"]


def test_a_volume_with_an_intact_copy_elsewhere_does_not_need_the_unread_disk() -> None:
    replicas = [replica("r1", "pvc-1"), replica("r2", "pvc-1", disk="uuid-c")]
    assert last_copies(node(disk_ready=False), PATHS, replicas) == []


@pytest.mark.parametrize(
    "place",
    [{"nodeID": "node-2", "diskPath": "/mnt/a"}, {"nodeID": "node-1", "diskPath": "/mnt/n"}],
)
def test_replicas_that_followed_their_disk_to_another_place_do_not_need_its_old_entry(
    place: dict[str, str],
) -> None:
    unread = node(disk_ready=False)
    assert last_copies(unread, PATHS, [replica("r1", "pvc-1", **place)]) == []
    here = replica("r1", "pvc-1", nodeID="node-1", diskPath="/mnt/a/")
    assert last_copies(unread, PATHS, [here])


def test_a_copy_on_a_node_that_is_down_is_no_copy() -> None:
    replicas = [replica("r1", "pvc-1"), replica("r2", "pvc-1", disk="uuid-c", nodeID="node-2")]
    other = {**node(ready=True), "metadata": {"name": "node-2"}}
    assert last_copies(node(disk_ready=False), PATHS, replicas, [other]) == []
    other["status"] = {"conditions": conditions(ready=False)}
    assert last_copies(node(disk_ready=False), PATHS, replicas, [other])


@pytest.mark.parametrize("spoilt", [{"failedAt": "2026-01-01T00:00:00Z"}, {"healthyAt": ""}])
def test_a_copy_elsewhere_that_is_not_intact_is_no_copy(spoilt: dict[str, str]) -> None:
    replicas = [replica("r1", "pvc-1"), replica("r2", "pvc-1", disk="uuid-c", **spoilt)]
    assert last_copies(node(disk_ready=False), PATHS, replicas)


def test_of_a_disk_that_can_be_read_longhorn_itself_tells_what_is_on_it() -> None:
    assert last_copies(node(disk_ready=True), PATHS, [replica("r1", "pvc-1")]) == []


def test_the_remedy_for_a_node_that_is_down_is_another_than_for_missing_room() -> None:
    assert "`lost: true`" in advice(node(ready=False), PATHS)
    assert "Mount /mnt/a on node-1 again" in advice(node(disk_ready=False), PATHS)
    assert "Add a disk or a node" in advice(node(), PATHS)


def test_every_remedy_says_that_the_disk_stays_and_how_to_keep_it() -> None:
    for found in (node(), node(ready=False), node(disk_ready=False)):
        assert "stays mounted and in Longhorn" in advice(found, PATHS)
        assert "pulumi up --refresh" in advice(found, PATHS)


@pytest.mark.parametrize(
    ("condition", "is_told"),
    [
        ({"type": "scheduled", "status": "False", "reason": "NoSpace"}, True),
        ({"type": "Scheduled", "status": "True", "message": "NoSpace"}, False),
        ({"type": "TooManySnapshots", "status": "False", "message": "NoSpace"}, False),
    ],
)
def test_only_a_replica_that_finds_no_place_is_told_with_the_reason(
    condition: dict[str, str], is_told: bool
) -> None:
    held = volume("pvc-1")
    held["status"]["conditions"] = [condition]
    (line,) = explained(node(r1=1), PATHS, [replica("r1", "pvc-1")], [held])
    assert ("no place for another replica: NoSpace" in line) is is_told


def test_a_replica_that_is_only_scheduled_on_a_disk_is_on_it() -> None:
    new = replica("r1", "pvc-1", disk="")
    assert explained(node(r1=1), PATHS, [new], []) == ["/mnt/a: replica r1 of volume pvc-1"]


def test_a_replica_without_a_disk_is_not_on_a_disk_without_an_identity() -> None:
    unseen = node()
    del unseen["status"]["diskStatus"]["a"]["diskUUID"]
    homeless = replica("r1", "pvc-1")
    del homeless["spec"]["diskID"]
    assert explained(unseen, PATHS, [homeless], []) == []


def test_a_disk_that_only_takes_replicas_is_not_one_that_can_be_read() -> None:
    unread = node(disk_ready=False)
    unread["status"]["diskStatus"]["a"]["conditions"] += [{"type": "Schedulable", "status": "True"}]
    assert last_copies(unread, PATHS, [replica("r1", "pvc-1")])
    assert "Mount /mnt/a on node-1 again" in advice(unread, PATHS)


def test_a_volume_whose_size_longhorn_has_not_noted_is_told_all_the_same() -> None:
    held = {"metadata": {"name": "pvc-1"}}
    (line,) = explained(node(r1=1), PATHS, [replica("r1", "pvc-1")], [held])
    assert line == "/mnt/a: replica r1 of volume pvc-1 (0 MiB, state unknown)"


def test_volumes_that_would_be_lost_are_told_disk_by_disk_whatever_order_is_asked_for() -> None:
    unread = node(disk_ready=False)
    unread["status"]["diskStatus"]["b"] = {"diskUUID": "uuid-b", "conditions": []}
    replicas = [replica("r2", "pvc-2", disk="uuid-b"), replica("r1", "pvc-1")]
    told = last_copies(unread, {"/mnt/b", "/mnt/a"}, replicas)
    assert [line.split(",")[0] for line in told] == ["/mnt/a", "/mnt/b"]
