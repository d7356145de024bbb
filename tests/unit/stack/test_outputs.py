"""What a stack tells its user when it is done."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import nodes, run, valid
from tools.offline.answers import DISK_BYTES
from tools.offline.recording import UNKNOWN, SecretValue


def _outputs(*, preview: bool = False, **changes: Any) -> dict[str, Any]:
    return run(valid(**changes), preview=preview).outputs


def test_every_disk_is_told_with_uuid_size_and_mount_point() -> None:
    disks = _outputs()["disks"]
    assert set(disks) == {"node-1", "node-2"}
    first, second = disks["node-1"]
    assert first["sizeBytes"] == DISK_BYTES
    assert first["mountPoint"] == "/mnt/longhorn-sdb"
    assert second["mountPoint"] == "/mnt/longhorn-sdc"
    assert first["uuid"] != second["uuid"]


def test_a_node_without_disks_is_left_out_of_the_disks() -> None:
    assert set(_outputs(nodes=nodes({}, {"disks": []}))["disks"]) == {"node-1"}


def test_longhorn_is_told_with_version_class_and_address() -> None:
    outputs = _outputs()
    assert outputs["longhornVersion"] == "1.5.3"
    assert outputs["defaultStorageClass"] == "longhorn"
    assert outputs["longhornUrl"] == "http://longhorn-frontend.longhorn-system"


def test_the_volume_check_is_told_with_its_report() -> None:
    assert _outputs(stages={"volumeCheck": True})["volumeCheck"] == {
        "storageClass": "longhorn",
        "size": "10Mi",
        "seconds": 12.5,
    }


def test_only_passwords_are_secret() -> None:
    outputs = _outputs(stages={"rancherImport": True})
    secret = {name for name, value in outputs.items() if isinstance(value, SecretValue)}
    assert secret == {"rancherBootstrapPassword", "rancherAdminPassword"}


def test_before_the_first_up_what_hosts_say_is_unknown() -> None:
    outputs = _outputs(preview=True)
    assert outputs["disks"] is UNKNOWN
    assert outputs["defaultStorageClass"] is UNKNOWN


@pytest.mark.parametrize(
    ("stage", "absent"),
    [
        ("disks", {"disks"}),
        ("longhorn", {"longhornVersion", "defaultStorageClass"}),
        ("frontend", {"longhornUrl"}),
        ("rancher", {"rancherUrl", "rancherBootstrapPassword"}),
    ],
)
def test_a_stage_that_is_off_tells_nothing(stage: str, absent: set[str]) -> None:
    assert not absent & set(_outputs(stages={stage: False}))
