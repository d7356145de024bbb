"""A host is the machine that Kubernetes has under the node's name."""

from collections.abc import Mapping

import pytest

from components.preflight.cluster_facts import ClusterNode
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult
from components.preflight.wrong_host import check_hosts
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, answer


def _found(hostname: str, boot_id: str | None, known: Mapping[str, str]) -> list[CheckResult]:
    node = NodeToCheck(
        name="node-1",
        answer=answer(hostname=hostname, bootId=boot_id),
        disks=[SDB],
        stages=StageSettings(),
    )
    return list(
        check_hosts([node], {name: ClusterNode(boot_id=boot) for name, boot in known.items()})
    )


def test_the_address_of_another_node_is_refused_with_that_node_s_name() -> None:
    (result,) = _found("node-2", "b", {"node-1": "a", "node-2": "b"})
    assert (result.node, result.check, result.severity) == ("node-1", "wrongHost", "error")
    assert "is the node node-2" in result.found
    assert "nodes[].host" in result.remedy


def test_a_machine_that_is_in_no_cluster_is_refused_with_its_own_name() -> None:
    (result,) = _found("database", "c", {"node-1": "a", "node-2": "b"})
    assert "calls itself database" in result.found


@pytest.mark.parametrize(
    ("hostname", "boot_id", "known"),
    [
        ("node-1", "a", {"node-1": "a"}),
        # Hosts that share a kernel, such as containers.
        ("any-name", "a", {"node-1": "a", "node-2": "a"}),
        # Started again, and the kubelet has not reported yet.
        ("node-1.example.com", "c", {"node-1": "a"}),
        ("NODE-1", "c", {"node-1": "a"}),
        ("any-name", None, {"node-1": "a"}),
        ("any-name", "c", {"node-1": ""}),
        ("any-name", "c", {}),
    ],
)
def test_nothing_is_concluded_where_nothing_tells_the_machines_apart(
    hostname: str, boot_id: str | None, known: Mapping[str, str]
) -> None:
    assert _found(hostname, boot_id, known) == []
