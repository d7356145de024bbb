"""Mount points that change on several nodes at once."""

from typing import Any

from components.preflight.moved_disks import check_moved_disks
from components.preflight.nodes import NodeToCheck
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, answer
from tests.unit.doubles.a_storage import a_storage


def _node(name: str, **moved: str) -> NodeToCheck:
    paths = {f"/mnt/{path}": former for path, former in moved.items()}
    stages = StageSettings()
    return NodeToCheck(name=name, answer=answer(), disks=[SDB], stages=stages, moved=paths)


def _replica(node: str, path: str) -> dict[str, Any]:
    return {"metadata": {"name": node}, "spec": {"nodeID": node, "diskPath": path}}


_TWO = [_node("one", new="/mnt/old"), _node("two", new="/mnt/old")]


def test_disks_with_replicas_move_on_one_node_after_another() -> None:
    storage = a_storage(replicas=[_replica("one", "/mnt/old"), _replica("two", "/mnt/old/")])
    (result,) = check_moved_disks(_TWO, storage)
    assert (result.check, result.severity) == ("movedDisks", "error")
    assert "one (/mnt/old to /mnt/new), two (/mnt/old to /mnt/new)" in result.found


def test_those_without_replicas_move_together() -> None:
    other = a_storage(replicas=[_replica("one", "/mnt/old"), _replica("two", "/mnt/else")])
    for storage in (a_storage(), other, None):
        assert list(check_moved_disks(_TWO, storage)) == []


def test_several_disks_of_one_node_move_together() -> None:
    replicas = [_replica("one", path) for path in ("/mnt/old", "/mnt/older")]
    nodes = [_node("one", new="/mnt/old", newer="/mnt/older"), _node("two")]
    assert list(check_moved_disks(nodes, a_storage(replicas=replicas))) == []
