"""A week of one stack: whatever happens to it, afterwards all of it is well.

Longhorn's chart and manager, the plugins, Rancher and its agent are the lab's stand-ins where the
real ones are not there; the engine, SSH, disks and containers are real. The tests of this module
follow one another, and each ends with the same question: is the cluster connected, is every disk
Ready in Longhorn, and does a preview show nothing?
"""

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.rancher.api.client import RancherClient
from components.rancher.registration.activity import why_not_active
from lab.cluster import kubernetes
from lab.docker import engine as docker_engine
from lab.hosts import hosts
from lab.rancher.stand_in import image
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_whole_lab
from tests.engine.program_lab import mounts, node, on_host
from tests.engine.whole_lab import LONGHORN, RANCHER, WholeLab, whole_config, whole_lab

PASSWORD = "another-unmistakable-password"  # noqa: S105
NEXT_PATCH = "v2.8.6"
_QUARTER_SECONDS = 91 * 86400.0
NODES = "longhorn-rancher:nodes"
CLUSTER = "longhorn-rancher:cluster"

pytestmark = needs_whole_lab


class Week:
    """The stack, its lab, and its configuration as the person has it today."""

    def __init__(self, lab: WholeLab, stack: Stack, config: dict[str, Any]) -> None:
        self.lab, self.stack, self.config = lab, stack, config

    def say(self, **sections: Any) -> None:
        """Edit the stack file: whole sections, by their key."""
        self.config = {**self.config, **{f"longhorn-rancher:{k}": v for k, v in sections.items()}}
        self.stack.configure(sections)

    def is_well(self) -> None:
        """Fail unless all of it is well."""
        assert self.stack.preview().or_fail().operations() == {}
        assert self.unconnected() == ""
        assert self.unready() == []
        assert self.stack.outputs()["rancherClusterState"] == "active"

    def unconnected(self) -> str:
        """Why Rancher does not call the cluster connected; empty when it does."""
        outputs = self.stack.outputs()
        with RancherClient(outputs["rancherUrl"], self._ca()) as rancher:
            rancher.accounts.login(PASSWORD)
            return why_not_active(rancher.clusters.get(outputs["rancherClusterId"]))

    def unready(self) -> list[str]:
        """The disks of the stack that Longhorn does not call Ready, or does not have."""
        wanted = {
            f"{name} {disk['mountPoint']}"
            for name, disks in self.stack.outputs()["disks"].items()
            for disk in disks
        }
        ready: set[str] = set()
        for item in self.lab.objects("nodes.longhorn.io", "-n", LONGHORN):
            for key, disk in item["spec"]["disks"].items():
                conditions = item["status"]["diskStatus"].get(key, {}).get("conditions", [])
                if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                    ready.add(f"{item['metadata']['name']} {disk['path']}")
        return sorted(wanted - ready)

    def let_pass(self, seconds: float) -> None:
        """Move Rancher's clock, by which its tokens end."""
        context = ssl.create_default_context(cadata=self._ca())
        address = f"{self.stack.outputs()['rancherUrl']}/lab/clock"
        httpx.post(address, json={"seconds": seconds}, verify=context).raise_for_status()

    def _ca(self) -> str:
        (ca,) = self.stack.resources("pulumi-python:dynamic/rancher:Ca")
        return str(ca["outputs"]["pem"])


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    with whole_lab() as lab:
        config = whole_config(lab)
        _next_patch_of_rancher(lab)
        engine = Engine(tmp_path_factory.mktemp("week") / "engine")
        stack = engine.project_stack(
            "week", config=config, secrets={"rancherAdminPassword": PASSWORD}
        )
        stack.up(seconds=900).or_fail()
        yield Week(lab, stack, config)


def _next_patch_of_rancher(lab: WholeLab) -> None:
    """The image of the next patch version, as a registry would have it."""
    made = docker_engine.command(lab.docker, "create", f"{image.NAME}:v2.8.5")
    change = f"ENV CATTLE_SERVER_VERSION={NEXT_PATCH}"
    reference = f"{image.NAME}:{NEXT_PATCH}"
    docker_engine.command(lab.docker, "commit", "--change", change, made, reference)
    docker_engine.command(lab.docker, "rm", made)


def test_monday_one_up_leads_to_a_stack_that_is_well(week: Week) -> None:
    week.is_well()


def test_a_refresh_finds_nothing_to_do(week: Week) -> None:
    week.stack.refresh().or_fail()
    week.is_well()


def test_an_up_with_refresh_leaves_the_cluster_connected(week: Week) -> None:
    week.stack.up("--refresh", seconds=600).or_fail()
    week.is_well()


def test_tuesday_a_node_is_added(week: Week) -> None:
    added = hosts.add_host("node-4")
    kubernetes.up([*(host.name for host in week.lab.hosts), added.name])
    week.say(nodes=[*week.config[NODES], node(added)])
    week.stack.up(seconds=600).or_fail()
    assert len(mounts(added)) == 2
    week.is_well()


def test_a_typo_in_a_node_s_name_and_its_correction_touch_nothing(week: Week) -> None:
    right = week.config[NODES]
    before = {host.name: mounts(host) for host in week.lab.hosts}
    names = [item["metadata"]["name"] for item in week.lab.objects("nodes")]
    week.say(nodes=[{**e, "name": "node-three"} if e["name"] == "node-3" else e for e in right])
    refused = week.stack.up(seconds=600)
    assert not refused.succeeded
    assert "node-three" in refused.errors()
    assert "node-3" in refused.errors()
    week.say(nodes=right)
    week.stack.up(seconds=600).or_fail()
    assert {host.name: mounts(host) for host in week.lab.hosts} == before
    assert [item["metadata"]["name"] for item in week.lab.objects("nodes")] == names
    week.is_well()


def test_wednesday_a_dead_disk_is_replaced_by_a_blank_one(week: Week) -> None:
    host = week.lab.hosts[1]
    on_host(host, "umount /mnt/longhorn-sdc")
    hosts.remove_disk(host.name, "/dev/sdc")
    assert hosts.add_disk(host.name) == "/dev/sdc"
    week.stack.up(seconds=900).or_fail()
    week.is_well()


def test_thursday_rancher_gets_a_patch(week: Week) -> None:
    week.say(rancher={**week.config[RANCHER], "tag": NEXT_PATCH})
    week.stack.up(seconds=900).or_fail()
    week.is_well()
    week.stack.up("--refresh", seconds=600).or_fail()
    week.is_well()


def test_friday_the_kubeconfig_moves(week: Week, tmp_path_factory: pytest.TempPathFactory) -> None:
    old = week.lab.cluster.kubeconfig
    moved: Path = tmp_path_factory.mktemp("moved") / "kubeconfig"
    shutil.copy(old, moved)
    week.say(cluster={**week.config[CLUSTER], "kubeconfig": str(moved)})
    week.stack.up(seconds=600).or_fail()
    aside = old.rename(old.with_suffix(".aside"))
    try:
        week.stack.refresh().or_fail()
        assert week.stack.preview().or_fail().operations() == {}
    finally:
        aside.rename(old)
    week.is_well()


def test_a_quarter_later_the_token_has_ended_and_the_stack_goes_on(week: Week) -> None:
    week.let_pass(_QUARTER_SECONDS)
    week.stack.refresh().or_fail()
    week.stack.up(seconds=600).or_fail()
    week.is_well()
    week.let_pass(_QUARTER_SECONDS)
    week.stack.up("--refresh", seconds=600).or_fail()
    week.is_well()


def test_destroy_after_another_quarter_leaves_nothing_of_longhorn_and_rancher(week: Week) -> None:
    week.let_pass(_QUARTER_SECONDS)
    week.stack.destroy(seconds=900).or_fail()
    assert all(mounts(host) == {} for host in week.lab.hosts)
    assert week.lab.objects("namespaces", "--field-selector", f"metadata.name={LONGHORN}") == []
    left = [
        item["metadata"]["name"]
        for kind in ("namespaces", "crds", "clusterroles", "clusterrolebindings")
        for item in week.lab.objects(kind)
        if any(word in item["metadata"]["name"] for word in ("cattle", "longhorn"))
    ]
    assert left == []
