"""A node that joined the cluster again is in use once Longhorn uses its disks, and not before."""

from collections.abc import Callable
from typing import Any

import pytest

from components.common import waiting
from components.common.dynamic import FINDING
from components.longhorn.disks import disks as longhorn_disks
from components.longhorn.disks.disks import LonghornDisksProvider
from components.longhorn.disks.findings import absent_finding
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, Object, api_error

PATH = "/mnt/a"
DISK = {"name": "a", "allowScheduling": True, "storageReserved": 0, "tags": [], "uuid": None}
PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "node_name": "node-1",
    "disks": {PATH: DISK},
    "owner": "project/one",
    "lost": False,
    "maintenance": None,
    "timeout_seconds": 60,
    "eviction_timeout_seconds": 300,
    FINDING: None,
}
FOUND = {**PROPS, FINDING: absent_finding(None, PROPS["disks"])}
READY = [{"type": kind, "status": "True"} for kind in ("Ready", "Schedulable")]
REFUSED = [{"type": "Ready", "status": "False", "message": "record diskUUID doesn't match"}]


class Joining(ACluster):
    """Kubernetes has node-1 again; what Longhorn does about it comes with the time."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.said: Any = READY
        self.comes_after = 3
        self.takes_changes_after = 0

    def patch_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str, patch: Object
    ) -> None:
        if self.looks < self.takes_changes_after:
            raise api_error(403, "denied: being syncing")
        super().patch_namespaced_custom_object(_g, _v, _n, plural, name, patch)

    def look(self) -> None:
        nodes = self.objects["nodes"]
        if self.looks == self.comes_after:
            nodes["node-1"] = {
                "spec": {"allowScheduling": True, "disks": {}},
                "status": {"conditions": READY, "diskStatus": {}},
            }
        if "node-1" in nodes:
            disks = nodes["node-1"]["spec"]["disks"]
            nodes["node-1"]["status"]["diskStatus"] = {
                name: {"conditions": self.said} for name in disks
            }
        self.looks += 1


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Joining:
    made = Joining()
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock(lambda _: made.look()))
    monkeypatch.setattr(longhorn_disks, "open_cluster", lambda _props: made)
    return made


def _change(new: dict[str, Any], old: dict[str, Any] = PROPS) -> None:
    LonghornDisksProvider().change(old, new)


def test_it_is_waited_for_until_longhorn_has_the_node_and_uses_its_disk(cluster: Joining) -> None:
    _change(FOUND)
    node = cluster.objects["nodes"]["node-1"]
    assert node["spec"]["disks"]["a"]["path"] == PATH
    assert node["status"]["diskStatus"]["a"]["conditions"] == READY
    assert "project/one" in str(node["metadata"]["annotations"])


@pytest.mark.parametrize("is_made", [True, False], ids=["made", "changed"])
def test_a_manager_that_takes_its_time_ends_no_up_badly(cluster: Joining, is_made: bool) -> None:
    cluster.comes_after, cluster.takes_changes_after = 0, 200
    cluster.look()
    patient = {**FOUND, "timeout_seconds": 900}
    if is_made:
        LonghornDisksProvider().make(patient)
        assert cluster.objects["nodes"]["node-1"]["spec"]["disks"] == {}, "left to LonghornReady"
    else:
        _change(patient)
        assert set(cluster.objects["nodes"]["node-1"]["spec"]["disks"]) == {"a"}


def test_a_disk_that_longhorn_refuses_is_no_success_and_longhorn_says_why(
    cluster: Joining,
) -> None:
    cluster.said = REFUSED
    with pytest.raises(TimeoutError, match=r"disk /mnt/a of node node-1: .*doesn't match"):
        _change(FOUND)


def test_a_node_on_which_no_manager_comes_up_is_no_success(cluster: Joining) -> None:
    cluster.comes_after = 10**6
    with pytest.raises(TimeoutError, match=r"nodes\.longhorn\.io node-1"):
        _change(FOUND)


@pytest.mark.parametrize(
    "run",
    [
        lambda: LonghornDisksProvider().make(FOUND),
        lambda: _change({**FOUND, FINDING: None}),
        lambda: _change(FOUND, {**PROPS, "disks": {}}),
        lambda: _change({**FOUND, "maintenance": "closed"}),
    ],
    ids=["made", "nothing found", "new in the stack file", "under maintenance"],
)
def test_what_longhorn_ready_waits_for_is_not_waited_for_here(
    cluster: Joining, run: Callable[[], object]
) -> None:
    run()
    assert cluster.objects["nodes"] == {}
