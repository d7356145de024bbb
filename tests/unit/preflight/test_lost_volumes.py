"""A preview names the volumes that a replaced disk took with it, before anything is done."""

from collections.abc import Sequence
from typing import Any

import pytest

from components.preflight.lost_volumes import check_lost_volumes
from components.preflight.nodes import NodeToCheck
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, answer, refused, usable
from tests.unit.doubles.a_storage import a_storage

PATH = SDB.mount_point
READY = [{"type": "Ready", "status": "True"}]
BLANK = usable(content="blank", mounted=False)


def _node(name: str, verdict: str) -> NodeToCheck:
    return NodeToCheck(
        name=name, answer=answer(verdict=verdict), disks=[SDB], stages=StageSettings()
    )


def _entry(name: str, *, is_up: bool = True) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"disks": {"a": {"path": PATH}}},
        "status": {
            "conditions": READY if is_up else [],
            "diskStatus": {"a": {"diskUUID": f"d-{name}", "conditions": READY}},
        },
    }


def _replica(node: str, volume: str = "data", **spec: str) -> dict[str, Any]:
    given = {"volumeName": volume, "diskID": f"d-{node}", "healthyAt": "then", **spec}
    return {"metadata": {"name": f"{volume}-{node}"}, "spec": given}


def _found(
    *verdicts: str,
    replicas: Sequence[Any] = (_replica("one"),),
    given_up: Sequence[str] = (),
    down: Sequence[str] = (),
) -> list[tuple[str, str, str]]:
    names = ("one", "two")
    claim = {"kubernetesStatus": {"namespace": "shop", "pvcName": "orders"}}
    storage = a_storage(
        {name: _entry(name, is_up=name not in down) for name in names},
        replicas=replicas,
        volumes=[{"metadata": {"name": "data"}, "status": claim}],
    )
    nodes = [_node(name, verdict) for name, verdict in zip(names, verdicts, strict=False)]
    return [
        (each.node, each.severity, each.found)
        for each in check_lost_volumes(nodes, storage, given_up)
        if each.check == "lostVolumes"
    ]


@pytest.mark.parametrize(
    "verdict",
    [
        BLANK,
        usable(content="unfinished", mounted=False),
        usable(longhornDisk=None),
        usable(longhornDisk="new"),
    ],
    ids=["blank", "half formatted", "formatted by a run that stopped", "looked at by Longhorn"],
)
def test_the_last_intact_replica_of_a_volume_stops_the_preview_with_its_claim(
    verdict: str,
) -> None:
    assert _found(verdict) == [
        (
            "one",
            "error",
            f"another disk is on {PATH} now, and no intact replica is left of "
            "data (claim shop/orders)",
        )
    ]


@pytest.mark.parametrize(
    "verdict",
    [
        usable(longhornDisk="d-one"),
        usable(longhornDisk=None, longhornReplicas=1),
        usable(mounted=False, longhornDisk="d-one"),
        usable(mounted=False, longhornDisk="another"),
        refused("/dev/sdb does not exist"),
    ],
    ids=[
        "the same disk",
        "its number is lost and its data is not",
        "unmounted",
        "another one, which this run mounts and does not format",
        "not there",
    ],
)
def test_a_disk_that_nobody_replaced_needs_no_word(verdict: str) -> None:
    assert _found(verdict) == []


def test_an_intact_replica_on_a_disk_that_is_ready_is_enough() -> None:
    there = usable(longhornDisk="d-two")
    both = [_replica("one"), _replica("two")]
    assert _found(BLANK, there, replicas=both) == []
    failed = [_replica("one"), _replica("two", failedAt="now")]
    assert [name for name, *_ in _found(BLANK, there, replicas=failed)] == ["one"]


def test_an_intact_replica_on_a_node_that_is_down_is_not_enough() -> None:
    both = [_replica("one"), _replica("two")]
    assert [name for name, *_ in _found(BLANK, replicas=both, down=["two"])] == ["one"]


def test_disks_that_were_replaced_on_two_nodes_at_once_take_both_replicas() -> None:
    both = [_replica("one"), _replica("two")]
    assert [name for name, *_ in _found(BLANK, BLANK, replicas=both)] == ["one", "two"]


def test_a_disk_that_is_at_another_place_now_is_not_lost() -> None:
    assert _found(BLANK, usable(longhornDisk="d-one")) == []
    for content in ("own", "adopted"):
        unreadable = usable(content=content, mounted=False, longhornDisk=None)
        assert _found(BLANK, unreadable) == [], "an xfs that is not mounted tells nothing"


def test_a_volume_that_is_given_up_by_name_is_a_warning() -> None:
    ((node, severity, found),) = _found(BLANK, given_up=["data", "another"])
    assert (node, severity) == ("one", "warning")
    assert "longhorn.lostVolumes gives up data (claim shop/orders)" in found
    replicas = [_replica("one"), _replica("one", "logs")]
    errors = [f for _, severity, f in _found(BLANK, replicas=replicas, given_up=["data"])]
    assert ["left of logs" in found for found in errors] == [True, False]


def test_without_longhorn_there_is_nothing_to_lose() -> None:
    assert list(check_lost_volumes([_node("one", BLANK)], None, ())) == []
