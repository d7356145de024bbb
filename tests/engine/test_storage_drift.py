"""What somebody changed in Longhorn shows in the next preview without a refresh; `up` mends it.

With Longhorn's stand-in, and with its own manager where that is there. The tests share one stack.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.nodes.description import ANNOTATION, LABEL
from lab.cluster import kubernetes
from lab.common.waiting import wait_until
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from lab.longhorn.manager import choice
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import DISKS, file_hash, on_host, write_file
from tests.engine.runbook import commands

pytestmark = needs_longhorn

_SDB, _SDC = "/mnt/longhorn-sdb", "/mnt/longhorn-sdc"
_NODES = "longhorn-rancher:nodes"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_UP_SECONDS = 900
_K3S = "/var/lib/rancher/k3s/server/manifests"
_LOCAL_PATH = f"""\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-path
  annotations:
    objectset.rio.cattle.io/owner-gvk: k3s.cattle.io/v1, Kind=Addon
    objectset.rio.cattle.io/owner-name: local-storage
    {_DEFAULT}: "true"
provisioner: rancher.io/local-path
"""
_REAL = pytest.mark.skipif(choice.missing() is not None, reason=str(choice.missing()))


@pytest.fixture(scope="module", params=["stand-in", pytest.param("real", marks=_REAL)])
def lab(request: pytest.FixtureRequest) -> Iterator[LonghornLab]:
    with longhorn_lab(2, request.param) as one:
        yield one


@pytest.fixture(scope="module")
def stack(lab: LonghornLab, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    config = lab.config(defaultSettings={"defaultDataLocality": "best-effort"})
    config[_NODES] = _nodes(lab)
    folder = tmp_path_factory.mktemp("storage") / "engine"
    one = Engine(folder).project_stack("storage", config=config)
    one.up(seconds=_UP_SECONDS).or_fail()
    return one


@pytest.fixture(autouse=True)
def _quiet_afterwards(stack: Stack) -> Iterator[None]:
    """After every repair a preview shows nothing."""
    yield
    assert stack.preview().or_fail().operations() == {}


def test_after_the_first_up_a_preview_shows_nothing_and_tells_of_nothing(stack: Stack) -> None:
    outcome = stack.preview().or_fail()
    assert outcome.operations() == {}
    assert "volumeHealth" not in outcome.log
    assert "longhornDisk" not in outcome.log


def test_a_setting_that_was_changed_is_put_back(stack: Stack, lab: LonghornLab) -> None:
    _patch(lab, "settings", "default-replica-count", {"value": "1"})
    _patch(lab, "settings", "default-data-locality", {"value": "disabled"})
    assert _updated(stack) == {"longhorn-settings"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _setting(lab, "default-replica-count") == "2"
    assert _setting(lab, "default-data-locality") == "best-effort"


def test_a_node_that_was_closed_is_opened(stack: Stack, lab: LonghornLab) -> None:
    name = lab.hosts[0].name
    _patch(lab, "nodes", name, {"spec": {"allowScheduling": False}})
    assert _updated(stack) == {f"longhorn-{name}-disks"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert lab.longhorn_node(name)["spec"]["allowScheduling"] is True


def test_label_and_annotation_that_are_gone_as_from_a_node_that_joined_again_are_put_there(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    lab.kubectl("label", "node", name, f"{LABEL}-")
    lab.kubectl("annotate", "node", name, f"{ANNOTATION}-")
    assert _updated(stack) == {f"{name}-labels-patch"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    metadata = json.loads(lab.kubectl("get", "node", name, "-o", "json"))["metadata"]
    assert metadata["labels"][LABEL] == "config"
    assert _SDB in metadata["annotations"][ANNOTATION]


def test_a_stack_that_has_only_the_labels_puts_one_that_is_gone_back_too(
    stack: Stack, lab: LonghornLab, tmp_path: Path
) -> None:
    """A second stack, for which the disks are somebody else's mounts and Longhorn is as well."""
    name = lab.hosts[0].name
    config = lab.config()
    stages = ("packages", "disks", "longhorn", "frontend", "volumeCheck")
    config["longhorn-rancher:stages"] |= dict.fromkeys(stages, False)
    config[_NODES] = _nodes(lab)
    labels = Engine(tmp_path / "engine").project_stack("labels", config=config)
    labels.up(seconds=_UP_SECONDS).or_fail()
    assert labels.preview().or_fail().operations() == {}
    lab.kubectl("label", "node", name, f"{LABEL}-")
    assert _updated(labels) == {f"{name}-labels-patch"}
    labels.up(seconds=_UP_SECONDS).or_fail()
    assert labels.preview().or_fail().operations() == {}
    # The label is that stack's alone now, and goes with it.
    labels.destroy(seconds=_UP_SECONDS).or_fail()
    assert _updated(stack) == {f"{name}-labels-patch"}
    stack.up(seconds=_UP_SECONDS).or_fail()


def test_a_node_that_joined_again_is_done_when_longhorn_uses_its_disks(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    lab.kubectl("delete", "node", name)
    wait_until(
        lambda: name not in _longhorn_nodes(lab),
        doing="Longhorn forgets the node",
        seconds=180,
    )
    gone = stack.preview()
    assert not gone.succeeded
    assert f"error nodeName: {name}: Kubernetes has no node {name}" in gone.errors()
    kubernetes.up([host.name for host in lab.hosts])
    assert _updated(stack) == {
        f"{name}-labels-patch",
        f"longhorn-{name}-disks",
        f"longhorn-{name}-tags",
    }
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert all(_is_ready(lab, name, path) for path in (_SDB, _SDC))
    assert lab.longhorn_node(name)["spec"]["tags"] == ["fast"]


def _longhorn_nodes(lab: LonghornLab) -> set[str]:
    found = lab.objects("nodes.longhorn.io", "-n", LONGHORN)
    return {each["metadata"]["name"] for each in found}


def test_a_node_under_maintenance_is_closed_until_the_line_is_gone(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    first, second = _nodes(lab)
    stack.configure({_NODES: [{**first, "maintenance": True}, second]})
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert f"{name}: every volume has an intact replica on another node" in outcome.log
    assert lab.longhorn_node(name)["spec"]["allowScheduling"] is False
    quiet = stack.preview().or_fail()
    assert quiet.operations() == {}
    assert f"warning maintenance: {name}: closed to replicas" in quiet.log
    _patch(lab, "nodes", name, {"spec": {"allowScheduling": True}})
    assert _updated(stack) == {f"longhorn-{name}-disks"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert lab.longhorn_node(name)["spec"]["allowScheduling"] is False
    stack.configure({_NODES: [first, second]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert lab.longhorn_node(name)["spec"]["allowScheduling"] is True


def test_a_node_that_somebody_uncordoned_during_its_maintenance_is_cordoned_again(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    first, second = _nodes(lab)
    stack.configure({_NODES: [{**first, "maintenance": "cordon"}, second]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _is_cordoned(lab, name)
    assert stack.preview().or_fail().operations() == {}
    lab.kubectl("uncordon", name)
    assert _updated(stack) == {f"longhorn-{name}-disks"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _is_cordoned(lab, name)
    stack.configure({_NODES: [first, second]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert not _is_cordoned(lab, name)


def test_a_node_that_was_cordoned_by_somebody_else_stays_so_after_its_maintenance(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    first, second = _nodes(lab)
    lab.kubectl("cordon", name)
    stack.configure({_NODES: [{**first, "maintenance": "cordon"}, second]})
    stack.up(seconds=_UP_SECONDS).or_fail()
    stack.configure({_NODES: [first, second]})
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert f"{name}: stays cordoned, since somebody else did that" in outcome.log
    assert _is_cordoned(lab, name)
    lab.kubectl("uncordon", name)


def test_a_disk_that_was_closed_and_given_another_reserve_is_as_before(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[1].name
    disks = lab.longhorn_node(name)["spec"]["disks"]
    (key,) = (key for key, disk in disks.items() if disk["path"] == _SDB)
    before = disks[key]
    changed = {**before, "allowScheduling": False, "storageReserved": 4096}
    _patch(lab, "nodes", name, {"spec": {"disks": {key: changed}}})
    assert _updated(stack) == {f"longhorn-{name}-disks"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert lab.longhorn_disks(name)[_SDB] == before


def test_a_tag_that_was_taken_off_comes_back_and_one_of_somebody_else_stays(
    stack: Stack, lab: LonghornLab
) -> None:
    name = lab.hosts[0].name
    _patch(lab, "nodes", name, {"spec": {"tags": ["own"]}})
    assert _updated(stack) == {f"longhorn-{name}-tags"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert sorted(lab.longhorn_node(name)["spec"]["tags"]) == ["fast", "own"]


def test_a_class_that_is_no_longer_the_default_is_the_default_again(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.kubectl("annotate", "storageclass", "longhorn", f"{_DEFAULT}=false", "--overwrite")
    assert _updated(stack) == {"longhorn-ready"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _default_classes(lab) == {"longhorn"}


def test_what_k3s_makes_the_default_too_is_put_right_and_stays_so_when_k3s_starts_again(
    stack: Stack, lab: LonghornLab
) -> None:
    server = lab.hosts[0]
    on_host(server, f"mkdir -p {_K3S} && cat >{_K3S}/local-storage.yaml", _LOCAL_PATH)
    _start_k3s(lab, server)
    assert _default_classes(lab) == {"longhorn", "local-path"}
    assert _updated(stack) == {"longhorn-ready", f"{server.name}-k3s-default-class-skip"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _default_classes(lab) == {"longhorn"}
    _start_k3s(lab, server)
    assert _default_classes(lab) == {"longhorn"}
    on_host(server, f"rm {_K3S}/local-storage.yaml.skip")
    assert _updated(stack) == {f"{server.name}-k3s-default-class-skip"}
    stack.up(seconds=_UP_SECONDS).or_fail()
    on_host(server, f"test -s {_K3S}/local-storage.yaml.skip")


def test_grow_a_disk_as_the_runbook_says(stack: Stack, lab: LonghornLab) -> None:
    host, size = lab.hosts[1], 2 * hosts.DEFAULT_DISK_BYTES
    written = write_file(host, f"{_SDC}/data")
    before = _disk_status(lab, host.name, _SDC)["storageMaximum"]
    hosts.grow_disk(host.name, "/dev/sdc", size)
    seen = commands("grow-a-disk", "Grow a disk", {"/dev/sdb": "/dev/sdc"})
    assert int(on_host(host, seen)) == size
    assert _updated(stack) >= {f"{host.name}-mnt-longhorn-sdc-mount"}
    told = stack.preview("--diff").or_fail().log
    assert "/dev/sdc got larger: it has 2 GiB, and its file system 1 GiB" in told
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert file_hash(host, f"{_SDC}/data") == written
    wait_until(
        lambda: _disk_status(lab, host.name, _SDC)["storageMaximum"] > 1.8 * before,
        doing="Longhorn sees the larger disk",
        seconds=180,
    )
    assert _is_ready(lab, host.name, _SDC)
    on_host(host, f"rm {_SDC}/data")


def test_a_disk_that_longhorn_does_not_use_is_told_with_longhorns_reason(
    stack: Stack, lab: LonghornLab
) -> None:
    host = lab.hosts[1]
    on_host(host, f"mv {_SDB}/longhorn-disk.cfg {_SDB}/kept")
    try:
        wait_until(
            lambda: not _is_ready(lab, host.name, _SDB),
            doing="Longhorn sees that the disk is another one",
            seconds=180,
        )
        outcome = stack.preview().or_fail()
        assert f"warning longhornDisk: {host.name}: Longhorn's disk {_SDB} is not Ready" in (
            outcome.log
        )
    finally:
        on_host(host, f"mv {_SDB}/kept {_SDB}/longhorn-disk.cfg")
        wait_until(
            lambda: _is_ready(lab, host.name, _SDB),
            doing="Longhorn knows the disk again",
            seconds=180,
        )


def _nodes(lab: LonghornLab) -> list[dict[str, Any]]:
    """The nodes of the stack file: a control plane with a tag, and one with an xfs."""
    first, second = lab.config()[_NODES]
    disks = [DISKS[0], {**DISKS[1], "fileSystem": "xfs"}]
    return [{**first, "controlPlane": True, "tags": ["fast"]}, {**second, "disks": disks}]


def _patch(lab: LonghornLab, plural: str, name: str, changes: object) -> None:
    words = ("patch", f"{plural}.longhorn.io", name, "-n", LONGHORN, "--type=merge")

    def patched() -> bool:
        try:
            lab.kubectl(*words, "-p", json.dumps(changes))
        except AssertionError as error:
            # Longhorn's webhook forbids it for as long as the disks' status is behind.
            if "syncing" not in str(error):
                raise
            return False
        return True

    wait_until(patched, doing=f"{name} is changed by hand", seconds=90)


def _updated(stack: Stack) -> set[str]:
    """What a preview without a refresh would update; it does nothing else."""
    outcome = stack.preview().or_fail()
    assert set(outcome.operations()) == {"update"}
    return {
        step.name for step in outcome.steps if step.stage == "begun" and step.operation == "update"
    }


def _start_k3s(lab: LonghornLab, server: HostHandle) -> None:
    """What K3s does with its manifest at each start (k3s, pkg/deploy/controller.go)."""
    manifest = f"{_K3S}/local-storage.yaml"
    text = on_host(server, f"[ -e {manifest}.skip ] || cat {manifest}")
    if text:
        lab.kubectl("apply", "-f", "-", text=text)


def _default_classes(lab: LonghornLab) -> set[str]:
    return {
        each["metadata"]["name"]
        for each in lab.objects("storageclasses")
        if each["metadata"].get("annotations", {}).get(_DEFAULT) == "true"
    }


def _is_cordoned(lab: LonghornLab, name: str) -> bool:
    (node,) = (each for each in lab.objects("nodes") if each["metadata"]["name"] == name)
    return bool(node["spec"].get("unschedulable"))


def _setting(lab: LonghornLab, name: str) -> str:
    return next(
        each["value"]
        for each in lab.objects("settings.longhorn.io", "-n", LONGHORN)
        if each["metadata"]["name"] == name
    )


def _disk_status(lab: LonghornLab, node: str, path: str) -> dict[str, Any]:
    item = lab.longhorn_node(node)
    (key,) = (key for key, disk in item["spec"]["disks"].items() if disk["path"] == path)
    return item["status"]["diskStatus"].get(key, {})


def _is_ready(lab: LonghornLab, node: str, path: str) -> bool:
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in _disk_status(lab, node, path).get("conditions", [])
    )
