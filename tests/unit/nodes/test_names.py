"""A name that Kubernetes does not have is reported with the one that was meant."""

import pytest

from components.nodes.names import missing_node, near_miss


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("node2", ["node1.example.com", "node2.example.com"], "node2.example.com"),
        ("node2.example.com", ["node1", "node2"], "node2"),
        ("Node-3", ["node-3"], "node-3"),
        ("worker-01", ["worker-1", "control"], "worker-1"),
        ("node-three", [], None),
        ("a", ["storage-server"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert near_miss(name, known) == expected


def test_only_the_first_ten_of_many_names_are_listed() -> None:
    found, _ = missing_node("x", [f"worker-{number:02}" for number in range(30)])
    assert "worker-09 and 20 more" in found
