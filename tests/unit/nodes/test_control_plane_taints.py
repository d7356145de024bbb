"""Which taints are taken off: NoSchedule of the two control-plane keys, and no other."""

import pytest

from components.nodes.control_plane_taints import without_control_plane_taints

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_MASTER = "node-role.kubernetes.io/master"


@pytest.mark.parametrize("key", [_CONTROL_PLANE, _MASTER])
def test_both_keys_of_control_plane_nodes_are_taken_off(key: str) -> None:
    assert without_control_plane_taints([{"key": key, "effect": "NoSchedule"}]) == []


@pytest.mark.parametrize(
    "taint",
    [
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
        {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"},
        {"key": _CONTROL_PLANE, "effect": "NoExecute"},
        {"key": _MASTER, "effect": "PreferNoSchedule"},
        {"key": "node-role.kubernetes.io/etcd", "effect": "NoSchedule"},
    ],
    ids=lambda taint: f"{taint['key'].split('/')[-1]}-{taint['effect']}",
)
def test_every_other_taint_stays_as_it_is(taint: dict[str, str]) -> None:
    both = [{"key": _MASTER, "effect": "NoSchedule"}, taint]
    assert without_control_plane_taints(both) == [taint]


def test_the_order_of_the_other_taints_is_kept() -> None:
    others = [{"key": name, "effect": "NoSchedule"} for name in ("c", "a", "b")]
    mixed = [others[0], {"key": _CONTROL_PLANE, "effect": "NoSchedule"}, *others[1:]]
    assert without_control_plane_taints(mixed) == others
    assert len(mixed) == 4, "the list that was given is not changed"
