"""Longhorn is let go only once it has looked at the disks that changed last."""

from typing import Any

import pytest

from components.cluster import gone as gone_cluster
from components.common import waiting
from components.longhorn.removal import guard as longhorn_removal_guard
from components.longhorn.removal import node_sync as longhorn_node_sync
from components.longhorn.removal.guard import LonghornRemovalGuardProvider
from components.longhorn.removal.node_sync import unseen_disks
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster

PROPS = {"kubeconfig": "k", "context": None, "allow_uninstall": True, "removal_confirmed": False}


def _node(spec: list[str], status: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"name": "node-1"},
        "spec": {"disks": {key: {} for key in spec}},
        "status": {"diskStatus": {key: {} for key in status}},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    """One of node-1's two disks was taken out a moment ago."""
    made = ACluster()
    made.objects["nodes"]["node-1"] = _node(["a"], ["a", "b"])
    for module in (gone_cluster, longhorn_removal_guard):
        monkeypatch.setattr(module, "open_cluster", lambda _props: made)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return made


def test_disks_that_longhorn_has_not_looked_at_are_named_with_their_node() -> None:
    assert unseen_disks([_node(["a"], ["a"]), {"metadata": {"name": "new"}}]) == []
    (line,) = unseen_disks([_node(["a", "c"], ["a", "b"])])
    assert line.startswith("node node-1: what became of b, c ")


def test_longhorn_goes_once_it_has_seen_that_a_disk_is_gone(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(_seconds: float) -> None:
        looks.append(cluster.confirmed)
        cluster.objects["nodes"]["node-1"] = _node(["a"], ["a"])

    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock(look))
    LonghornRemovalGuardProvider().delete("id", PROPS)
    assert looks == ["false"]
    assert cluster.confirmed == "true"


def test_longhorn_stays_while_its_uninstallation_could_not_end(
    cluster: ACluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longhorn_node_sync, "_SECONDS", 0.05)
    with pytest.raises(TimeoutError, match="node node-1: what became of b "):
        LonghornRemovalGuardProvider().delete("id", PROPS)
    assert cluster.confirmed == "false"
