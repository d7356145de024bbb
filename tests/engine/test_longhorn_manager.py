"""Longhorn's own manager judges what the program makes of a node's disks.

The real longhorn-manager runs on every host of the lab, with its webhooks, and the real uninstall
at the end. What it needs containers for (engines, the CSI driver, volumes) is not looked at. The
tests share one stack and follow one another.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes.client import (
    AdmissionregistrationV1Api,
    ApiClient,
    ApiextensionsV1Api,
    CoreV1Api,
    CustomObjectsApi,
    StorageV1Api,
)
from kubernetes.config import new_client_from_config

from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.common.waiting import wait_until
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from lab.longhorn import chart
from lab.longhorn.manager.choice import REAL
from lab.stack import LabParts, stack_config
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_longhorn_manager
from tests.engine.program_lab import file_hash, mounts, node, on_host, replaced, write_file

pytestmark = needs_longhorn_manager

NODES = "longhorn-rancher:nodes"
MOUNT_POINTS = ("/mnt/longhorn-sdb", "/mnt/longhorn-sdc")
# The manager looks at its disks every 30 s.
_JUDGED_SECONDS = 120.0
_UP_SECONDS = 900


@dataclass(frozen=True)
class DiskStates:
    """The status of the disks of one node, by path; true even if there is none."""

    disks: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class JudgedLab:
    """Hosts, and the cluster on which Longhorn's manager says what it thinks of their disks."""

    hosts: list[HostHandle]
    cluster: ClusterHandle
    client: ApiClient

    def disks(self, host: str) -> dict[str, dict[str, Any]]:
        """The status of each disk of a node, by path, once Longhorn has made it follow the spec."""
        return wait_until(
            lambda: self._disks(host),
            doing=f"waiting until Longhorn has looked at the disks of {host}",
            seconds=_JUDGED_SECONDS,
        ).disks

    def _disks(self, host: str) -> "DiskStates | None":
        found: Any = CustomObjectsApi(self.client).get_namespaced_custom_object(
            "longhorn.io", "v1beta2", "longhorn-system", "nodes", host
        )
        paths = {name: disk["path"] for name, disk in (found["spec"].get("disks") or {}).items()}
        states = found["status"].get("diskStatus") or {}
        if set(states) != set(paths):
            return None
        return DiskStates({paths[name]: state for name, state in states.items()})

    def judgement(self, host: str, path: str) -> dict[str, str]:
        """The conditions of one disk: status by type."""
        conditions = self.disks(host)[path]["conditions"]
        return {each["type"]: each["status"] for each in conditions}


@pytest.fixture(scope="module")
def lab() -> Iterator[JudgedLab]:
    """Two hosts with a real longhorn-manager each, once the chart is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_LONGHORN", "real")
        try:
            started = hosts.up(2)
            cluster = kubernetes.up([host.name for host in started])
            assert kubernetes.status().processes[REAL]
            with new_client_from_config(str(cluster.kubeconfig)) as client:
                yield JudgedLab(started, cluster, client)
        finally:
            kubernetes.down()
            hosts.down()


@pytest.fixture(scope="module")
def config(lab: JudgedLab) -> dict[str, Any]:
    parts = LabParts(
        hosts=lab.hosts,
        kubeconfig=lab.cluster.kubeconfig,
        docker_host=None,
        chart=chart.local_chart(),
    )
    return stack_config(parts)


@pytest.fixture(scope="module")
def stack(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack, brought up from blank disks."""
    folder = tmp_path_factory.mktemp("judged") / "engine"
    stack = Engine(folder).project_stack("judged", config=config)
    stack.up(seconds=_UP_SECONDS).or_fail()
    return stack


def assert_judged_right(lab: JudgedLab, host: HostHandle, *paths: str) -> None:
    """Longhorn holds exactly these disks, Ready and Schedulable, and means these file systems."""
    judged = lab.disks(host.name)
    assert set(judged) == set(paths)
    assert set(mounts(host)) == set(paths)
    for path, state in judged.items():
        conditions = {each["type"]: each["status"] for each in state["conditions"]}
        assert conditions == {"Ready": "True", "Schedulable": "True"}
        blocks, block_bytes = on_host(host, f"stat --file-system -c '%b %S' {path}").split()
        assert state["storageMaximum"] == int(blocks) * int(block_bytes)
        # Longhorn knows a disk again by the file that it wrote into its file system.
        written = json.loads(on_host(host, f"cat {path}/longhorn-disk.cfg"))
        assert state["diskUUID"] == written["diskUUID"]
    assert len({state["diskUUID"] for state in judged.values()}) == len(paths)


def assert_data_is_on(host: HostHandle, device: str, data: Mapping[str, str]) -> None:
    """The device, which nothing mounts any more, holds these files: hash by name."""
    on_host(host, f"mount {device} /media")
    try:
        assert {name: file_hash(host, f"/media/{name}") for name in data} == data
    finally:
        on_host(host, "umount /media")


def test_every_disk_is_ready_and_schedulable_after_one_up(stack: Stack, lab: JudgedLab) -> None:
    outputs = stack.outputs()
    for host in lab.hosts:
        assert_judged_right(lab, host, *MOUNT_POINTS)
        made = {disk["mountPoint"]: disk["uuid"] for disk in outputs["disks"][host.name]}
        assert mounts(host) == made


def test_a_preview_shows_no_change_also_after_a_refresh(stack: Stack) -> None:
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_an_added_disk_and_an_added_node_are_ready_and_schedulable_too(
    stack: Stack, lab: JudgedLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    hosts.add_disk(host.name)
    added = hosts.add_host("node-3")
    kubernetes.up([*(each.name for each in lab.hosts), added.name])
    first, second = config[NODES]
    disks = [
        *config["longhorn-rancher:nodeDefaults"]["disks"],
        {"device": "/dev/sdd", "mountPoint": "/mnt/longhorn-sdd"},
    ]
    stack.configure({"nodes": [{**first, "disks": disks}, second, node(added)]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert_judged_right(lab, host, *MOUNT_POINTS, "/mnt/longhorn-sdd")
    assert_judged_right(lab, lab.hosts[1], *MOUNT_POINTS)
    assert_judged_right(lab, added, *MOUNT_POINTS)


def test_a_removed_disk_and_those_of_a_removed_node_leave_longhorn_with_their_data(
    stack: Stack, lab: JudgedLab, config: dict[str, Any]
) -> None:
    host, removed = lab.hosts[0], hosts.handle("node-3")
    of_disk = {"data": write_file(host, "/mnt/longhorn-sdd/data")}
    of_node = {"data": write_file(removed, "/mnt/longhorn-sdb/data")}
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert_judged_right(lab, host, *MOUNT_POINTS)
    assert lab.disks(removed.name) == {}
    assert mounts(removed) == {}
    assert_data_is_on(host, "/dev/sdd", of_disk)
    assert_data_is_on(removed, "/dev/sdb", of_node)
    assert stack.preview().or_fail().operations() == {}


def test_a_lost_mount_is_not_ready_and_the_next_up_makes_it_ready_again(
    stack: Stack, lab: JudgedLab
) -> None:
    host, path = lab.hosts[1], MOUNT_POINTS[1]
    before = lab.disks(host.name)[path]["diskUUID"]
    on_host(host, f"umount {path}")
    wait_until(
        lambda: lab.judgement(host.name, path)["Ready"] == "False",
        doing=f"waiting until Longhorn misses {path} of {host.name}",
        seconds=_JUDGED_SECONDS,
    )
    assert lab.judgement(host.name, MOUNT_POINTS[0])["Ready"] == "True"
    assert on_host(host, f"ls -A {path}") == "", "something was written to the root disk"
    stack.up(seconds=_UP_SECONDS).or_fail()
    wait_until(
        lambda: set(lab.judgement(host.name, path).values()) == {"True"},
        doing=f"waiting until Longhorn takes {path} of {host.name} again",
        seconds=_JUDGED_SECONDS,
    )
    assert_judged_right(lab, host, *MOUNT_POINTS)
    assert lab.disks(host.name)[path]["diskUUID"] == before


def test_a_disk_that_was_replaced_by_a_blank_one_is_ready_after_one_up(
    stack: Stack, lab: JudgedLab
) -> None:
    host, path = lab.hosts[1], MOUNT_POINTS[1]
    kept = lab.disks(host.name)[MOUNT_POINTS[0]]["diskUUID"]
    before = lab.disks(host.name)[path]["diskUUID"]
    on_host(host, replaced("/dev/sdc", path))
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert_judged_right(lab, host, *MOUNT_POINTS)
    assert lab.disks(host.name)[path]["diskUUID"] != before
    assert lab.disks(host.name)[MOUNT_POINTS[0]]["diskUUID"] == kept
    assert stack.preview().or_fail().operations() == {}


def test_both_disks_of_a_node_at_once_are_ready_after_one_up(stack: Stack, lab: JudgedLab) -> None:
    host = lab.hosts[1]
    before = {path: disk["diskUUID"] for path, disk in lab.disks(host.name).items()}
    for device, path in zip(("/dev/sdb", "/dev/sdc"), MOUNT_POINTS, strict=True):
        on_host(host, replaced(device, path))
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert_judged_right(lab, host, *MOUNT_POINTS)
    after = {path: disk["diskUUID"] for path, disk in lab.disks(host.name).items()}
    assert not set(before.values()) & set(after.values())
    assert stack.preview().or_fail().operations() == {}


def test_a_file_system_that_only_got_another_uuid_keeps_its_disk(
    stack: Stack, lab: JudgedLab
) -> None:
    host, path = lab.hosts[1], MOUNT_POINTS[1]
    before = lab.disks(host.name)[path]["diskUUID"]
    on_host(host, f"umount {path} && e2fsck -fp /dev/sdc && tune2fs -U random /dev/sdc")
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert_judged_right(lab, host, *MOUNT_POINTS)
    assert lab.disks(host.name)[path]["diskUUID"] == before
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {}, previewed.log


def test_destroy_right_after_a_node_has_left_leaves_nothing_of_longhorn_but_the_data(
    stack: Stack, lab: JudgedLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    data = {"data": write_file(host, "/mnt/longhorn-sdb/data")}
    stack.configure({"nodes": config[NODES][:1]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    # Longhorn has not looked at the node that left yet: its own uninstallation would never end.
    stack.destroy(seconds=_UP_SECONDS).or_fail()
    admission = AdmissionregistrationV1Api(lab.client)
    definitions = ApiextensionsV1Api(lab.client).list_custom_resource_definition().items
    left: list[Any] = [
        *(found for found in definitions if found.spec.group == "longhorn.io"),
        *admission.list_validating_webhook_configuration().items,
        *admission.list_mutating_webhook_configuration().items,
        *StorageV1Api(lab.client).list_storage_class().items,
        *StorageV1Api(lab.client).list_csi_driver().items,
        *CoreV1Api(lab.client).list_namespace(field_selector="metadata.name=longhorn-system").items,
    ]
    assert [found.metadata.name for found in left] == []
    assert mounts(host) == {}
    assert_data_is_on(host, "/dev/sdb", data)
