"""What changes a node's disks need in Longhorn: pure decisions."""

from typing import Any

import pytest

from components.longhorn.disks.rules import (
    described,
    drain_changes,
    is_emptied,
    put_changes,
    removal_changes,
    still_used,
)

WANTED = {"/mnt/a": {"name": "mnt-a", "allowScheduling": True, "tags": ["fast"]}}


def node(**disks: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"disks": disks}, "status": {"diskStatus": {}}}


def test_a_disk_that_longhorn_does_not_have_is_added_with_every_field() -> None:
    assert put_changes(node(), WANTED) == {
        "mnt-a": {
            "path": "/mnt/a",
            "diskType": "filesystem",
            "evictionRequested": False,
            "allowScheduling": True,
            "storageReserved": 0,
            "tags": ["fast"],
        }
    }


def test_a_disk_is_found_by_its_path_under_whatever_name_longhorn_gave_it() -> None:
    existing = node(**{"default-disk-1": {"path": "/mnt/a/", "allowScheduling": False}})
    assert list(put_changes(existing, WANTED)) == ["default-disk-1"]


def test_a_disk_that_is_as_described_needs_no_change() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": True, "storageReserved": 0, "tags": ["fast"]}
    assert put_changes(node(**{"mnt-a": entry}), WANTED) == {}


def test_tags_are_compared_as_longhorn_keeps_them_in_order_and_each_once() -> None:
    wanted = {"/mnt/a": {"name": "mnt-a", "tags": ["ssd", "fast", "ssd"]}}
    (written,) = put_changes(node(), wanted).values()
    assert written["tags"] == ["fast", "ssd"]
    assert put_changes(node(**{"mnt-a": written}), wanted) == {}
    turned = {**written, "tags": ["ssd", "fast"]}
    assert put_changes(node(**{"mnt-a": turned}), wanted) == {}, "another order changes nothing"


def test_a_disk_on_its_way_out_that_is_wanted_again_is_kept() -> None:
    entry = {
        "path": "/mnt/a",
        "allowScheduling": False,
        "evictionRequested": True,
        "tags": ["fast"],
    }
    changed = put_changes(node(**{"mnt-a": entry}), WANTED)["mnt-a"]
    assert changed["allowScheduling"] is True
    assert changed["evictionRequested"] is False


def test_disks_of_somebody_else_are_left_alone() -> None:
    foreign = {"path": "/mnt/foreign", "allowScheduling": True}
    assert "foreign" not in put_changes(node(foreign=foreign), WANTED)
    assert drain_changes(node(foreign=foreign), {"/mnt/a"}) == {}


def test_draining_stops_scheduling_and_asks_for_eviction_once() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": True}
    changed = drain_changes(node(**{"mnt-a": entry}), {"/mnt/a"})["mnt-a"]
    assert (changed["allowScheduling"], changed["evictionRequested"]) == (False, True)
    assert drain_changes(node(**{"mnt-a": changed}), {"/mnt/a"}) == {}


def test_a_disk_is_removed_only_once_it_is_closed() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": True}
    closing = removal_changes(node(**{"mnt-a": entry}), {"/mnt/a"})["mnt-a"]
    assert closing is not None
    assert closing["allowScheduling"] is False
    assert removal_changes(node(**{"mnt-a": closing}), {"/mnt/a"}) == {"mnt-a": None}
    assert removal_changes(node(), {"/mnt/a"}) == {}


def test_a_node_is_emptied_only_by_removing_every_disk_of_whoever() -> None:
    both = node(a={"path": "/mnt/a"}, foreign={"path": "/mnt/foreign"})
    assert not is_emptied(both, {"/mnt/a"})
    assert is_emptied(both, {"/mnt/a", "/mnt/foreign"})


def test_a_disk_with_replicas_is_still_used_and_says_which() -> None:
    used = node(**{"mnt-a": {"path": "/mnt/a"}})
    used["status"]["diskStatus"] = {"mnt-a": {"scheduledReplica": {"vol-r-1": 1}}}
    assert still_used(used, {"/mnt/a"}) == ["/mnt/a still holds vol-r-1"]
    used["status"]["diskStatus"]["mnt-a"] = {"scheduledReplica": {}, "storageScheduled": 5}
    assert still_used(used, {"/mnt/a"}) == ["/mnt/a still holds scheduled storage"]
    used["status"]["diskStatus"]["mnt-a"] = {"scheduledReplica": None, "storageScheduled": 5}
    assert still_used(used, {"/mnt/a"}) == ["/mnt/a still holds scheduled storage"]
    assert still_used(used, {"/mnt/b"}) == []


def test_a_description_writes_its_defaults_out() -> None:
    assert described({"name": "x"}) == {
        "allowScheduling": True,
        "storageReserved": 0,
        "tags": [],
    }


def test_a_disk_that_somebody_closed_to_replicas_is_opened_again() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": False, "tags": ["fast"]}
    assert put_changes(node(**{"mnt-a": entry}), WANTED)["mnt-a"]["allowScheduling"] is True


def test_an_eviction_that_somebody_asked_for_is_taken_back() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": True, "tags": ["fast"], "evictionRequested": True}
    assert put_changes(node(**{"mnt-a": entry}), WANTED)["mnt-a"]["evictionRequested"] is False


def test_a_field_that_longhorn_leaves_out_has_its_default() -> None:
    entry = {"path": "/mnt/a", "allowScheduling": True, "tags": None}
    wanted = {"/mnt/a": {"name": "mnt-a"}}
    assert put_changes(node(**{"mnt-a": entry}), wanted) == {}


@pytest.mark.parametrize(
    ("is_open", "is_evicted"), [(True, True), (True, False), (False, False), (False, True)]
)
def test_a_disk_is_drained_unless_it_is_closed_and_being_emptied_already(
    is_open: bool, is_evicted: bool
) -> None:
    entry = {"path": "/mnt/a", "allowScheduling": is_open, "evictionRequested": is_evicted}
    changed = drain_changes(node(**{"mnt-a": entry}), {"/mnt/a"})
    if is_evicted and not is_open:
        assert changed == {}
    else:
        expected = {**entry, "allowScheduling": False, "evictionRequested": True}
        assert changed == {"mnt-a": expected}


@pytest.mark.parametrize("found", [{}, {"scheduledReplica": None, "storageScheduled": 0}])
def test_a_disk_without_replicas_is_not_used(found: dict[str, Any]) -> None:
    empty = node(**{"mnt-a": {"path": "/mnt/a"}})
    empty["status"]["diskStatus"] = {"mnt-a": found}
    assert still_used(empty, {"/mnt/a"}) == []


@pytest.mark.parametrize(
    "new", [{}, {"spec": None, "status": None}, {"spec": {"disks": None}, "status": {}}]
)
def test_a_node_that_longhorn_has_only_just_made_has_no_disks(new: dict[str, Any]) -> None:
    assert list(put_changes(new, WANTED)) == ["mnt-a"]
    assert still_used(new, {"/mnt/a"}) == []
    assert is_emptied(new, set())


def test_a_disk_that_longhorn_has_not_looked_at_yet_is_not_used() -> None:
    unseen = {"spec": {"disks": {"mnt-a": {"path": "/mnt/a"}}}, "status": {"diskStatus": None}}
    assert still_used(unseen, {"/mnt/a"}) == []
    assert still_used({**unseen, "status": None}, {"/mnt/a"}) == []
