"""What somebody changed in Longhorn is one line of the resource that owns it."""

import json
from typing import Any

import pytest

from components.longhorn.disks.findings import (
    absent_finding,
    absent_paths,
    cordon_finding,
    disks_finding,
)
from components.longhorn.disks.owners import ANNOTATION
from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.findings import backup_target_finding, settings_finding, tags_finding
from configuration.hosts import DiskSettings

PATH = "/mnt/longhorn-sdb"
WANTED = wanted_disks(
    [DiskSettings.model_validate({"device": "/dev/sdb", "mountPoint": PATH, "tags": ("ssd",)})], {}
)


def _node(*, spec: dict[str, Any] | None = None, **disk: Any) -> dict[str, Any]:
    entry = {
        "path": f"{PATH}/",
        "allowScheduling": True,
        "evictionRequested": False,
        "storageReserved": 0,
        "tags": ["ssd"],
        **disk,
    }
    return {"spec": {"allowScheduling": True, "disks": {"a": entry}, **(spec or {})}}


def test_a_node_as_the_stack_file_says_has_no_finding() -> None:
    assert disks_finding(_node(), WANTED) is None


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (_node(spec={"allowScheduling": False}), "closed to scheduling in Longhorn"),
        (
            _node(spec={"evictionRequested": True}),
            "eviction of its replicas is asked for in Longhorn",
        ),
        (_node(allowScheduling=False), f"disk {PATH} has allowScheduling false, not true"),
        (_node(evictionRequested=True), f"disk {PATH} has evictionRequested true, not false"),
        (_node(storageReserved=5), f"disk {PATH} has storageReserved 5, not 0"),
        (_node(tags=["hdd", "old"]), f"disk {PATH} has tags hdd, old, not ssd"),
        (_node(tags=[]), f"disk {PATH} has tags empty, not ssd"),
        (_node(path="/mnt/other"), f"disk {PATH} is not in Longhorn"),
    ],
)
def test_what_was_changed_in_longhorn_is_named(node: dict[str, Any], said: str) -> None:
    assert disks_finding(node, WANTED) == said


def test_a_node_under_maintenance_is_to_be_closed() -> None:
    closed = _node(spec={"allowScheduling": False})
    assert disks_finding(closed, WANTED, is_closed=True) is None
    assert disks_finding(_node(), WANTED, is_closed=True) == "open to scheduling in Longhorn"


def test_a_node_that_is_to_be_cordoned_and_takes_pods_is_found() -> None:
    assert cordon_finding("cordon", is_cordoned=False) == "not cordoned"
    assert cordon_finding("cordon", is_cordoned=True) is None
    assert [cordon_finding(each, is_cordoned=False) for each in ("closed", None)] == [None, None]


def test_a_node_that_a_run_cordoned_for_a_maintenance_that_was_given_up_is_found() -> None:
    said = "cordoned by an earlier run of this stack"
    for wanted in ("closed", None):
        assert cordon_finding(wanted, is_cordoned=True, is_ours=True) == said
        assert cordon_finding(wanted, is_cordoned=True) is None, "somebody else's stays"
    assert cordon_finding("cordon", is_cordoned=True, is_ours=True) is None


def test_a_disk_that_nobody_lists_is_a_finding_only_where_it_is_to_leave() -> None:
    node = _node()
    node["spec"]["disks"]["root"] = {"path": "/var/lib/longhorn/"}
    assert disks_finding(node, WANTED) is None
    said = "disk /var/lib/longhorn is not in the stack file"
    assert disks_finding(node, WANTED, evicts_others=True) == said
    owned = {ANNOTATION: json.dumps({"/var/lib/longhorn": "project/another"})}
    node["metadata"] = {"annotations": owned}
    assert disks_finding(node, WANTED, evicts_others=True) is None


@pytest.mark.parametrize("node", [None, {"spec": {"disks": {}, "allowScheduling": False}}])
def test_a_node_without_any_disk_in_longhorn_is_a_finding_of_its_own(node: Any) -> None:
    assert disks_finding(node, WANTED) is None
    said = f"disk {PATH} is not in Longhorn"
    assert absent_finding(node, WANTED) == (
        said if node else f"the node is not in Longhorn; {said}"
    )
    assert absent_finding(node, {}) is None


def test_a_node_with_any_disk_in_longhorn_is_no_node_that_joined_again() -> None:
    assert absent_finding(_node(), WANTED) is None
    assert absent_finding(_node(path="/mnt/other"), WANTED) is None


def test_a_finding_tells_which_disks_longhorn_does_not_have() -> None:
    paths = [PATH, f"{PATH}2", "/mnt"]
    assert absent_paths(absent_finding(None, WANTED), paths) == {PATH}
    other = f"not cordoned; {disks_finding(_node(path='/mnt/other'), WANTED)}"
    assert absent_paths(other, paths) == {PATH}
    assert absent_paths(disks_finding(_node(storageReserved=5), WANTED), paths) == set()
    assert absent_paths(None, paths) == set()


def test_only_settings_that_longhorn_has_and_the_stack_names_are_compared() -> None:
    found = {"default-replica-count": "1", "log-level": "Debug", "storage-network": ""}
    wanted = {"default-replica-count": "3", "not-of-this-version": "1", "storage-network": "a/b"}
    assert settings_finding(found, wanted) == (
        "default-replica-count is 1, not 3; storage-network is empty, not a/b"
    )
    assert settings_finding({"default-replica-count": "3"}, wanted) is None


def test_only_tags_that_are_missing_are_found() -> None:
    node = {"spec": {"tags": ["fast", "own"]}}
    assert tags_finding(node, ["fast"]) is None
    assert tags_finding(node, ["fast", "ssd", "rack-1"]) == "without the tag ssd, rack-1"
    assert tags_finding(None, ["fast"]) is None


def _target(url: str, *, available: bool, name: str = "default") -> dict[str, Any]:
    reason = {"type": "Unavailable", "status": str(not available), "message": "AccessDenied"}
    status = {"available": available, "conditions": [reason]}
    return {"metadata": {"name": name}, "spec": {"backupTargetURL": url}, "status": status}


def test_a_backup_target_that_longhorn_can_not_use_is_named_with_longhorn_s_reason() -> None:
    url = "s3://bucket@region/"
    away = _target(url, available=False)
    assert backup_target_finding([away], url) == "Longhorn: AccessDenied"
    assert backup_target_finding([_target(url, available=True)], url) is None


def test_another_target_or_none_is_found() -> None:
    url = "s3://bucket@region/"
    other = _target("nfs://a:/b", available=True)
    assert backup_target_finding([other], url) == "Longhorn's backup target is nfs://a:/b"
    emptied = _target("", available=False)
    assert backup_target_finding([emptied], url) == "Longhorn's backup target is empty"
    assert backup_target_finding([], url) == "Longhorn has no backup target yet"
