"""A disk of Longhorn's that is Ready somewhere else has moved, and nowhere else has not."""

from typing import Any

import pytest

from components.longhorn.disks.renewal_rules import put_elsewhere


def _node(
    name: str, path: str, uuid: str, *, ready: bool = True, is_up: bool = True
) -> dict[str, Any]:
    def conditions(is_ready: bool) -> list[dict[str, str]]:
        return [{"type": "Ready", "status": str(is_ready)}]

    return {
        "metadata": {"name": name},
        "spec": {"disks": {"disk-1": {"path": path}}},
        "status": {
            "conditions": conditions(is_up),
            "diskStatus": {"disk-1": {"diskUUID": uuid, "conditions": conditions(ready)}},
        },
    }


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (_node("node-1", "/a", "u"), set()),
        (_node("node-1", "/b", "u"), {"u"}),
        (_node("node-2", "/a", "u"), {"u"}),
        (_node("node-2", "/a", "u", ready=False), set()),
        (_node("node-2", "/a", "u", is_up=False), set()),
        (_node("node-2", "/a", "another"), set()),
    ],
    ids=[
        "where it was",
        "at another path of its node",
        "in another node",
        "in another node that can't read it",
        "in another node that is down",
        "another disk in another node",
    ],
)
def test_a_disk_has_moved_where_longhorn_has_it_ready_at_another_place(
    node: dict[str, Any], expected: set[str]
) -> None:
    assert put_elsewhere({"u"}, [node], "node-1", {"/a"}) == expected
