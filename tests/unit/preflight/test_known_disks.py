"""A disk that a Longhorn has used before is compared with the cluster's own Longhorn."""

from typing import Any

import pytest

from components.preflight.known_disks import check_known_disks
from components.preflight.longhorn_disks import KnownDisks, Place, known_disks
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, answer, usable
from tests.unit.doubles.a_storage import a_storage

PATH = SDB.mount_point
ELSEWHERE = Place(node="node-2", path="/mnt/other")


def _node(name: str = "node-1", **verdict: Any) -> NodeToCheck:
    given = usable(**{"longhornDisk": "d-1", **verdict})
    return NodeToCheck(name=name, answer=answer(verdict=given), disks=[SDB], stages=StageSettings())


def _known(*places: Place, number: str = "d-1", **more: Any) -> KnownDisks:
    return KnownDisks(places={"of-another": [ELSEWHERE], number: places}, replicas={}, **more)


def _one(known: KnownDisks | None, *others: NodeToCheck, **verdict: Any) -> CheckResult:
    (result,) = check_known_disks([_node(**verdict), *others], known)
    assert result.check == "diskKnown"
    return result


def _nothing(known: KnownDisks | None, **verdict: Any) -> bool:
    return list(check_known_disks([_node(**verdict)], known)) == []


def test_a_disk_that_longhorn_has_where_it_is_to_be_needs_no_word() -> None:
    assert _nothing(_known(Place(node="node-1", path=PATH)))
    former = Place(node="node-1", path="/mnt/old", is_ready=True)
    assert _nothing(_known(former), mounted=False, mountedOn="/mnt/old", mountedBy="a/b c")


def test_a_disk_that_longhorn_uses_elsewhere_is_a_copy() -> None:
    in_use = Place(node="node-2", path="/mnt/other", is_ready=True)
    result = _one(_known(in_use))
    assert result.severity == "error"
    assert "disk d-1, which is in use on node-2 /mnt/other" in result.found
    assert "Clear this one" in result.remedy


@pytest.mark.parametrize("place", [ELSEWHERE, Place(node="node-1", path="/mnt/other")])
def test_a_disk_that_was_pulled_from_another_place_brings_its_replicas(place: Place) -> None:
    result = _one(_known(place))
    assert result.severity == "warning"
    assert f"which was on {place.node} /mnt/other" in result.found
    assert "replicas follow it" in result.remedy


def test_a_disk_of_a_node_that_longhorn_has_forgotten_brings_its_replicas() -> None:
    known = KnownDisks(places={"other": [ELSEWHERE]}, replicas={"d-1": 2})
    result = _one(known)
    assert (result.severity, "which no node has any more" in result.found) == ("warning", True)


def test_a_place_that_the_stack_file_still_has_is_given_up_first() -> None:
    former = _node("node-2", longhornDisk=None)
    result = _one(_known(Place(node="node-2", path=PATH)), former)
    assert (result.node, result.severity) == ("node-1", "error")
    assert f"which was on node-2 {PATH}, and the stack file still has a disk" in result.found
    assert f"Take the disk on {PATH} out of node node-2 and run `pulumi up`" in result.remedy


def test_a_disk_of_another_clusters_longhorn_is_told_with_what_is_on_it() -> None:
    result = _one(_known(ELSEWHERE, number="d-2"), longhornReplicas=3)
    assert result.severity == "warning"
    assert "disk d-1 with 3 replicas on it" in result.found
    assert "Put the disk back where it belongs" in result.remedy


def test_it_stops_a_longhorn_that_would_delete_what_is_on_it() -> None:
    known = _known(ELSEWHERE, number="d-2", deletes_orphans=True)
    result = _one(known, longhornReplicas=3)
    assert (result.severity, "orphan-auto-deletion" in result.remedy) == ("error", True)


@pytest.mark.parametrize("verdict", [{}, {"longhornReplicas": 3, "owner": "a/b c"}])
def test_an_empty_disk_and_one_that_this_program_has_already_need_no_word(
    verdict: dict[str, Any],
) -> None:
    assert _nothing(_known(ELSEWHERE, number="d-2"), **verdict)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ({"content": "adopted"}, True),
        ({"content": "adopted", "owner": "a/b c"}, False),
        ({"content": "adopted", "longhornDisk": None}, False),
        ({"content": "own"}, False),
    ],
)
def test_without_a_longhorn_only_an_adopted_disk_is_told(
    verdict: dict[str, Any], told: bool
) -> None:
    assert _nothing(None, **verdict) is not told


def test_one_longhorn_disk_on_two_nodes_is_an_error_that_names_both() -> None:
    results = list(check_known_disks([_node("a"), _node("b")], None))
    assert [(r.node, r.check, r.severity) for r in results] == [
        ("a", "diskKnown", "error"),
        ("b", "diskKnown", "error"),
    ]
    assert f"a {PATH}, b {PATH}" in results[0].found


def _ready(status: str) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status}]


def _known_of(node: str = "True", disk: str = "True", **others: Any) -> KnownDisks:
    entry = {
        "metadata": {"name": "node-1"},
        "spec": {"disks": {"a": {"path": "/mnt/a/"}, "new": {"path": "/mnt/new"}}},
        "status": {
            "conditions": _ready(node),
            "diskStatus": {"a": {"diskUUID": "d-1", "conditions": _ready(disk)}, "new": {}},
        },
    }
    known = known_disks(a_storage({"node-1": entry}, **others))
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("node", "disk", "is_ready"),
    [("True", "True", True), ("True", "False", False), ("False", "True", False)],
)
def test_a_disk_counts_as_used_only_where_a_manager_sees_it(
    node: str, disk: str, is_ready: bool
) -> None:
    known = _known_of(node, disk)
    assert known.places == {"d-1": [Place(node="node-1", path="/mnt/a", is_ready=is_ready)]}


def test_the_replicas_are_counted_by_disk() -> None:
    assert _known_of(replicas=[{"spec": {"diskID": "d-1"}}] * 2).replicas["d-1"] == 2


@pytest.mark.parametrize(
    ("name", "value", "deletes"),
    [
        ("orphan-auto-deletion", "true", True),
        ("orphan-auto-deletion", "false", False),
        ("orphan-resource-auto-deletion", "replica-data;instance", True),
        ("orphan-resource-auto-deletion", "", False),
    ],
)
def test_whether_longhorn_deletes_replicas_that_it_does_not_know_is_read(
    name: str, value: str, deletes: bool
) -> None:
    assert _known_of(settings={name: value}).deletes_orphans is deletes


def test_a_cluster_without_longhorn_or_disks_is_nothing_to_compare_with() -> None:
    assert known_disks(None) is None
    assert known_disks(a_storage()) is None
