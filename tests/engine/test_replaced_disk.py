"""A disk that was replaced comes back in Longhorn, unless volumes would be given up with it."""

import json
from collections.abc import Iterator

import pytest

from lab.common.waiting import wait_until
from lab.hosts import hosts
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import mounts, on_host, replaced
from tests.engine.runbook import commands

pytestmark = needs_longhorn

SDB, SDC = "/mnt/longhorn-sdb", "/mnt/longhorn-sdc"
_ROOT = "/var/lib/longhorn"
_UP_SECONDS = 900


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    # Only the stand-in moves and rebuilds replicas: Longhorn's own engine does not run here.
    with longhorn_lab(2, "stand-in") as started:
        yield started


@pytest.fixture(scope="module")
def stack(lab: LonghornLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two nodes with two disks each, brought up."""
    folder = tmp_path_factory.mktemp("replaced") / "engine"
    made = Engine(folder).project_stack("replaced", config=lab.config())
    made.up(seconds=_UP_SECONDS).or_fail()
    yield made
    made.destroy(seconds=_UP_SECONDS).or_fail()


def _access(lab: LonghornLab, name: str) -> tuple[bool, bool, bool]:
    """Whether a node takes replicas, gives its own away, and is cordoned."""
    spec = lab.longhorn_node(name)["spec"]
    node = json.loads(lab.kubectl("get", "node", name, "-o", "json"))
    cordoned = bool(node["spec"].get("unschedulable"))
    return spec["allowScheduling"], spec["evictionRequested"], cordoned


def _is_ready(lab: LonghornLab, node: str, path: str) -> bool:
    item = lab.longhorn_node(node)
    (name,) = (name for name, disk in item["spec"]["disks"].items() if disk["path"] == path)
    conditions = item["status"]["diskStatus"][name]["conditions"]
    return {each["type"]: each["status"] for each in conditions}["Ready"] == "True"


def test_a_volume_with_a_replica_elsewhere_is_whole_again_after_one_up(
    stack: Stack, lab: LonghornLab
) -> None:
    volume = lab.claim("data")
    before = wait_until(
        lambda: places if len(places := lab.places(volume)) == 2 else None,
        doing="the volume has both replicas",
        seconds=60,
    )
    (path,) = (place for node, place in before if node == "node-1")
    device = f"/dev/{path.rpartition('-')[2]}"
    on_host(lab.hosts[0], replaced(device, path))
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _is_ready(lab, "node-1", path)
    assert set(mounts(lab.hosts[0])) == {SDB, SDC}
    wait_until(
        lambda: {node for node, _ in lab.places(volume)} == {"node-1", "node-2"},
        doing="the volume has both replicas again",
        seconds=60,
    )
    assert stack.preview().or_fail().operations() == {}
    lab.unclaim("data")


def test_reboot_a_node_as_the_runbook_says(stack: Stack, lab: LonghornLab) -> None:
    lab.put_volume("single", "node-1", SDB)
    config = lab.config()
    first, *others = config["longhorn-rancher:nodes"]
    stack.configure(
        {**config, "longhorn-rancher:nodes": [{**first, "maintenance": "cordon"}, *others]}
    )
    assert "last healthy replica here: single" in stack.preview().or_fail().log
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert "node-1: every volume has an intact replica on another node" in outcome.log
    assert {node for node, _ in lab.places("single")} == {"node-2"}
    assert _access(lab, "node-1") == (False, False, True)
    waiting = stack.preview().or_fail()
    assert waiting.operations() == {}
    assert "so the host may go down once its pods are gone" in waiting.log
    typed = commands("reboot-a-node", "Reboot a node", {"NODE": "node-1"})
    lab.kubectl(*typed.split()[1:])
    hosts.reboot("node-1")
    assert set(mounts(lab.hosts[0])) == {SDB, SDC}
    stack.configure(lab.config())
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _access(lab, "node-1") == (True, False, False)
    quiet = stack.preview().or_fail()
    assert quiet.operations() == {}
    assert "maintenance" not in quiet.log
    lab.drop_volume("single")
    wait_until(
        lambda: not lab.objects("replicas.longhorn.io", "-n", LONGHORN),
        doing="the volume is gone",
        seconds=60,
    )


def test_leave_the_root_disk_as_the_runbook_says(stack: Stack, lab: LonghornLab) -> None:
    host = lab.hosts[0]
    on_host(host, f"mkdir -p {_ROOT}")
    entry = {"path": _ROOT, "allowScheduling": True, "storageReserved": 0, "tags": []}
    patch = json.dumps({"spec": {"disks": {"root": {**entry, "diskType": "filesystem"}}}})
    lab.kubectl(
        *("patch", "nodes.longhorn.io", "node-1", "-n", LONGHORN, "--type=merge", "-p", patch)
    )
    wait_until(
        lambda: (
            "root" in lab.longhorn_node("node-1")["status"]["diskStatus"]
            and _is_ready(lab, "node-1", _ROOT)
        ),
        doing="Longhorn has the root disk",
        seconds=180,
    )
    lab.put_volume("rooted", "node-1", _ROOT)
    assert stack.preview().or_fail().operations() == {}
    stack.configure(lab.config(otherDisks="evict"))
    assert stack.preview().or_fail().step("longhorn-node-1-disks", "update")
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert set(lab.longhorn_disks("node-1")) == {SDB, SDC}
    ((_, path),) = lab.places("rooted")
    assert path in (SDB, SDC)
    assert set(mounts(host)) == {SDB, SDC}
    on_host(host, f"mkdir -p {_ROOT}/replicas")
    typed = commands("leave-the-root-disk", "When the replicas are gone")
    on_host(host, f"{typed}\nmountpoint -q /")
    assert stack.preview().or_fail().operations() == {}
    lab.drop_volume("rooted")
    stack.configure(lab.config(otherDisks="keep"))
    stack.up(seconds=_UP_SECONDS).or_fail()


def test_the_last_replica_of_a_volume_stops_up_until_somebody_gives_it_up(
    stack: Stack, lab: LonghornLab
) -> None:
    lab.put_volume("only", "node-1", SDC)
    entry = lab.longhorn_disks("node-1")[SDC]
    on_host(lab.hosts[0], replaced("/dev/sdc", SDC))
    for operation in (stack.preview, stack.up, stack.up):
        stopped = operation(seconds=_UP_SECONDS)
        assert not stopped.succeeded
        assert f"lostVolumes: node-1: another disk is on {SDC} now" in stopped.errors()
        assert "longhorn.lostVolumes: [only]" in stopped.errors()
        assert lab.longhorn_disks("node-1")[SDC] == entry
        assert lab.places("only") == {("node-1", SDC)}
        assert set(mounts(lab.hosts[0])) == {SDB}, "the new disk is not even formatted"
    stack.configure(lab.config(lostVolumes=["only"]))
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert "longhorn.lostVolumes gives up only" in outcome.log
    assert _is_ready(lab, "node-1", SDC)
    assert lab.places("only") == {("node-1", SDC)}, "without a record Longhorn would make it empty"
    stack.configure(lab.config())
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert stack.preview().or_fail().operations() == {}
    typed = commands("replace-a-disk", "When volumes would be lost", {"VOLUME": "only"})
    lab.kubectl(*typed.split()[1:])
    wait_until(
        lambda: not lab.objects("replicas.longhorn.io", "-n", LONGHORN),
        doing="the volume is gone",
        seconds=60,
    )
    assert stack.preview().or_fail().operations() == {}
