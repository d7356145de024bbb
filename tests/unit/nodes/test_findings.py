"""What a reading of a host finds to be other than the program leaves it."""

from typing import Any

import pytest

from components.hosts.facts import DiskFacts, HostAnswer
from components.nodes.findings import NodeFindings, dated, node_findings, was_prepared
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import (
    FSTAB_LINE,
    SDB,
    SDC,
    answer,
    control_plane,
    disk_facts,
    refused,
    usable,
)

STAGES = StageSettings()


def _found(given: HostAnswer) -> str | None:
    return node_findings(given, [SDB], STAGES).disks.get(SDB.mount_point)


def _packages(**changes: Any) -> str | None:
    return node_findings(answer(**changes), [SDB], STAGES).packages


def test_nothing_is_found_on_a_host_that_is_as_the_program_leaves_it() -> None:
    assert node_findings(answer(), [SDB], STAGES) == NodeFindings()


@pytest.mark.parametrize(
    ("verdict", "disk", "line"),
    [
        (usable(content="blank", mounted=False), {"uuid": None}, "/dev/sdb is blank"),
        (usable(content="unfinished"), {}, "the formatting of /dev/sdb was broken off"),
        (
            usable(content="blank", mounted=False, vanished=True),
            {"uuid": None},
            "a disk that is gone is still mounted on /mnt/longhorn-sdb, and a run unmounts it; "
            "/dev/sdb is blank",
        ),
        (usable(mounted=False), {}, "/dev/sdb is not mounted on /mnt/longhorn-sdb"),
        (usable(), {"writable": False}, "/dev/sdb is mounted read-only"),
        (
            usable(inFstab=False),
            {"fstabLine": None},
            "/etc/fstab has no line for /mnt/longhorn-sdb",
        ),
        (
            usable(inFstab=False),
            {"fstabLine": "/dev/sdb  /mnt/longhorn-sdb ext4 defaults 0 1"},
            f"/etc/fstab has `/dev/sdb /mnt/longhorn-sdb ext4 defaults 0 1`, not `{FSTAB_LINE}`",
        ),
        (
            usable(mounted=False),
            {"immutable": False},
            "/dev/sdb is not mounted on /mnt/longhorn-sdb; "
            "the directory /mnt/longhorn-sdb can be written to without the disk",
        ),
        (
            usable(),
            {"immutable": False},
            "the directory /mnt/longhorn-sdb beneath the mount can be written to",
        ),
        (
            usable(sizeBytes=20 * 2**30, fileSystemBytes=10 * 2**30, canGrow=True),
            {},
            "/dev/sdb got larger: it has 20 GiB, and its file system 10 GiB",
        ),
        (
            refused("/dev/sdb does not exist", "Attach the disk, or name one of: /dev/sda (10G)"),
            {"is": "missing", "uuid": None},
            "/dev/sdb does not exist",
        ),
        (
            refused("/dev/sdb is not blank: it holds ext4, label data, UUID x"),
            {},
            "/dev/sdb is not blank: it holds ext4, label data, UUID x",
        ),
    ],
)
def test_a_disk_that_is_not_as_it_was_is_told_in_one_line(
    verdict: str, disk: dict[str, Any], line: str
) -> None:
    assert _found(answer(disk_facts(**disk), verdict)) == line


def test_a_directory_that_cannot_be_immutable_is_no_finding_for_ever() -> None:
    assert _found(answer(disk_facts(immutable=None))) is None


def test_a_disk_that_no_tool_could_look_at_yet_is_not_called_wrong() -> None:
    missing = refused("the command wipefs is missing", missing_command="wipefs")
    assert _found(answer(verdict=missing)) is None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"packages": {"e2fsprogs": "1"}}, "not installed: open-iscsi, nfs-common"),
        ({"iscsid": False}, "iscsid does not run"),
        ({"iscsidEnabled": False}, "iscsid does not start at boot"),
        ({"initiatorName": False}, "no iSCSI initiator name"),
        ({"iscsiadm": False}, "iscsiadm --version fails"),
        ({"iscsiadm": False, "iscsid": False}, "iscsiadm --version fails; iscsid does not run"),
    ],
)
def test_what_the_node_lacks_is_told_in_one_line(changes: dict[str, Any], line: str) -> None:
    assert _packages(**changes) == line


@pytest.mark.parametrize(
    ("os", "packages"),
    [
        ({"id": "rocky", "idLike": "rhel centos fedora"}, ["iscsi-initiator-utils", "nfs-utils"]),
        ({"id": "opensuse-leap", "idLike": "suse opensuse"}, ["open-iscsi", "nfs-client"]),
        ({"id": "linuxmint", "idLike": "ubuntu debian"}, ["open-iscsi", "nfs-common"]),
    ],
)
def test_each_distribution_has_its_own_packages(os: dict[str, str], packages: list[str]) -> None:
    line = _packages(os=os, packages={"e2fsprogs": "1"})
    assert line == f"not installed: {', '.join(packages)}"


def test_xfs_tools_are_missed_only_where_a_disk_is_to_have_xfs() -> None:
    assert node_findings(answer(), [SDB], STAGES).packages is None
    assert node_findings(answer(), [SDB, SDC], STAGES).packages == "not installed: xfsprogs"


def test_a_stage_that_is_switched_off_finds_nothing() -> None:
    broken = answer(verdict=usable(mounted=False), iscsid=False)
    disks_only = StageSettings.model_validate({"packages": False})
    packages_only = StageSettings.model_validate({"disks": False})
    assert node_findings(broken, [SDB], disks_only).packages is None
    assert node_findings(broken, [SDB], disks_only).disks
    assert node_findings(broken, [SDB], packages_only).packages
    assert node_findings(broken, [SDB], packages_only).disks == {}


def test_the_same_trouble_at_another_time_is_another_line() -> None:
    found = {"node-1": NodeFindings(packages="iscsid does not run", disks={"/mnt/a": "gone"})}
    (first,), (second,) = dated(found, "9:00").values(), dated(found, "9:05").values()
    assert first == NodeFindings(
        packages="iscsid does not run (9:00)", disks={"/mnt/a": "gone (9:00)"}
    )
    assert first.packages != second.packages
    assert dated({"node-1": NodeFindings()}, "9:00") == {"node-1": NodeFindings()}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (None, None),
        (control_plane(), None),
        (refused("kube-scheduler is version 1.22.0"), None),
        (control_plane("kube-scheduler"), "--port=0 is in the manifest of kube-scheduler"),
        (control_plane("a", "b"), "--port=0 is in the manifest of a and b"),
    ],
)
def test_manifests_that_have_the_line_again_are_found(line: str | None, found: str | None) -> None:
    assert node_findings(answer(control_plane=line), [SDB], STAGES).control_plane == found


@pytest.mark.parametrize(
    ("line", "is_ours"),
    [
        (FSTAB_LINE, True),
        (FSTAB_LINE.replace("UUID=1", "UUID=2"), True),
        (f"# /mnt/longhorn-sdb\n{FSTAB_LINE}", True),
        (FSTAB_LINE.replace("defaults", "noatime"), False),
        (f"/dev/sdb {FSTAB_LINE.partition(' ')[2]}", False),
        (None, False),
    ],
)
def test_a_mount_point_was_prepared_where_fstab_has_the_programs_own_line_for_whatever_disk(
    line: str | None, is_ours: bool
) -> None:
    found = DiskFacts.model_validate(disk_facts(fstabLine=line, immutable=None))
    assert was_prepared(found, SDB) is is_ours
