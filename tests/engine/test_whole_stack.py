"""The whole program on the whole lab: hosts, a real API server with the real chart, Docker.

What can't run on one machine is played by the lab's stand-ins: kubelets, Longhorn's manager,
Rancher and its agent. The engine, its plugins, the chart and Helm, SSH, disks and containers are
real. The tests of this module share one stack and follow one another, as a person's day would.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.cluster import kubernetes
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.hosts import hosts
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_whole_lab
from tests.engine.process_list import watching
from tests.engine.program_lab import file_hash, mounts, node, on_host, write_file
from tests.engine.whole_lab import LONGHORN, WholeLab, whole_config, whole_lab

ADMIN_PASSWORD = "an-unmistakable-password"  # noqa: S105

pytestmark = needs_whole_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[WholeLab]:
    with whole_lab() as made:
        yield made


@pytest.fixture(scope="module")
def config(lab: WholeLab) -> dict[str, Any]:
    return whole_config(lab)


@pytest.fixture(scope="module")
def stack(
    lab: WholeLab, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack, brought up from nothing."""
    engine = Engine(tmp_path_factory.mktemp("whole") / "engine")
    stack = engine.project_stack(
        "whole", config=config, secrets={"rancherAdminPassword": ADMIN_PASSWORD}
    )
    previewed = stack.preview("--diff").or_fail()
    assert ADMIN_PASSWORD not in previewed.log
    key_line = lab.hosts[0].client_key_path.read_text().splitlines()[1]
    with watching([ADMIN_PASSWORD, key_line]) as seen:
        stack.up("--diff", seconds=900).or_fail()
    assert seen == set(), "a secret stood in a command line"
    yield stack
    stack.destroy(seconds=900).or_fail()
    assert lab.objects("namespaces", "--field-selector", f"metadata.name={LONGHORN}") == []


def test_one_up_leads_from_blank_disks_to_an_active_cluster(stack: Stack, lab: WholeLab) -> None:
    outputs = stack.outputs()
    assert outputs["rancherClusterState"] == "active"
    assert outputs["longhornVersion"] == "1.5.3"
    assert outputs["defaultStorageClass"] == "longhorn"
    for host in lab.hosts:
        assert mounts(host) == {
            disk["mountPoint"]: disk["uuid"] for disk in outputs["disks"][host.name]
        }


def test_longhorn_holds_every_disk_ready_and_schedulable(stack: Stack, lab: WholeLab) -> None:
    del stack
    found = lab.objects("nodes.longhorn.io", "-n", LONGHORN)
    assert [item["metadata"]["name"] for item in found] == [host.name for host in lab.hosts]
    for item in found:
        assert {disk["path"] for disk in item["spec"]["disks"].values()} == {
            "/mnt/longhorn-sdb",
            "/mnt/longhorn-sdc",
        }
        for status in item["status"]["diskStatus"].values():
            states = {each["type"]: each["status"] for each in status["conditions"]}
            assert states["Ready"] == states["Schedulable"] == "True"


def test_the_volume_check_reports_and_leaves_nothing_behind(stack: Stack, lab: WholeLab) -> None:
    report = stack.outputs()["volumeCheck"]
    assert report["storageClass"] == "longhorn"
    assert report["size"] == "10Mi"
    assert report["seconds"] > 0
    for kind in ("jobs", "persistentvolumeclaims", "configmaps"):
        names = [item["metadata"]["name"] for item in lab.objects(kind, "-n", LONGHORN)]
        assert not [name for name in names if name.startswith("volume-check")]
    assert lab.objects("persistentvolumes") == []


def test_a_preview_right_after_up_shows_no_change_also_after_a_refresh(stack: Stack) -> None:
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_no_secret_stands_in_plain_text_in_state_or_logs(stack: Stack, lab: WholeLab) -> None:
    outputs = stack.outputs()
    # That of the import manifest, and Rancher's own second one.
    tokens = [
        base64.b64decode(item["data"]["token"]).decode()
        for item in lab.objects("secrets", "-n", "cattle-system")
        if item["metadata"]["name"].startswith("cattle-credentials-")
    ]
    assert tokens
    key = lab.hosts[0].client_key_path.read_text().splitlines()[1]
    state = json.dumps(stack.export())
    log = stack.up("--diff").or_fail().log
    for secret in (ADMIN_PASSWORD, outputs["rancherBootstrapPassword"], key, *tokens):
        assert len(secret) > 10
        assert secret not in state
        assert secret not in log


def test_the_admin_password_is_not_in_the_container_or_its_log(stack: Stack, lab: WholeLab) -> None:
    del stack
    for words in (("inspect", "test-rancher"), ("logs", "test-rancher"), ("top", "test-rancher")):
        said = docker_engine.command(lab.docker, *words)
        assert ADMIN_PASSWORD not in str(said)


def test_changes_by_hand_show_after_a_refresh_and_up_puts_them_right(
    stack: Stack, lab: WholeLab
) -> None:
    lab.kubectl("label", "node", "node-1", "node.longhorn.io/create-default-disk-")
    lab.kubectl(
        "annotate", "--overwrite", "node", "node-2", "node.longhorn.io/default-disks-config=[]"
    )
    lab.kubectl(
        "patch",
        "service",
        "longhorn-ui",
        "-n",
        LONGHORN,
        "--type=merge",
        "-p",
        '{"spec":{"selector":{"app":"somebody-else"}}}',
    )
    stack.refresh().or_fail()
    outcome = stack.up("--diff").or_fail()
    touched = {step.name for step in outcome.steps if step.operation == "update"}
    assert {"longhorn-frontend-service", "node-1-labels-patch", "node-2-labels-patch"} <= touched
    service = json.loads(lab.kubectl("get", "svc", "longhorn-ui", "-n", LONGHORN, "-o", "json"))
    assert service["spec"]["selector"] == {"app": "longhorn-ui"}
    assert stack.preview().or_fail().operations() == {}


def test_an_added_node_touches_only_itself_and_the_wait_for_longhorn(
    stack: Stack, lab: WholeLab, config: dict[str, Any]
) -> None:
    added = hosts.add_host("node-4")
    kubernetes.up([*(host.name for host in lab.hosts), added.name])
    nodes = [*config["longhorn-rancher:nodes"], node(added)]
    stack.configure({"nodes": nodes})
    outcome = stack.up(seconds=600).or_fail()
    others = {
        step.name: step.detail
        for step in outcome.steps
        if step.operation not in ("same", "read")
        and not step.type.startswith("pulumi:providers:")
        and not step.name.startswith("node-4")
    }
    scripts = {"node-scripts", "node-scripts-for-removal"}
    assert set(others) <= {"longhorn-node-4-disks", "longhorn-ready", *scripts}, others
    assert len(mounts(added)) == 2
    assert stack.preview().or_fail().operations() == {}


def test_an_added_disk_reaches_longhorn_and_a_removed_one_leaves_it(
    stack: Stack, lab: WholeLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    hosts.add_disk(host.name)
    first, *others = config["longhorn-rancher:nodes"]
    disks = config["longhorn-rancher:nodeDefaults"]["disks"]
    added = {"device": "/dev/sdd", "mountPoint": "/mnt/longhorn-sdd", "tags": ["new"]}
    stack.configure({"nodes": [{**first, "disks": [*disks, added]}, *others]})
    stack.up(seconds=600).or_fail()
    assert "/mnt/longhorn-sdd" in lab.longhorn_disks(host.name)
    assert lab.longhorn_disks(host.name)["/mnt/longhorn-sdd"]["tags"] == ["new"]
    written = write_file(host, "/mnt/longhorn-sdd/data")
    stack.configure({"nodes": config["longhorn-rancher:nodes"]})
    stack.up(seconds=600).or_fail()
    assert set(lab.longhorn_disks(host.name)) == {disk["mountPoint"] for disk in disks}
    assert "/mnt/longhorn-sdd" not in mounts(host)
    on_host(host, "mount /dev/sdd /media")
    assert file_hash(host, "/media/data") == written
    on_host(host, "umount /media")
    assert stack.preview().or_fail().operations() == {}


def test_a_volume_keeps_destroy_from_touching_rancher_too(stack: Stack, lab: WholeLab) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "longhorn",
            "resources": {"requests": {"storage": "10Mi"}},
        },
    }
    lab.kubectl("apply", "-f", "-", text=json.dumps(claim))
    lab.kubectl(
        *("wait", "pvc/data", "-n", "default", "--timeout=60s"),
        "--for=jsonpath={.status.phase}=Bound",
    )
    outcome = stack.destroy(seconds=600)
    assert not outcome.succeeded
    assert "claim default/data" in outcome.errors()
    assert {step.name for step in outcome.steps} == {"removal-guard"}
    lab.kubectl("delete", "pvc", "data", "-n", "default")
    wait_until(lambda: not lab.objects("pv"), doing="the volume is gone", seconds=60)
    # It is only the first thing that the engine would have deleted: everything is as it was.
    assert stack.preview().or_fail().operations() == {}


def test_destroy_keeps_the_data_and_up_again_adopts_it(stack: Stack, lab: WholeLab) -> None:
    before = mounts(lab.hosts[0])
    written = write_file(lab.hosts[0], "/mnt/longhorn-sdb/data")
    stack.destroy(seconds=900).or_fail()
    assert mounts(lab.hosts[0]) == {}
    assert lab.objects("namespaces", "--field-selector", f"metadata.name={LONGHORN}") == []
    stack.up(seconds=900).or_fail()
    assert mounts(lab.hosts[0]) == before
    assert file_hash(lab.hosts[0], "/mnt/longhorn-sdb/data") == written
    assert stack.outputs()["rancherClusterState"] == "active"
