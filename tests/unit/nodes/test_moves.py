"""Which disks one run may give another mount point."""

from typing import Any

import pytest

from components.hosts.facts import HostAnswer
from components.nodes.findings import NodeFindings, node_findings
from components.nodes.moves import moved_disks
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings
from tests.unit.doubles.a_host import SDB, SDC, answer, disk_facts, usable

OWNER = "project/one"
BY = f"{OWNER} node-1-mnt-old"


def _answer(**verdict: Any) -> HostAnswer:
    given = {"mounted": False, "inFstab": False, "mountedOn": "/mnt/old", "mountedBy": BY}
    return answer(disk_facts(mounted=False, fstabLine=None), usable(**{**given, **verdict}))


def test_a_disk_that_this_stack_has_mounted_elsewhere_is_moved() -> None:
    assert moved_disks(_answer(), [SDB], OWNER) == {SDB.mount_point: "/mnt/old"}


@pytest.mark.parametrize(
    ("verdict", "disks"),
    [
        ({"mountedOn": None, "mountedBy": None}, [SDB]),
        ({"mountedBy": "project/on node-1-mnt-old"}, [SDB]),
        ({"mountedOn": SDC.mount_point}, [SDB, SDC]),
        ({"mountedOn": "/mnt"}, [SDB]),
        ({"mountedOn": f"{SDB.mount_point}/old"}, [SDB]),
    ],
    ids=["not mounted", "another stack", "exchanged", "above", "beneath"],
)
def test_what_one_run_can_not_bring_about_is_not_moved(
    verdict: dict[str, Any], disks: list[DiskSettings]
) -> None:
    assert moved_disks(_answer(**verdict), disks, OWNER) == {}


def test_the_finding_says_where_it_is_mounted_now() -> None:
    found = node_findings(
        _answer(inFstab=True), [SDB], StageSettings(), {SDB.mount_point: "/mnt/old"}
    )
    assert found == NodeFindings(
        disks={SDB.mount_point: "/dev/sdb is mounted on /mnt/old"},
        moved={SDB.mount_point: "/mnt/old"},
    )
