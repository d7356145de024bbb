"""What the program declares for Longhorn: namespace, release, and the wait for all of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.doubles.a_stack import RELEASE, nodes, parent_of, run, valid, waits_for
from tools.offline.recording import Recording

_READY = "pulumi-python:dynamic/longhorn:Ready"


def _run(**changes: Any) -> Recording:
    return run(valid(**changes))


def test_longhorn_is_one_release_in_its_own_namespace() -> None:
    (release,) = _run().of_type(RELEASE)
    assert release.inputs["name"] == "longhorn"
    assert release.inputs["namespace"] == "longhorn-system"
    assert release.inputs["version"] == "1.5.3"


def test_the_namespace_lets_longhorns_privileged_pods_in() -> None:
    namespace = _run().named("longhorn-namespace")
    labels = namespace.inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


@pytest.mark.parametrize("child", ["longhorn-namespace", "longhorn-release", "longhorn-ready"])
def test_every_part_stands_below_the_component(child: str) -> None:
    recording = _run()
    assert parent_of(recording, recording.named(child)) == "longhorn"


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("longhorn-release", "longhorn-namespace"),
        ("longhorn-ready", "longhorn-release"),
        ("longhorn-namespace", "node-1"),
        ("longhorn-release", "node-1"),
        ("longhorn-release", "node-2"),
        ("longhorn-release", "node-1-labels-patch"),
        ("longhorn-release", "node-1-packages-install"),
    ],
)
def test_longhorn_comes_after_every_node_and_in_its_own_order(later: str, earlier: str) -> None:
    assert waits_for(_run(), later, earlier)


def test_longhorn_waits_for_the_packages_of_a_node_without_disks() -> None:
    recording = _run(nodes=nodes({}, {"disks": []}))
    assert waits_for(recording, "longhorn-release", "node-2-packages-install")


def test_the_chart_comes_from_the_repository_of_the_stack() -> None:
    release = _run(longhorn={"chartRepository": "https://charts.example.com"}).of_type(RELEASE)[0]
    assert release.inputs["chart"] == "longhorn"
    assert release.inputs["repositoryOpts"] == {"repo": "https://charts.example.com"}


def test_a_local_chart_needs_no_repository(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: longhorn\nversion: 1.5.3\n")
    release = _run(longhorn={"chartPath": str(tmp_path)}).of_type(RELEASE)[0]
    assert release.inputs["chart"] == str(tmp_path)
    assert "repositoryOpts" not in release.inputs


def test_a_failed_install_is_never_rolled_back_since_longhorn_refuses_a_downgrade() -> None:
    assert _run().named("longhorn-release").inputs["atomic"] is False


def test_helm_engine_and_the_wait_have_the_same_time() -> None:
    recording = _run(longhorn={"timeoutSeconds": 1200})
    release, ready = recording.named("longhorn-release"), recording.named("longhorn-ready")
    assert release.inputs["timeout"] == 1200
    assert ready.inputs["timeout_seconds"] == 1200
    timeouts = release.request.customTimeouts
    assert (timeouts.create, timeouts.update, timeouts.delete) == ("1200s", "1200s", "1200s")


def test_nothing_is_protected_so_that_one_destroy_is_enough() -> None:
    recording = _run()
    assert not any(
        recording.named(name).request.protect for name in ("longhorn-release", "longhorn-namespace")
    )


def test_the_namespace_is_never_deleted_by_a_replacement_but_at_the_end_of_the_uninstallation() -> (
    None
):
    recording = _run()
    assert recording.named("longhorn-namespace").request.retainOnDelete is True
    for later in ("longhorn-namespace", "longhorn-release"):
        assert waits_for(recording, later, "longhorn-uninstall")


def test_helm_leaves_the_waiting_to_those_who_see_more() -> None:
    assert _run().named("longhorn-release").inputs["skipAwait"] is True


def test_a_nodes_disks_leave_longhorn_before_the_node_is_taken_apart() -> None:
    recording = _run()
    assert waits_for(recording, "longhorn-node-1-disks", "node-1-mnt-longhorn-sdb-mount")
    direct = recording.named("longhorn-node-1-disks").request.dependencies
    assert recording.named("node-1-mnt-longhorn-sdb-mount").urn in direct


@pytest.mark.parametrize("name", ["longhorn-uninstall", "longhorn-removal-guard", "removal-guard"])
@pytest.mark.parametrize("allowed", [True, False])
def test_whoever_removes_longhorn_knows_whether_its_volumes_may_go(
    name: str, allowed: bool
) -> None:
    recording = _run(longhorn={"allowUninstall": allowed})
    assert recording.named(name).inputs["allow_uninstall"] is allowed


def test_moving_replicas_has_a_time_of_its_own() -> None:
    disks = _run(longhorn={"evictionTimeoutSeconds": 77}).named("longhorn-node-1-disks")
    assert disks.inputs["eviction_timeout_seconds"] == 77


def test_the_wait_counts_every_disk_of_every_node_that_has_some() -> None:
    (ready,) = _run(nodes=nodes({}, {"disks": []})).of_type(_READY)
    assert {node: sorted(disks) for node, disks in ready.inputs["disks_by_node"].items()} == {
        "node-1": ["/mnt/longhorn-sdb", "/mnt/longhorn-sdc"]
    }


@pytest.mark.parametrize("where", ["disks of the node", "the wait for all"])
def test_longhorns_disks_are_tied_to_their_file_systems(where: str) -> None:
    recording = _run()
    disks = recording.named("longhorn-node-1-disks").inputs["disks"]
    if where == "the wait for all":
        disks = recording.named("longhorn-ready").inputs["disks_by_node"]["node-1"]
    made = recording.outputs["disks"]["node-1"]
    assert {path: disk["uuid"] for path, disk in disks.items()} == {
        each["mountPoint"]: each["uuid"] for each in made
    }
    assert all(disk["uuid"] for disk in disks.values())


def test_disks_that_the_stack_does_not_prepare_have_no_uuid() -> None:
    disks = _run(stages={"disks": False}).named("longhorn-node-1-disks").inputs["disks"]
    assert [disk.get("uuid") for disk in disks.values()] == [None, None]


def test_replicas_are_as_many_as_nodes_with_disks() -> None:
    release = _run(nodes=nodes({}, {}, {"disks": []})).named("longhorn-release")
    assert release.inputs["values"]["defaultSettings"]["defaultReplicaCount"] == 2


@pytest.mark.parametrize(("choice", "given"), [("tolerate", True), ("leave", False)])
def test_taints_are_tolerated_only_if_the_stack_says_so(choice: str, given: bool) -> None:
    release = _run(controlPlane={"scheduling": choice}).named("longhorn-release")
    assert ("taintToleration" in release.inputs["values"]["defaultSettings"]) is given


def test_without_the_longhorn_stage_nothing_of_it_is_declared() -> None:
    recording = _run(stages={"longhorn": False, "frontend": False})
    assert recording.of_type(RELEASE) == []
    assert recording.of_type(_READY) == []
    assert recording.of_type("longhornrancher:longhorn:Release") == []


def test_the_release_uses_the_stacks_cluster() -> None:
    recording = _run()
    provider = recording.named("cluster")
    assert recording.named("longhorn-release").request.provider.startswith(provider.urn)
    assert provider.inputs["clusterIdentifier"] == "test"
    assert list(provider.request.ignoreChanges) == ["clusterIdentifier"], "a name may change"


def test_no_provider_of_the_cluster_is_declared_when_nothing_uses_it() -> None:
    off = dict.fromkeys(("labels", "longhorn", "frontend"), False)
    assert _run(stages=off).of_type("pulumi:providers:kubernetes") == []
