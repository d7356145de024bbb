"""How disks are described for Longhorn."""

import json
from typing import Any

import pytest

from components.nodes.description import (
    Tolerated,
    disks_annotation,
    is_tolerated,
    longhorn_disk,
    taint_toleration,
    tolerated_taints,
    tolerations,
)
from configuration.base import quantity_bytes
from configuration.hosts import DiskSettings
from configuration.longhorn import replica_count


def _disk(**changes: Any) -> DiskSettings:
    return DiskSettings.model_validate(
        {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb", **changes}
    )


def test_the_guides_two_disks_become_the_guides_annotation_with_names() -> None:
    disks = [_disk(), _disk(device="/dev/sdc", mountPoint="/mnt/longhorn-sdc")]
    assert json.loads(disks_annotation(disks)) == [
        {"name": "mnt-longhorn-sdb", "path": "/mnt/longhorn-sdb", "allowScheduling": True},
        {"name": "mnt-longhorn-sdc", "path": "/mnt/longhorn-sdc", "allowScheduling": True},
    ]


def test_the_annotation_is_one_line_in_the_files_order() -> None:
    disks = [_disk(mountPoint="/mnt/z"), _disk(device="/dev/sdc", mountPoint="/mnt/a")]
    text = disks_annotation(disks)
    assert "\n" not in text
    assert [disk["path"] for disk in json.loads(text)] == ["/mnt/z", "/mnt/a"]


@pytest.mark.parametrize("allowed", [True, False])
def test_allow_scheduling_is_always_written_since_longhorn_takes_none_for_false(
    allowed: bool,
) -> None:
    assert longhorn_disk(_disk(allowScheduling=allowed))["allowScheduling"] is allowed


@pytest.mark.parametrize(
    ("reserved", "expected"), [("10Gi", 10737418240), ("5G", 5000000000), ("1024", 1024)]
)
def test_reserved_space_is_written_in_bytes(reserved: str, expected: int) -> None:
    assert longhorn_disk(_disk(storageReserved=reserved))["storageReserved"] == expected


@pytest.mark.parametrize("reserved", ["0", "0Gi"])
def test_no_reserved_space_is_left_out(reserved: str) -> None:
    assert "storageReserved" not in longhorn_disk(_disk(storageReserved=reserved))


def test_tags_are_written_as_a_list_and_left_out_when_there_are_none() -> None:
    assert longhorn_disk(_disk(tags=["fast", "ssd"]))["tags"] == ["fast", "ssd"]
    assert "tags" not in longhorn_disk(_disk())


def test_a_disk_without_folder_names_has_no_slash_in_its_key() -> None:
    assert _disk(mountPoint="/srv/longhorn/one").key == "srv-longhorn-one"


@pytest.mark.parametrize(
    ("wanted", "nodes", "expected"),
    [(None, 0, 3), (None, 1, 1), (None, 2, 2), (None, 3, 3), (None, 30, 3), (5, 1, 5), (1, 9, 1)],
)
def test_replicas_are_as_wanted_or_one_per_node_with_disks_up_to_three(
    wanted: int | None, nodes: int, expected: int
) -> None:
    assert replica_count(wanted, nodes) == expected


def test_both_control_plane_taints_are_tolerated_and_no_other() -> None:
    keys = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
    tolerated = tolerated_taints((), "tolerate")
    assert taint_toleration(tolerated) == ";".join(f"{key}:NoSchedule" for key in keys)
    assert [toleration["key"] for toleration in tolerations(tolerated)] == keys
    assert {toleration["effect"] for toleration in tolerations(tolerated)} == {"NoSchedule"}
    assert tolerated_taints((), "leave") == ()


@pytest.mark.parametrize(
    ("taint", "expected"),
    [
        ({"key": "a", "effect": "NoSchedule"}, True),
        ({"key": "a", "effect": "NoSchedule", "value": "x"}, True),
        ({"key": "a", "effect": "NoExecute"}, False),
        ({"key": "b", "effect": "NoSchedule", "value": "x"}, True),
        ({"key": "b", "effect": "NoSchedule", "value": "y"}, False),
        ({"key": "b", "effect": "NoSchedule"}, False),
        ({"key": "c", "effect": "NoSchedule"}, False),
    ],
)
def test_a_taint_is_tolerated_by_its_key_effect_and_value(
    taint: dict[str, str], expected: bool
) -> None:
    tolerated = (
        Tolerated(key="a", effect="NoSchedule", value=None),
        Tolerated(key="b", effect="NoSchedule", value="x"),
    )
    assert is_tolerated(taint, tolerated) is expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("1", 1), ("1k", 1000), ("1Ki", 1024), ("3Mi", 3 * 2**20), ("2T", 2 * 10**12), ("1Pi", 2**50)],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(quantity: str, expected: int) -> None:
    assert quantity_bytes(quantity) == expected
