"""What stops the program before the first change, and the report that says so."""

import json
from typing import Any

import pytest

from components.hosts.facts import parse_answer
from components.nodes.verdicts import Verdict
from components.preflight.cluster import check_cluster
from components.preflight.cluster_facts import ClusterFacts
from components.preflight.cluster_wanted import ClusterWanted
from components.preflight.nodes import NodeToCheck, check_nodes
from components.preflight.report import CheckResult, PreflightError, report
from configuration.checks import CHECK_NAMES
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, SDC, answer, disk_facts, refused, said, usable
from tests.unit.doubles.a_stack import mistake, valid

FOREIGN = refused("/dev/sdb is not blank: it holds xfs", "Name a blank disk")
BY_HAND = {"packages": False}


def _node(
    name: str = "node-1", stages: dict[str, bool] | None = None, **changes: Any
) -> NodeToCheck:
    return NodeToCheck(
        name=name,
        answer=answer(**changes),
        disks=[SDB],
        stages=StageSettings.model_validate(stages or {}),
    )


def _results(stages: dict[str, bool] | None = None, **changes: Any) -> list[tuple[str, str]]:
    return [(r.check, r.severity) for r in check_nodes([_node(stages=stages, **changes)])]


NEWER = refused("kube-scheduler is version 1.22.0", "Switch the stage off")


def test_a_control_plane_that_the_script_would_refuse_is_an_error() -> None:
    (result,) = check_nodes([_node(control_plane=NEWER)])
    assert (result.check, result.severity) == ("controlPlaneHealth", "error")
    assert result.found == "kube-scheduler is version 1.22.0"
    assert result.remedy == "Switch the stage off."


def test_a_node_that_gets_neither_packages_nor_disks_is_asked_for_its_control_plane_alone() -> None:
    neither = {"packages": False, "disks": False}
    broken = _node(stages=neither, iscsiadm=False, packages={}, control_plane=NEWER)
    assert [result.check for result in check_nodes([broken, broken])] == ["controlPlaneHealth"] * 2


def test_a_healthy_node_passes_every_check() -> None:
    assert check_nodes([_node()]) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kernel": "5.4.0-150-generic"}, [("kernelVersion", "warning")]),
        ({"kernel": "5.8.0"}, []),
        ({"kernel": "5.15.0-93-generic"}, []),
        ({"kernel": "5.15.0-94-generic"}, [("kernelBug", "warning")]),
        ({"kernel": "5.15.0-99-generic"}, [("kernelBug", "warning")]),
        ({"kernel": "5.15.0-100-generic"}, []),
        ({"kernel": "6.5.6-200.fc38"}, [("kernelBug", "warning")]),
        ({"kernel": "6.5.7"}, []),
        ({"kernel": "nonsense"}, []),
        ({"os": {"id": "arch", "idLike": None}}, [("distribution", "error")]),
        ({"iscsiadm": False}, [("initiator", "error")]),
        ({"multipathd": True}, [("multipathd", "warning")]),
        ({"modules": {"iscsi_tcp": "missing"}}, [("iscsiModule", "error")]),
        ({"modules": {"iscsi_tcp": "unknown"}}, []),
        ({"modules": {"dm_crypt": "missing"}}, [("encryptionTools", "warning")]),
        ({"tools": {"cryptsetup": False}}, [("encryptionTools", "warning")]),
        ({"tools": {"dmsetup": False}}, [("encryptionTools", "warning")]),
        ({"tools": {"curl": False}}, [("tools", "warning")]),
        ({"nfs4InKernel": "n", "nfs4Loaded": False}, [("nfsKernelSupport", "error")]),
        ({"nfs4InKernel": None, "nfs4Loaded": False}, [("nfsKernelSupport", "warning")]),
        ({"nfs4InKernel": None}, []),
        ({"nfsDefaultVersion": "3"}, [("nfsDefaultVersion", "warning")]),
        ({"nfsDefaultVersion": "4.2"}, []),
        ({"mountPropagation": "private"}, [("mountPropagation", "error")]),
        ({"mountPropagation": None}, []),
        ({"selinux": "enforcing"}, []),
        ({"imageManager": "rpm-ostree"}, []),
        ({"enginesNoexec": True}, [("engineBinaries", "error")]),
    ],
)
def test_each_check_sees_its_own_fault(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert _results(**changes) == expected


@pytest.mark.parametrize("tool", ["bash", "findmnt", "grep", "awk", "blkid", "lsblk"])
def test_a_host_without_one_of_the_tools_that_longhorn_or_the_scripts_run_is_refused(
    tool: str,
) -> None:
    assert _results(tools={tool: False}) == [("tools", "error")]


@pytest.mark.parametrize(
    ("changes", "by_hand"),
    [
        ({"packages": {"e2fsprogs": "1"}}, [("packages", "error")]),
        ({"iscsid": False}, [("iscsid", "error")]),
        (
            {"packages": {"e2fsprogs": "1"}, "iscsiadm": False, "iscsid": False},
            [("packages", "error"), ("initiator", "error"), ("iscsid", "error")],
        ),
    ],
)
def test_what_the_packages_stage_puts_right_is_an_error_only_without_that_stage(
    changes: dict[str, Any], by_hand: list[tuple[str, str]]
) -> None:
    assert _results(**changes) == []
    assert _results(BY_HAND, **changes) == by_hand


def test_a_disk_that_would_be_refused_is_an_error_with_found_and_remedy() -> None:
    disk = disk_facts(fstabLine=None, immutable=None)
    (result,) = check_nodes([_node(disk=disk, verdict=FOREIGN)])
    assert (result.check, result.severity, result.node) == ("disk", "error", "node-1")
    assert result.found == "/dev/sdb is not blank: it holds xfs"
    assert result.remedy == "Name a blank disk"


@pytest.mark.parametrize("trace", [{"fstabLine": None}, {"immutable": None}])
def test_a_disk_lost_by_a_running_node_does_not_stop_the_other_nodes(
    trace: dict[str, Any],
) -> None:
    """Its mount point shows that the program had prepared it; the diff names it too."""
    gone = refused("/dev/sdb does not exist", "Attach the disk")
    assert _results(disk=disk_facts(**trace), verdict=gone) == [("disk", "warning")]


_RHEL = {"os": {"id": "rocky", "idLike": "rhel centos fedora"}}
_INSTALLED = dict.fromkeys(("iscsi-initiator-utils", "nfs-utils", "e2fsprogs"), "1")


@pytest.mark.parametrize(
    ("mode", "packages", "expected"),
    [
        ("enforcing", {"container-selinux": "2.229.0-2.el9"}, [("selinux", "warning")]),
        ("enforcing", {"container-selinux": "2.189.0-1.el9"}, []),
        ("enforcing", {"container-selinux": "2.229.0-2.el9", "rke2-selinux": "0.17-1"}, []),
        ("enforcing", {}, []),
        ("permissive", {"container-selinux": "2.229.0-2.el9"}, []),
        (None, {"container-selinux": "2.229.0-2.el9"}, []),
    ],
)
def test_an_selinux_that_keeps_volumes_from_attaching_is_told(
    mode: str | None, packages: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    facts: dict[str, Any] = {**_RHEL, "selinux": mode}
    assert _results(packages={**_INSTALLED, **packages}, **facts) == expected


@pytest.mark.parametrize(
    ("manager", "remedy"),
    [
        ("rpm-ostree", "rpm-ostree install open-iscsi nfs-common"),
        ("transactional-update", "transactional-update pkg install open-iscsi nfs-common"),
        ("bootc", "bootc upgrade"),
        ("image", "/usr is read-only"),
    ],
)
def test_packages_that_an_image_lacks_are_told_with_the_command_of_that_system(
    manager: str, remedy: str
) -> None:
    node = _node(imageManager=manager, packages={"e2fsprogs": "1"})
    (result,) = check_nodes([node])
    assert (result.check, result.severity) == ("imageBased", "error")
    assert remedy in result.remedy


def test_a_disk_of_somebody_else_must_not_be_the_root_file_system() -> None:
    on_root = disk_facts(mounted=False, onRoot=True)
    assert _results({"disks": False}, disk=on_root) == [("diskOnRoot", "error")]
    assert _results({"disks": False}, disk=disk_facts(mounted=False)) == []
    assert _results({"disks": False, "labels": False}, disk=on_root) == []
    assert _results(disk=on_root) == []


def _moved(moved: dict[str, str], **verdict: Any) -> CheckResult:
    given = usable(mounted=False, mountedBy="a/b node-1-old", **verdict)
    node = NodeToCheck(
        name="node-1",
        answer=answer(verdict=given),
        disks=[SDB],
        stages=StageSettings(),
        moved=moved,
    )
    (result,) = check_nodes([node])
    return result


def test_a_disk_that_one_run_moves_is_told() -> None:
    result = _moved({SDB.mount_point: "/mnt/old"}, mountedOn="/mnt/old")
    assert (result.check, result.severity) == ("disk", "warning")
    assert result.found == f"the disk for {SDB.mount_point} is mounted on /mnt/old"


def test_a_disk_that_one_run_can_not_move_is_an_error_with_the_runs_that_do() -> None:
    result = _moved({}, mountedOn="/mnt/old")
    assert (result.check, result.severity) == ("disk", "error")
    assert "on /mnt/old by a/b node-1-old" in result.found
    assert "then add it with its new mount point and run `pulumi up` again" in result.remedy


def test_a_kernel_name_that_is_another_disks_now_is_a_warning() -> None:
    (result,) = check_nodes([_node(verdict=usable(exchanged="/dev/sdc"))])
    assert (result.check, result.severity) == ("disk", "warning")
    assert "is now /dev/sdc" in result.found


@pytest.mark.parametrize(("is_asked", "severity"), [(True, "error"), (False, "warning")])
def test_what_the_stack_file_asks_of_a_prepared_disk_in_vain_is_an_error(
    is_asked: bool, severity: str
) -> None:
    refusal = json.dumps({**json.loads(FOREIGN), "isAsked": is_asked})
    assert _results(verdict=refusal) == [("disk", severity)]


def test_disks_are_not_judged_where_the_disk_stage_is_off() -> None:
    disk = disk_facts(fstabLine=None, immutable=None)
    assert _results({"disks": False}, disk=disk, verdict=FOREIGN) == []


def test_a_missing_command_is_no_error_while_the_packages_stage_installs_it() -> None:
    disk = disk_facts(fstabLine=None, immutable=None)
    missing = refused("the command wipefs is missing", missing_command="wipefs")
    assert _results(disk=disk, verdict=missing) == []
    assert _results(BY_HAND, disk=disk, verdict=missing) == [("disk", "error")]


def test_nodes_that_share_a_hostname_are_named_with_each_other() -> None:
    results = check_nodes([_node("a"), _node("b"), _node("c", hostname="other")])
    assert [(r.node, r.check, r.severity) for r in results] == [
        ("a", "hostnameUnique", "error"),
        ("b", "hostnameUnique", "error"),
    ]
    assert "a, b" in results[0].found


def _cluster(longhorn_version: str = "1.5.3", **changes: Any) -> list[tuple[str, str]]:
    facts = {"version": "v1.28.4+k3s2", "global_priority_class": None, "dns_replicas": 2}
    results = check_cluster(
        ClusterFacts(**{**facts, **changes}), ClusterWanted(longhorn_version=longhorn_version)
    )
    return [(r.check, r.severity) for r in results]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"version": "v1.20.15"}, [("kubernetesVersion", "error")]),
        ({"version": "v1.21.0"}, []),
        ({"version": "v1.29.0"}, [("kubernetesVersion", "warning")]),
        ({"version": "odd"}, []),
        ({"global_priority_class": "high"}, [("globalPriorityClass", "warning")]),
        ({"dns_replicas": 1}, [("coreDnsReplicas", "warning")]),
        ({"dns_replicas": None}, []),
    ],
)
def test_each_check_of_the_cluster_sees_its_own_fault(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert _cluster(**changes) == expected


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("coredns", "scale deployment coredns --replicas=2"),
        ("rke2-coredns-rke2-coredns", "kube-system/rke2-coredns-rke2-coredns-autoscaler"),
    ],
)
def test_more_replicas_of_coredns_are_had_in_the_way_of_the_distribution(
    name: str, told: str
) -> None:
    facts = ClusterFacts(
        version="v1.28.4", global_priority_class=None, dns_replicas=1, dns_name=name
    )
    (result,) = check_cluster(facts, ClusterWanted(longhorn_version="1.5.3"))
    assert told in result.remedy


def test_a_longhorn_with_a_priority_class_of_its_own_is_not_harmed_by_a_global_one() -> None:
    assert _cluster("1.5.5", global_priority_class="high") != []
    assert _cluster("1.6.4", global_priority_class="high") == []


def _result(node: str, severity: Any = "error", check: Any = "disk") -> CheckResult:
    return CheckResult(node=node, check=check, severity=severity, found="found", remedy="Remedy.")


def test_the_report_names_every_node_and_the_way_to_accept_a_check() -> None:
    results = [_result("a"), _result("b"), _result("c", "warning", "multipathd")]
    text = str(PreflightError(report(results, [])))
    assert "1 error on 2 nodes; nothing was touched" in text
    assert "error disk: a, b: found. Remedy." in text
    assert "warning multipathd: c: found. Remedy." in text
    assert "checks.accept: [disk]" in text


def test_what_the_stack_file_accepts_is_named_apart_from_what_stopped_the_program() -> None:
    results = [_result("a"), _result("a", check="tools"), _result("b", "warning", "kernelBug")]
    text = str(PreflightError(report(results, ["tools"])))
    assert "1 error on 1 node;" in text
    stopped, _, others = text.partition("This did not stop the program:")
    assert "error disk: a" in stopped
    assert "tools" not in stopped
    assert others.splitlines()[1:] == [
        "  accepted tools: a: found. Remedy.",
        "  warning kernelBug: b: found. Remedy.",
    ]


@pytest.mark.parametrize(
    ("count", "first", "nodes"),
    [
        (1, "1 error on 1 node;", "node-0"),
        (8, "1 error on 8 nodes;", "node-7"),
        (9, "1 error on 9 nodes;", "node-7 and 1 more"),
    ],
)
def test_the_report_counts_errors_and_names_eight_nodes(count: int, first: str, nodes: str) -> None:
    text = str(PreflightError(report([_result(f"node-{n}") for n in range(count)], [])))
    assert text.startswith(f"preflight: {first} nothing was touched")
    assert f"{nodes}: found. Remedy." in text


def test_a_report_over_a_thousand_nodes_stays_short() -> None:
    text = str(PreflightError(report([_result(f"node-{n}") for n in range(1000)], [])))
    assert "and 992 more" in text
    assert len(text) < 500


def test_an_accepted_error_stops_nothing_and_an_accepted_warning_is_silent() -> None:
    results = [_result("a"), _result("a", "warning", "multipathd"), _result("a", check="tools")]
    sorted_results = report(results, ["disk", "multipathd"])
    assert [r.check for r in sorted_results.errors] == ["tools"]
    assert [r.check for r in sorted_results.accepted] == ["disk"]
    assert sorted_results.warnings == ()


def test_only_checks_that_exist_can_be_accepted() -> None:
    problem = mistake(valid(checks={"accept": ["everything"]}))
    assert "checks.accept" in problem.key
    assert all(name in str(problem) for name in CHECK_NAMES)


def test_a_check_that_is_nearly_one_that_exists_is_proposed() -> None:
    assert "Did you mean disk?" in str(mistake(valid(checks={"accept": ["disks"]})))


@pytest.mark.parametrize(("mounted", "told"), [(False, []), (True, ["engineBinaries"])])
def test_a_disk_that_is_to_hold_longhorns_engines_takes_the_place_of_what_forbids_them(
    mounted: bool, told: list[str]
) -> None:
    disk = DiskSettings.model_validate({"device": "/dev/sdb", "mountPoint": "/var/lib/longhorn"})
    facts = disk_facts(disk, mounted=mounted, writable=mounted or None)
    text = said([facts, disk_facts(SDC)], enginesNoexec=True)
    node = NodeToCheck(
        name="node-1",
        answer=parse_answer(text, [disk.mount_point, SDC.mount_point], {}),
        disks=[disk, SDC],
        stages=StageSettings(),
    )
    assert [result.check for result in check_nodes([node])] == told


def _two_disks(first: dict[str, Any], second: dict[str, Any]) -> NodeToCheck:
    disks = [SDB, SDC]
    lines = [usable(content="blank", mounted=False, **each) for each in (first, second)]
    text = said([disk_facts(disk) for disk in disks], lines)
    models = {disk.mount_point: Verdict for disk in disks}
    return NodeToCheck(
        name="node-1",
        answer=parse_answer(text, list(models), models),
        disks=disks,
        stages=StageSettings(),
    )


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ({"number": "8:16"}, {"number": "8:16"}, True),
        ({"number": "8:16"}, {"number": "8:32"}, False),
        ({}, {}, False),
        (
            {"number": "8:16", "worldWideName": "naa.5"},
            {"number": "8:32", "worldWideName": "naa.5"},
            True,
        ),
        (
            {"number": "8:16", "worldWideName": "naa.5"},
            {"number": "8:32", "worldWideName": "naa.6"},
            False,
        ),
    ],
)
def test_one_disk_by_two_names_is_refused_before_it_is_formatted_for_either(
    first: dict[str, Any], second: dict[str, Any], one: bool
) -> None:
    results = check_nodes([_two_disks(first, second)])
    assert [(r.check, r.severity) for r in results] == [("disk", "error")] * one
    for result in results:
        assert f"/dev/sdb ({SDB.mount_point}) and /dev/sdc ({SDC.mount_point})" in result.found
