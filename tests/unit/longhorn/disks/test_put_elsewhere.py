"""A disk of Longhorn's that is Ready somewhere else has moved, and nowhere else has not."""

from typing import Any

import pytest

from components.longhorn.disks.renewal_rules import put_elsewhere


def _node(name: str, path: str, uuid: str, *, ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": name},
        "spec": {"disks": {"disk-1": {"path": path}}},
        "status": {"diskStatus": {"disk-1": {"diskUUID": uuid, "conditions": conditions}}},
    }


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (_node("node-1", "/a", "u"), set()),
        (_node("node-1", "/b", "u"), {"u"}),
        (_node("node-2", "/a", "u"), {"u"}),
        (_node("node-2", "/a", "u", ready=False), set()),
        (_node("node-2", "/a", "another"), set()),
    ],
    ids=[
        "where it was",
        "at another path of its node",
        "in another node",
        "in another node that can't read it",
        "another disk in another node",
    ],
)
def test_a_disk_has_moved_where_longhorn_has_it_ready_at_another_place(
    node: dict[str, Any], expected: set[str]
) -> None:
    assert put_elsewhere({"u"}, [node], "node-1", {"/a"}) == expected
