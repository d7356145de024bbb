"""What happens to volumes when disks, nodes or all of Longhorn are to go.

Longhorn's managers are played by the lab's stand-in, which moves replicas by Longhorn's rules but
no data. The engine, Helm, the API server, SSH and the disks are real. The tests share one stack and
follow one another.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.hosts import hosts
from tests.engine.engine import Engine, Outcome, Stack
from tests.engine.longhorn_lab import LONGHORN, MEBIBYTE, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import file_hash, mounts, on_host, write_file

pytestmark = needs_longhorn

NODES = "longhorn-rancher:nodes"
SDB, SDC, SDD = "/mnt/longhorn-sdb", "/mnt/longhorn-sdc", "/mnt/longhorn-sdd"
_EVICTION_SECONDS = 15
_GUARDS = {"removal-guard", "longhorn-removal-guard"}


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    """Three hosts with two disks each, and their cluster."""
    with longhorn_lab(3) as started:
        yield started


@pytest.fixture(scope="module")
def config(lab: LonghornLab) -> dict[str, Any]:
    """The stack's configuration, with little patience for replicas."""
    return lab.config(evictionTimeoutSeconds=_EVICTION_SECONDS)


@pytest.fixture(scope="module")
def stack(
    config: dict[str, Any], lab: LonghornLab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack, brought up from nothing."""
    made = Engine(tmp_path_factory.mktemp("volumes") / "engine").project_stack(
        "volumes", config=config
    )
    made.up(seconds=900).or_fail()
    yield made
    made.destroy(seconds=900).or_fail()
    assert lab.objects("namespaces", f"--field-selector=metadata.name={LONGHORN}") == []


def _with_disks(config: dict[str, Any], node: str, *paths: str) -> list[dict[str, Any]]:
    """The nodes of the stack file, one of them with these disks."""
    disks = [{"device": f"/dev/{path.rpartition('-')[2]}", "mountPoint": path} for path in paths]
    return [{**each, "disks": disks} if each["name"] == node else each for each in config[NODES]]


def _touched(outcome: Outcome) -> set[str]:
    """What the engine changed or began to change, its providers apart."""
    return {
        step.name
        for step in outcome.steps
        if step.operation not in ("same", "read", "refresh")
        and not step.type.startswith("pulumi:providers:")
    }


def _confirmed(lab: LonghornLab) -> str:
    words = ("settings.longhorn.io", "deleting-confirmation-flag", "-n", LONGHORN)
    return json.loads(lab.kubectl("get", *words, "-o", "json"))["value"]


def _all_there(lab: LonghornLab) -> dict[str, Any]:
    """Mounts, Longhorn's disks, workloads and Services: what a removal would take apart."""
    return {
        "mounts": {host.name: mounts(host) for host in lab.hosts},
        "disks": {host.name: lab.longhorn_disks(host.name) for host in lab.hosts},
        "rest": sorted(
            f"{item['kind']} {item['metadata']['name']}"
            for item in lab.objects("daemonsets,deployments,services", "-n", LONGHORN)
        ),
    }


def _refused(outcome: Outcome, volume: str) -> None:
    assert not outcome.succeeded
    assert f"{volume}: 10 MiB, detached, claim default/data" in outcome.errors()
    assert "longhorn.allowUninstall: true" in outcome.errors()


def test_a_volume_keeps_destroy_from_taking_anything_apart(stack: Stack, lab: LonghornLab) -> None:
    volume = lab.claim("data")
    before, state = _all_there(lab), stack.export()
    outcome = stack.destroy(seconds=600)
    _refused(outcome, volume)
    assert _touched(outcome) == {"removal-guard"}
    assert _all_there(lab) == before
    assert _confirmed(lab) == "false"
    assert len(stack.export()["deployment"]["resources"]) == len(state["deployment"]["resources"])


def test_continuing_on_errors_takes_nothing_apart_either(stack: Stack, lab: LonghornLab) -> None:
    before = _all_there(lab)
    assert not stack.destroy("--continue-on-error", seconds=600).succeeded
    assert _all_there(lab) == before


def test_switching_longhorn_off_is_refused_in_the_same_way(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    before = _all_there(lab)
    stages = config["longhorn-rancher:stages"]
    stack.configure({"stages": {**stages, "longhorn": False, "frontend": False}})
    _refused(stack.up(seconds=600), lab.objects("pv")[0]["metadata"]["name"])
    assert _all_there(lab) == before
    stack.configure({"stages": stages})
    stack.up(seconds=600).or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_another_name_for_the_cluster_replaces_nothing_in_it(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    before = _all_there(lab)
    cluster = config["longhorn-rancher:cluster"]
    stack.configure({"cluster": {**cluster, "name": "other"}})
    assert _touched(stack.up(seconds=600).or_fail()) == set()
    assert _all_there(lab) == before
    stack.configure({"cluster": cluster})


def test_tags_reserved_space_and_scheduling_of_a_disk_are_changed_in_place(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    sdb = {"device": "/dev/sdb", "mountPoint": SDB}
    sdc = {"device": "/dev/sdc", "mountPoint": SDC}
    sdb |= {"tags": ["fast"], "storageReserved": "1Mi", "allowScheduling": False}
    first, *others = config[NODES]
    stack.configure({"nodes": [{**first, "disks": [sdb, sdc]}, *others]})
    outcome = stack.up(seconds=600).or_fail()
    assert _touched(outcome) == {
        "node-1-labels-patch",
        "longhorn-node-1-disks",
        "longhorn-ready",
    }
    disk = lab.longhorn_disks("node-1")[SDB]
    assert disk["tags"] == ["fast"]
    assert disk["storageReserved"] == MEBIBYTE
    assert disk["allowScheduling"] is False
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=600).or_fail()
    assert lab.longhorn_disks("node-1")[SDB]["allowScheduling"] is True


def test_allowing_the_removal_changes_only_what_guards_it(
    stack: Stack, config: dict[str, Any]
) -> None:
    longhorn = config["longhorn-rancher:longhorn"]
    stack.configure({"longhorn": {**longhorn, "allowUninstall": True}})
    outcome = stack.up(seconds=600).or_fail()
    assert _touched(outcome) == {*_GUARDS, "longhorn-uninstall"}
    stack.configure({"longhorn": longhorn})
    assert _touched(stack.up(seconds=600).or_fail()) == {*_GUARDS, "longhorn-uninstall"}


def test_a_removal_confirmed_by_hand_is_taken_back(stack: Stack, lab: LonghornLab) -> None:
    words = ("settings.longhorn.io", "deleting-confirmation-flag", "-n", LONGHORN)
    lab.kubectl("patch", *words, "--type=merge", "-p", '{"value":"true"}')
    stack.up("--refresh", seconds=600).or_fail()
    assert _confirmed(lab) == "false"
    assert stack.preview().or_fail().operations() == {}
    lab.unclaim("data")


def test_a_removed_disk_gives_its_replicas_away_before_it_is_unmounted(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    lab.put_volume("moving", host.name, SDC)
    written = write_file(host, f"{SDC}/data")
    stack.configure({"nodes": _with_disks(config, host.name, SDB)})
    outcome = stack.up(seconds=600).or_fail()
    assert _touched(outcome) >= {f"longhorn-{host.name}-disks"}
    ((node, path),) = lab.places("moving")
    assert (node, path) != (host.name, SDC)
    assert set(lab.longhorn_disks(host.name)) == {SDB}
    assert set(mounts(host)) == {SDB}
    on_host(host, "mount /dev/sdc /media")
    assert file_hash(host, "/media/data") == written
    on_host(host, "umount /media")
    lab.drop_volume("moving")
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=600).or_fail()


def test_a_disk_whose_replicas_find_no_place_stays_until_there_is_room(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[0]
    hosts.add_disk(host.name)
    lab.put_volume("stuck", host.name, SDC)
    tagged = {"spec": {"diskSelector": ["nowhere"]}}
    lab.kubectl(
        *("patch", "volumes.longhorn.io", "stuck", "-n", LONGHORN),
        *("--type=merge", "-p", json.dumps(tagged)),
    )
    stack.configure({"nodes": _with_disks(config, host.name, SDB)})
    outcome = stack.up(seconds=600)
    assert not outcome.succeeded
    said = outcome.errors()
    assert f"{SDC}: replica stuck-r-0 of volume stuck (10 MiB, detached" in said
    assert "no disk takes another replica" in said
    assert "Add a disk or a node" in said
    disk = lab.longhorn_disks(host.name)[SDC]
    assert (disk["allowScheduling"], disk["evictionRequested"]) == (False, True)
    assert set(mounts(host)) == {SDB, SDC}
    assert lab.places("stuck") == {(host.name, SDC)}
    nodes = _with_disks(config, host.name, SDB, SDD)
    (changed,) = (each for each in nodes if each["name"] == host.name)
    changed["disks"][1]["tags"] = ["nowhere"]
    stack.configure({"nodes": nodes})
    stack.up(seconds=600).or_fail()
    assert lab.places("stuck") == {(host.name, SDD)}
    assert set(lab.longhorn_disks(host.name)) == {SDB, SDD}
    assert set(mounts(host)) == {SDB, SDD}
    lab.drop_volume("stuck")
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=600).or_fail()


def test_a_disk_that_is_kept_after_all_takes_replicas_again(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[1]
    lab.put_volume("kept", host.name, SDC)
    tagged = {"spec": {"diskSelector": ["nowhere"]}}
    lab.kubectl(
        *("patch", "volumes.longhorn.io", "kept", "-n", LONGHORN),
        *("--type=merge", "-p", json.dumps(tagged)),
    )
    stack.configure({"nodes": _with_disks(config, host.name, SDB)})
    assert not stack.up(seconds=600).succeeded
    stack.configure({"nodes": config[NODES]})
    stack.up("--refresh", seconds=600).or_fail()
    disk = lab.longhorn_disks(host.name)[SDC]
    assert (disk["allowScheduling"], disk["evictionRequested"]) == (True, False)
    lab.drop_volume("kept")


def test_a_removed_node_gives_its_replicas_away_and_keeps_no_disk_in_longhorn(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    host = lab.hosts[2]
    lab.put_volume("leaving", host.name, SDB)
    written = write_file(host, f"{SDB}/data")
    stack.configure({"nodes": [each for each in config[NODES] if each["name"] != host.name]})
    outcome = stack.up(seconds=600).or_fail()
    ended = [
        step.name for step in outcome.steps if (step.operation, step.stage) == ("delete", "done")
    ]
    out, unmounted = f"longhorn-{host.name}-disks", f"{host.name}-mnt-longhorn-sdb-mount"
    assert ended.index(out) < ended.index(unmounted)
    ((node, _path),) = lab.places("leaving")
    assert node != host.name
    assert lab.longhorn_disks(host.name) == {}
    assert mounts(host) == {}
    on_host(host, "mount /dev/sdb /media")
    assert file_hash(host, "/media/data") == written
    on_host(host, "umount /media")
    assert stack.preview().or_fail().operations() == {}
    lab.drop_volume("leaving")
    stack.configure({"nodes": config[NODES]})
    stack.up(seconds=600).or_fail()
    assert set(lab.longhorn_disks(host.name)) == {SDB, SDC}


def test_one_destroy_leaves_nothing_of_longhorn_and_up_makes_it_anew(
    stack: Stack, lab: LonghornLab
) -> None:
    written = write_file(lab.hosts[0], f"{SDB}/data")
    # What no controller of Longhorn's will see to any more, and what it could leave behind.
    lab.apply(
        {
            "apiVersion": "longhorn.io/v1beta2",
            "kind": "Orphan",
            "metadata": {"name": "stuck", "namespace": "default", "finalizers": ["longhorn.io"]},
            "spec": {"nodeID": "node-1", "orphanType": "replica", "parameters": {}},
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "longhorn-webhook-validator"},
            "webhooks": [],
        },
    )
    outcome = stack.destroy(seconds=900).or_fail()
    assert "took the finalizer longhorn.io off orphans.longhorn.io default/stuck" in outcome.log
    for kind in ("crds", "validatingwebhookconfigurations", "csidrivers", "namespaces"):
        names = [item["metadata"]["name"] for item in lab.objects(kind)]
        assert [name for name in names if "longhorn" in name] == []
    assert all(mounts(host) == {} for host in lab.hosts)
    stack.up(seconds=900).or_fail()
    assert file_hash(lab.hosts[0], f"{SDB}/data") == written
    assert stack.preview().or_fail().operations() == {}
    assert _confirmed(lab) == "false"


def test_volumes_go_with_longhorn_where_the_stack_allows_it(
    stack: Stack, lab: LonghornLab, config: dict[str, Any]
) -> None:
    volume = lab.claim("data")
    longhorn = config["longhorn-rancher:longhorn"]
    stack.configure({"longhorn": {**longhorn, "allowUninstall": True}})
    stack.up(seconds=600).or_fail()
    outcome = stack.destroy(seconds=900).or_fail()
    said = [diagnostic.message for diagnostic in outcome.diagnostics]
    assert any(f"- {volume}: 10 MiB" in message for message in said), said
    lab.kubectl("delete", "pvc", "data", "-n", "default")
