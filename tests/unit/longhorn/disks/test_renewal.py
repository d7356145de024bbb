"""A disk that got another file system becomes a new one in Longhorn, if nothing is lost with it."""

from collections.abc import Callable
from typing import Any

import pytest

from components.common import waiting
from components.common.waiting import Clock
from components.longhorn.disks.renewal import changed_file_systems, renew_disks
from components.longhorn.disks.renewal_rules import verdicts
from tests.unit.doubles.a_cluster import ACluster, Object

READY = [{"type": "Ready", "status": "True"}]
REFUSED = [{"type": "Ready", "status": "False", "reason": "DiskFilesystemChanged"}]
UNREAD = [{"type": "Ready", "status": "False", "reason": "NoDiskInfo", "message": "not there"}]


class ManagedCluster(ACluster):
    """Two disks on each of two nodes; their managers look whenever a second has passed.

    Attributes:
        found: by node and disk, the UUID that Longhorn finds in the file system; none if it can't
            read the disk.
        blind: nodes whose manager is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.blind: set[str] = set()
        self.found: dict[str, dict[str, str | None]] = {}
        self.writes: list[Object] = []
        for node in ("node-1", "node-2"):
            self.found[node] = {name: f"{node}-{name}" for name in ("a", "b")}
            self.objects["nodes"][node] = {
                "spec": {
                    "disks": {
                        name: {"path": f"/mnt/{name}", "allowScheduling": True}
                        for name in ("a", "b")
                    }
                },
                "status": {"conditions": READY, "diskStatus": {}},
            }
        self.look()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.look()

    def look(self) -> None:
        for name, node in self.objects["nodes"].items():
            node["status"]["conditions"] = UNREAD if name in self.blind else READY
            if name not in self.blind:
                known = node["status"]["diskStatus"]
                node["status"]["diskStatus"] = {
                    disk: self._judged(known.get(disk, {}), self.found[name][disk])
                    for disk in node["spec"]["disks"]
                }

    def _judged(self, known: Object, found: str | None) -> Object:
        if found is None:
            return {**known, "conditions": UNREAD}
        if known.get("diskUUID", found) != found:
            return {**known, "conditions": REFUSED}
        return {"diskUUID": found, "conditions": READY}

    def patch_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str, patch: Object
    ) -> None:
        node = self.objects["nodes"][name]
        assert set(node["spec"]["disks"]) == set(node["status"]["diskStatus"]), "the webhook's rule"
        for disk, entry in patch["spec"]["disks"].items():
            assert entry is not None or not node["spec"]["disks"][disk]["allowScheduling"]
        self.writes.append(patch["spec"]["disks"])
        super().patch_namespaced_custom_object(_g, _v, _n, plural, name, patch)

    def put_replica(self, name: str, volume: str, uuid: str, **spec: str) -> None:
        given = {"volumeName": volume, "diskID": uuid, "healthyAt": "then", "failedAt": "", **spec}
        self.objects["replicas"][name] = {"spec": given}

    def disks(self, node: str = "node-1") -> dict[str, Object]:
        return self.objects["nodes"][node]["spec"]["disks"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ManagedCluster:
    made = ManagedCluster()
    monkeypatch.setattr(
        waiting, "SYSTEM_CLOCK", Clock(now=lambda: made.seconds, sleep=lambda s: made.sleep(s))
    )
    return made


def renew(
    cluster: Any, *paths: str, moved: tuple[str, ...] = (), given_up: tuple[str, ...] = ()
) -> None:
    renew_disks(
        cluster, "node-1", set(paths), moved=set(moved), given_up=given_up, timeout_seconds=300
    )


def test_a_replaced_disk_leaves_so_that_it_can_come_again(cluster: ManagedCluster) -> None:
    cluster.found["node-1"]["a"] = "new"
    renew(cluster, "/mnt/a")
    assert set(cluster.disks()) == {"b"}
    assert "a" not in cluster.objects["nodes"]["node-1"]["status"]["diskStatus"]


def test_its_replicas_go_if_their_volumes_have_another_one(cluster: ManagedCluster) -> None:
    cluster.put_replica("gone", "data", "node-1-a", failedAt="now")
    cluster.put_replica("kept", "data", "node-2-a")
    cluster.put_replica("other", "logs", "node-1-b")
    cluster.found["node-1"]["a"] = "new"
    renew(cluster, "/mnt/a")
    assert set(cluster.objects["replicas"]) == {"kept", "other"}


@pytest.mark.parametrize(
    "other",
    [
        None,
        {"uuid": "node-2-a", "failedAt": "now"},
        {"uuid": "node-2-a", "healthyAt": ""},
        {"uuid": "node-1-a"},
        {"uuid": "unknown"},
    ],
    ids=["no other", "failed", "never complete", "on the same disk", "on a disk that is gone"],
)
def test_the_last_intact_replica_of_a_volume_stops_it_before_anything(
    cluster: ManagedCluster, other: dict[str, str] | None
) -> None:
    cluster.put_replica("r1", "data", "node-1-a")
    if other is not None:
        cluster.put_replica("r2", "data", **other)
    cluster.found["node-1"]["a"] = "new"
    with pytest.raises(RuntimeError, match=r"/mnt/a, and no intact replica is left of data\. Noth"):
        renew(cluster, "/mnt/a")
    assert cluster.writes == []
    assert cluster.deleted == []


def test_a_replica_on_a_node_that_is_down_counts_for_nothing(cluster: ManagedCluster) -> None:
    """Its disks stay Ready in Longhorn, since nobody is there to say otherwise."""
    cluster.put_replica("r1", "data", "node-1-a")
    cluster.put_replica("r2", "data", "node-2-a")
    cluster.found["node-1"]["a"] = "new"
    cluster.blind.add("node-2")
    with pytest.raises(RuntimeError, match="no intact replica is left of data"):
        renew(cluster, "/mnt/a")
    assert cluster.writes == []
    assert cluster.deleted == []


def test_a_volume_that_was_given_up_by_name_stops_nothing_and_keeps_its_record(
    cluster: ManagedCluster,
) -> None:
    """Without any record of a replica, Longhorn would make the volume again, and empty."""
    cluster.put_replica("r1", "data", "node-1-a")
    cluster.put_replica("r2", "logs", "node-1-a")
    cluster.put_replica("r3", "logs", "node-2-a")
    cluster.found["node-1"]["a"] = "new"
    with pytest.raises(RuntimeError, match="left of data"):
        renew(cluster, "/mnt/a", given_up=("logs", "another"))
    renew(cluster, "/mnt/a", given_up=("data",))
    assert set(cluster.disks()) == {"b"}
    assert set(cluster.objects["replicas"]) == {"r1", "r3"}


def test_a_replica_on_another_disk_that_was_replaced_too_counts_for_nothing(
    cluster: ManagedCluster,
) -> None:
    cluster.put_replica("r1", "data", "node-1-a")
    cluster.put_replica("r2", "data", "node-2-a")
    cluster.found["node-1"]["a"] = cluster.found["node-2"]["a"] = "new"
    with pytest.raises(RuntimeError, match="no intact replica is left of data"):
        renew(cluster, "/mnt/a")


def test_a_file_system_that_longhorn_still_knows_stays(cluster: ManagedCluster) -> None:
    renew(cluster, "/mnt/a")
    assert set(cluster.disks()) == {"a", "b"}
    assert cluster.writes == []


def test_a_disk_that_longhorn_only_sees_later_is_renewed_all_the_same(
    cluster: ManagedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        ManagedCluster.sleep(cluster, seconds)
        cluster.found["node-1"]["a"] = "new" if cluster.seconds > 40 else "node-1-a"

    monkeypatch.setattr(cluster, "sleep", sleep)
    renew(cluster, "/mnt/a")
    assert set(cluster.disks()) == {"b"}


@pytest.mark.parametrize("trouble", ["unread disk", "no manager"])
def test_without_longhorns_word_nothing_is_concluded(cluster: ManagedCluster, trouble: str) -> None:
    if trouble == "no manager":
        cluster.blind.add("node-1")
    else:
        cluster.found["node-1"]["a"] = None
    with pytest.raises(TimeoutError, match="Longhorn's look at node-1"):
        renew(cluster, "/mnt/a")
    assert cluster.writes == []


def test_replicas_of_a_disk_that_only_moved_are_kept(cluster: ManagedCluster) -> None:
    cluster.put_replica("r1", "data", "node-1-a")
    cluster.put_replica("r2", "logs", "node-1-b")
    cluster.found["node-1"] = {"a": "node-1-b", "b": "node-1-a"}
    renew(cluster, "/mnt/a", "/mnt/b", moved=("/mnt/a", "/mnt/b"))
    assert cluster.disks() == {}
    assert set(cluster.objects["replicas"]) == {"r1", "r2"}


def test_replicas_of_a_disk_that_was_put_into_another_node_are_kept(
    cluster: ManagedCluster,
) -> None:
    cluster.put_replica("r1", "data", "node-1-a")
    cluster.found["node-1"]["a"] = "new"
    cluster.disks("node-2")["from-node-1"] = {"path": "/mnt/c", "allowScheduling": True}
    cluster.found["node-2"]["from-node-1"] = "node-1-a"
    cluster.look()
    renew(cluster, "/mnt/a")
    assert set(cluster.disks()) == {"b"}
    assert set(cluster.objects["replicas"]) == {"r1"}


@pytest.mark.parametrize("absent", ["entry", "node", "Longhorn"])
def test_what_longhorn_does_not_have_needs_nothing(cluster: ManagedCluster, absent: str) -> None:
    take: dict[str, Callable[[], Any]] = {
        "entry": lambda: cluster.disks().pop("a"),
        "node": lambda: cluster.objects["nodes"].pop("node-1"),
        "Longhorn": cluster.objects.clear,
    }
    take[absent]()
    renew(cluster, "/mnt/a")
    assert cluster.writes == []


@pytest.mark.parametrize(
    ("old", "new", "changed", "moved"),
    [
        ({"/a": "1"}, {"/a": "1"}, set(), set()),
        ({"/a": "1"}, {"/a": "2"}, {"/a"}, set()),
        ({"/a": None}, {"/a": "2"}, set(), set()),
        ({"/a": "1"}, {"/a": None}, set(), set()),
        ({}, {"/a": "2"}, set(), set()),
        ({"/a": "1"}, {}, set(), set()),
        ({"/a": "1", "/b": "2"}, {"/a": "2", "/b": "1"}, {"/a", "/b"}, {"/a", "/b"}),
        ({"/a": "1"}, {"/a": "2", "/b": "1"}, {"/a"}, {"/a"}),
    ],
    ids=[
        "the same",
        "replaced",
        "a state from before",
        "a stage that is off",
        "added",
        "removed",
        "exchanged",
        "moved, and another in its place",
    ],
)
def test_which_mount_points_have_another_file_system(
    old: dict[str, Any], new: dict[str, Any], changed: set[str], moved: set[str]
) -> None:
    def disks(uuids: dict[str, Any]) -> dict[str, Any]:
        return {path: {"uuid": uuid} for path, uuid in uuids.items()}

    assert changed_file_systems(disks(old), disks(new)) == (changed, moved)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"reason": "NoDiskInfo", "message": "no longhorn-disk.cfg\n"}, "no longhorn-disk.cfg"),
        ({"reason": "NoDiskInfo", "message": ""}, "NoDiskInfo"),
        ({}, "not looked at yet"),
    ],
)
def test_a_disk_is_told_in_longhorns_own_words(condition: dict[str, str], said: str) -> None:
    status = {"conditions": [{"type": "Ready", "status": "False", **condition}]}
    node = {"spec": {"disks": {"a": {"path": "/mnt/a"}}}, "status": {"diskStatus": {"a": status}}}
    assert verdicts(node, ["/mnt/a"])["/mnt/a"].said == said
