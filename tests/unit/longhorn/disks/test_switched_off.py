"""The disks stage can't be switched off while Longhorn has disks that it mounted."""

from typing import Any

import pytest
from pulumi.output import Unknown

from components.longhorn.disks.disks import LonghornDisksProvider


def props(**uuids: Any) -> dict[str, Any]:
    """The inputs of a node, by the last part of each mount point its file system's UUID."""
    disks = {f"/mnt/{name}": {"name": name, "uuid": uuid} for name, uuid in uuids.items()}
    return {"node_name": "node-1", "lost": False, "disks": disks}


def refused(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [each.reason for each in LonghornDisksProvider().check(old, new).failures]


def test_disks_that_would_be_unmounted_under_longhorn_are_refused_by_name_with_the_way() -> None:
    (said,) = refused(props(a="1", b="2", c=None), props(a=None, b=None, c=None))
    assert "stages.disks: false would unmount /mnt/a, /mnt/b of node-1 under Longhorn" in said
    assert "take them out of the stack file first" in said


def test_one_disk_of_many_is_enough() -> None:
    (said,) = refused(props(a="1", b="2"), props(a="1", b=None))
    assert "unmount /mnt/b of node-1" in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, props(a=None), id="the first up with the stage off"),
        pytest.param(props(a=None), props(a=None), id="the stage stays off"),
        pytest.param(props(a=None), props(a=Unknown()), id="the stage is switched on"),
        pytest.param(props(a="1"), props(), id="the disks are taken out"),
        pytest.param(props(), props(a=None), id="and come again, mounted by hand"),
        pytest.param(props(a="1"), props(b=None), id="a disk by hand for one that leaves"),
        pytest.param(props(a="1"), props(a=Unknown()), id="a preview of a repair"),
        pytest.param(props(a="1"), props(a="2"), id="another file system"),
        pytest.param(props(a="1"), {**props(), "disks": Unknown()}, id="nothing is known yet"),
    ],
)
def test_what_takes_no_disk_from_longhorn_passes(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert refused(old, new) == []
