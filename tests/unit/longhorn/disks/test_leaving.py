"""A disk leaves Longhorn before it is unmounted at its old path."""

from typing import Any

import pytest

from components.common import waiting
from components.longhorn.disks.leaving import leave_longhorn
from components.longhorn.disks.owners import ANNOTATION
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    made = ACluster()
    entry = {"path": "/mnt/a", "allowScheduling": True, "evictionRequested": False}
    made.objects["nodes"]["node-1"] = {"spec": {"disks": {"a": entry}}, "status": {}}
    made.node_labels["node-1"] = {}
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return made


def _leave(cluster: Any, path: str = "/mnt/a") -> None:
    leave_longhorn(
        cluster, "node-1", path, owner="project/one", eviction_seconds=-1, edit_seconds=60
    )


def test_its_entry_is_gone_afterwards(cluster: ACluster) -> None:
    _leave(cluster)
    assert cluster.objects["nodes"]["node-1"]["spec"]["disks"] == {}


def test_a_disk_that_another_stack_has_taken_over_keeps_the_mount_where_it_is(
    cluster: ACluster,
) -> None:
    marks = {ANNOTATION: '{"/mnt/a":"project/two"}'}
    cluster.objects["nodes"]["node-1"]["metadata"] = {"annotations": marks}
    with pytest.raises(RuntimeError, match="the disk on /mnt/a is still in Longhorn"):
        _leave(cluster)


def test_a_longhorn_without_the_disk_or_the_node_lets_it_go(cluster: ACluster) -> None:
    _leave(cluster, "/mnt/b")
    del cluster.objects["nodes"]["node-1"]
    _leave(cluster)
    del cluster.objects["nodes"]
    _leave(cluster)
