"""A node whose host is gone for good leaves the stack, while nothing can be run on it any more."""

from collections.abc import Iterator
from typing import Any

import pytest

from lab.cluster import kubernetes
from lab.hosts import hosts
from tests.engine.engine import Engine, Outcome, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import mounts, on_host

pytestmark = needs_longhorn
NODES = "longhorn-rancher:nodes"


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(3) as started:
        yield started


@pytest.fixture(scope="module")
def config(lab: LonghornLab) -> dict[str, Any]:
    return lab.config()


@pytest.fixture(scope="module")
def stack(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three nodes, the third of which has lost its power for good."""
    stack = Engine(tmp_path_factory.mktemp("lost") / "engine").project_stack("lost", config=config)
    stack.up(seconds=900).or_fail()
    hosts.power_off("node-3")
    yield stack
    stack.destroy(seconds=900).or_fail()


def lost(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of the stack file with the third marked."""
    *present, third = config[NODES]
    return [*present, {**third, "lost": True}]


def commands(outcome: Outcome) -> set[str]:
    """What was run on hosts, by resource and operation."""
    return {
        f"{step.operation} {step.name}"
        for step in outcome.steps
        if step.type == "command:remote:Command" and step.operation not in ("same", "read")
    }


def nodes_in_longhorn(lab: LonghornLab) -> set[str]:
    return {item["metadata"]["name"] for item in lab.objects("nodes.longhorn.io", "-n", LONGHORN)}


def test_a_lost_node_that_kubernetes_still_has_is_not_given_up(
    stack: Stack, config: dict[str, Any]
) -> None:
    stack.configure({"nodes": lost(config)})
    refused = stack.up()
    assert not refused.succeeded
    assert "kubectl delete node node-3" in refused.errors()


def test_a_lost_node_leaves_longhorn_and_the_stack_without_an_answer_over_ssh(
    stack: Stack, config: dict[str, Any], lab: LonghornLab
) -> None:
    lab.kubectl("delete", "node", "node-3")
    stack.configure({"nodes": lost(config)})
    marked = stack.up().or_fail()
    assert commands(marked) == set()
    assert nodes_in_longhorn(lab) == {"node-1", "node-2"}
    previewed = stack.preview().or_fail()
    assert previewed.operations() == {}
    assert "node-3 could not be read" not in previewed.log
    stack.configure({"nodes": config[NODES][:2]})
    removed = stack.up().or_fail()
    assert not any("node-3" in resource["urn"] for resource in stack.resources())
    assert all("node-3" in each for each in commands(removed))
    assert stack.preview().or_fail().operations() == {}
    for host in lab.hosts[:2]:
        assert len(mounts(host)) == 2


def test_a_host_that_comes_back_is_a_node_again_with_its_old_disks(
    stack: Stack, config: dict[str, Any], lab: LonghornLab
) -> None:
    hosts.reboot("node-3")
    before = on_host(lab.hosts[2], "blkid -o value -s UUID /dev/sdb /dev/sdc").split()
    kubernetes.up([host.name for host in lab.hosts])
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=600).or_fail()
    assert sorted(mounts(lab.hosts[2]).values()) == sorted(before)
    assert nodes_in_longhorn(lab) == {"node-1", "node-2", "node-3"}
