"""What Longhorn refuses for a moment is asked again; what is forbidden for good is told at once."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn.disks.node_object import Claim, LonghornNodeDisks
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error

SYNCING = (
    '{"message":"admission webhook \\"validator.longhorn.io\\" denied the request: spec and status '
    'of disks on node node-1 are being syncing and please retry later.","code":403}'
)
NO_RIGHT = (
    '{"message":"nodes.longhorn.io \\"node-1\\" is forbidden: User \\"jane\\" cannot patch '
    'resource \\"nodes\\" in API group \\"longhorn.io\\"","code":403}'
)
DISK = {"path": "/mnt/a", "allowScheduling": True}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ACluster:
    """Longhorn has node-1, without a disk."""
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    made = ACluster()
    made.objects["nodes"]["node-1"] = {"spec": {"disks": {}}}
    return made


def _add_disk(cluster: Any) -> None:
    def changes(node: Any) -> dict[str, Any]:
        return {} if "a" in node["spec"]["disks"] else {"a": DISK}

    LonghornNodeDisks(cluster, "node-1").edit(changes, timeout_seconds=60)


def test_an_edit_is_made_again_while_longhorn_still_looks_at_the_disks(cluster: ACluster) -> None:
    cluster.refusals = [api_error(403, SYNCING), api_error(500, "connection refused")]
    _add_disk(cluster)
    assert cluster.objects["nodes"]["node-1"]["spec"]["disks"] == {"a": DISK}
    assert cluster.refusals == []


@pytest.mark.parametrize(
    "closed", [{"allowScheduling": False}, {"allowScheduling": True, "evictionRequested": True}]
)
def test_a_node_with_claimed_disks_is_opened_to_replicas(
    cluster: ACluster, closed: dict[str, Any]
) -> None:
    spec = cluster.objects["nodes"]["node-1"]["spec"]
    spec.update(closed)
    disks = LonghornNodeDisks(cluster, "node-1")  # pyright: ignore[reportArgumentType]
    assert disks.attempt(lambda _node: {}) == []
    assert spec["allowScheduling"] is closed["allowScheduling"]
    claim = Claim(owner="project/one", paths=set())
    assert disks.attempt(lambda _node: {}, claim) != []
    assert (spec["allowScheduling"], spec["evictionRequested"]) == (True, False)
    assert disks.attempt(lambda _node: {}, claim) == []


def test_an_edit_that_the_person_may_not_make_fails_at_once(cluster: ACluster) -> None:
    cluster.refusals = [api_error(403, NO_RIGHT)]
    with pytest.raises(ApiError):
        _add_disk(cluster)
    assert cluster.objects["nodes"]["node-1"]["spec"]["disks"] == {}
