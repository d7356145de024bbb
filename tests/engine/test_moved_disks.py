"""A disk gets another mount point, another file system or another node.

What one `up` can't do is refused in the preview, and the runs that the refusal names are done here.
The tests share one stack and follow one another.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.common.waiting import wait_until
from lab.hosts import hosts
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import file_hash, mounts, on_host, write_file

pytestmark = needs_longhorn

NODES = "longhorn-rancher:nodes"
COMMAND = "command:remote:Command"
SDB, SDC, NEW = "/mnt/longhorn-sdb", "/mnt/longhorn-sdc", "/mnt/storage/one"
_UP_SECONDS = 900
_EVICTION_SECONDS = 15


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(2) as started:
        yield started


@pytest.fixture(scope="module")
def config(lab: LonghornLab) -> dict[str, Any]:
    return lab.config(evictionTimeoutSeconds=_EVICTION_SECONDS)


@pytest.fixture(scope="module")
def stack(
    lab: LonghornLab, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Two nodes with two disks each, brought up."""
    folder = tmp_path_factory.mktemp("moved") / "engine"
    made = Engine(folder).project_stack("moved", config=config)
    made.up(seconds=_UP_SECONDS).or_fail()
    yield made
    made.destroy(seconds=_UP_SECONDS).or_fail()
    assert all(mounts(host) == {} for host in lab.hosts)


def _nodes(
    config: dict[str, Any], *disks: dict[str, Any], node: str = "node-1"
) -> list[dict[str, Any]]:
    """The nodes of the stack file, one of them with these disks."""
    return [
        {**each, "disks": list(disks)} if each["name"] == node else each for each in config[NODES]
    ]


def _disk(device: str, path: str, **more: Any) -> dict[str, Any]:
    return {"device": device, "mountPoint": path, **more}


def _as_it_is(lab: LonghornLab, path: str) -> dict[str, Any]:
    """The disk that node-1 has mounted on this path, as the stack file has it."""
    device, kind = on_host(lab.hosts[0], f"findmnt -rno SOURCE,FSTYPE {path}").split()
    return _disk(device, path, fileSystem=kind)


def _by_id(lab: LonghornLab, name: str) -> str:
    """The path of a disk of node-1 that no restart changes."""
    links = on_host(lab.hosts[0], "cd /dev/disk/by-id && ls -l").splitlines()
    (link,) = (line.split()[-3] for line in links if line.endswith(f"/{name}"))
    return f"/dev/disk/by-id/{link}"


def _states(lab: LonghornLab, node: str) -> dict[str, tuple[str, bool]]:
    """Longhorn's UUID of each disk of a node, and whether it is Ready, by path."""
    item = lab.longhorn_node(node)
    found: dict[str, tuple[str, bool]] = {}
    for name, disk in (item["spec"].get("disks") or {}).items():
        state = item["status"]["diskStatus"][name]
        ready = {each["type"]: each["status"] for each in state["conditions"]}["Ready"] == "True"
        found[disk["path"]] = (state["diskUUID"], ready)
    return found


def test_disks_with_replicas_of_two_nodes_are_moved_one_after_the_other(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    names = [host.name for host in lab.hosts]
    for name in names:
        lab.put_volume(f"on-{name}", name, SDB)
    disks = [_disk("/dev/sdb", NEW), _disk("/dev/sdc", SDC)]
    stack.configure({"nodes": [{**each, "disks": disks} for each in config[NODES]]})
    refused = stack.preview()
    assert not refused.succeeded
    told = ", ".join(f"{name} ({SDB} to {NEW})" for name in names)
    assert told in " ".join(refused.log.split())
    stack.configure({"nodes": config[NODES]})
    for name in names:
        lab.drop_volume(f"on-{name}")
    assert stack.preview().or_fail().operations() == {}


def test_one_up_moves_a_disk_with_its_data_once_its_replicas_are_elsewhere(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    lab.put_volume("moving", host.name, SDB)
    written, file_systems = write_file(host, f"{SDB}/data"), mounts(host)
    before = _states(lab, host.name)
    stack.configure({"nodes": _nodes(config, _disk("/dev/sdb", NEW), _disk("/dev/sdc", SDC))})
    previewed = stack.preview().or_fail()
    assert f"the disk for {NEW} is mounted on {SDB}" in previewed.log
    outcome = stack.up(seconds=_UP_SECONDS).or_fail()
    assert outcome.operations(COMMAND) == {"create": 1, "delete": 1}
    assert mounts(host) == {NEW: file_systems[SDB], SDC: file_systems[SDC]}
    assert file_hash(host, f"{NEW}/data") == written
    assert _states(lab, host.name) == {NEW: before[SDB], SDC: before[SDC]}
    ((node, path),) = lab.places("moving")
    assert (node, path) not in {(host.name, SDB), (host.name, NEW)}
    assert SDB not in on_host(host, "cat /etc/fstab; ls -d /mnt/*")
    assert stack.preview().or_fail().operations() == {}
    lab.drop_volume("moving")


def test_a_disk_whose_replicas_find_no_place_stays_where_it_is_and_may_stay_there(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    lab.put_volume("stuck", host.name, NEW)
    tagged = json.dumps({"spec": {"diskSelector": ["nowhere"]}})
    words = ("volumes.longhorn.io", "stuck", "-n", LONGHORN, "--type=merge", "-p", tagged)
    lab.kubectl("patch", *words)
    before = mounts(host)
    stack.configure({"nodes": _nodes(config, _disk("/dev/sdb", SDB), _disk("/dev/sdc", SDC))})
    outcome = stack.up(seconds=_UP_SECONDS)
    assert not outcome.succeeded
    assert f"{NEW}: replica stuck-r-0 of volume stuck" in outcome.errors()
    assert mounts(host) == before
    assert lab.places("stuck") == {(host.name, NEW)}
    stack.configure({"nodes": _nodes(config, _disk("/dev/sdb", NEW), _disk("/dev/sdc", SDC))})
    stack.up("--refresh", seconds=_UP_SECONDS).or_fail()
    entry = lab.longhorn_disks(host.name)[NEW]
    assert (entry["allowScheduling"], entry["evictionRequested"]) == (True, False)
    assert mounts(host) == before
    lab.drop_volume("stuck")
    stack.configure({"nodes": _nodes(config, _disk("/dev/sdb", SDB), _disk("/dev/sdc", SDC))})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert set(mounts(host)) == {SDB, SDC}


def test_exchanged_mount_points_are_refused_and_the_two_runs_that_it_names_exchange_them(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    b, c = _by_id(lab, "sdb"), _by_id(lab, "sdc")
    stack.configure({"nodes": _nodes(config, _disk(b, SDB), _disk(c, SDC))})
    stack.up(seconds=_UP_SECONDS).or_fail()
    lab.put_volume("both", host.name, SDB)
    written, file_systems = write_file(host, f"{SDB}/data"), mounts(host)
    before = _states(lab, host.name)
    exchanged = {"nodes": _nodes(config, _disk(c, SDB), _disk(b, SDC))}
    stack.configure(exchanged)
    refused = stack.preview()
    assert not refused.succeeded
    assert f"{c} is the disk of {SDC}, and that of {SDB} is /dev/sdb" in refused.errors()
    assert "take both disks out of the stack file and run pulumi up" in refused.errors()
    assert mounts(host) == file_systems
    stack.configure({"nodes": _nodes(config)})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert (mounts(host), lab.longhorn_disks(host.name)) == ({}, {})
    stack.configure(exchanged)
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert mounts(host) == {SDB: file_systems[SDC], SDC: file_systems[SDB]}
    assert _states(lab, host.name) == {SDB: before[SDC], SDC: before[SDB]}
    assert file_hash(host, f"{SDC}/data") == written
    assert {node for node, _ in lab.places("both")} == {"node-2"}
    assert stack.preview().or_fail().operations() == {}
    lab.drop_volume("both")


def test_another_file_system_is_refused_and_the_runs_that_it_names_lead_there(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    kept, changed = _disk("/dev/sdc", SDB), _disk("/dev/sdb", SDC)
    before = mounts(host)
    stack.configure({"nodes": _nodes(config, kept, {**changed, "fileSystem": "xfs"})})
    refused = stack.preview()
    assert not refused.succeeded
    said = refused.errors()
    assert f"/dev/sdb is mounted on {SDC} and holds ext4" in said
    assert mounts(host) == before
    stack.configure({"nodes": _nodes(config, kept)})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert set(mounts(host)) == {SDB}
    on_host(host, said.partition("clear it yourself: ")[2].partition("; then add it")[0])
    stack.configure({"nodes": _nodes(config, kept, {**changed, "fileSystem": "xfs"})})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert on_host(host, f"findmnt -rno FSTYPE {SDC}") == "xfs"
    assert all(ready for _, ready in _states(lab, host.name).values())
    assert stack.preview().or_fail().operations() == {}


def _pulled(lab: LonghornLab, path: str) -> str:
    """Move a disk from node-1 to node-2, and wait until Longhorn misses it; its path there."""
    one, other = lab.hosts
    device = on_host(one, f"findmnt -rno SOURCE {path}")
    on_host(one, f"umount {path}")
    moved = hosts.move_disk(one.name, device, other.name)
    wait_until(
        lambda: not _states(lab, one.name)[path][1], doing=f"Longhorn misses {path}", seconds=120
    )
    return moved


def test_a_disk_put_into_another_node_brings_its_replicas_and_its_data_there(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    one, other = lab.hosts
    lab.put_volume("following", one.name, SDB)
    written, uuid = write_file(one, f"{SDB}/data"), _states(lab, one.name)[SDB][0]
    kept, moved = _as_it_is(lab, SDC), _disk(_pulled(lab, SDB), "/mnt/moved")
    own = config["longhorn-rancher:nodeDefaults"]["disks"]
    both = {**config, NODES: _nodes(config, *own, moved, node=other.name)}
    stack.configure({"nodes": both[NODES]})
    refused = stack.preview()
    assert not refused.succeeded
    assert f"which was on {one.name} {SDB}, and the stack file still has a disk" in refused.errors()
    stack.configure({"nodes": _nodes(both, kept)})
    assert f"which was on {one.name} {SDB}. Its replicas follow it" in stack.preview().or_fail().log
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert _states(lab, other.name)["/mnt/moved"] == (uuid, True)
    assert lab.places("following") == {(other.name, "/mnt/moved")}
    assert file_hash(other, "/mnt/moved/data") == written
    assert set(lab.longhorn_disks(one.name)) == set(mounts(one)) == {SDC}
    assert SDB not in on_host(one, "cat /etc/fstab; ls -d /mnt/*")
    assert stack.preview().or_fail().operations() == {}


def test_its_place_may_have_a_new_disk_in_the_run_after(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    one, other = lab.hosts
    new = hosts.add_disk(one.name)
    own = config["longhorn-rancher:nodeDefaults"]["disks"]
    moved = _disk("/dev/sdd", "/mnt/moved")
    both = {**config, NODES: _nodes(config, *own, moved, node=other.name)}
    stack.configure({"nodes": _nodes(both, _as_it_is(lab, SDC), _disk(new, SDB))})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert all(ready for _, ready in _states(lab, one.name).values())
    assert set(_states(lab, one.name)) == {SDB, SDC}
    assert lab.places("following") == {(other.name, "/mnt/moved")}
    assert stack.preview().or_fail().operations() == {}
    lab.drop_volume("following")
