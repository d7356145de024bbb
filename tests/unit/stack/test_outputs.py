"""What a stack tells its user when it is done."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

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


def test_a_restore_that_was_seen_is_told_with_the_volume_check() -> None:
    told = _outputs(
        stages={"volumeCheck": True},
        volumeCheck={"restore": True},
        longhorn={"backup": {"target": "nfs://server:/backups"}},
    )["volumeCheck"]
    assert told["restored"]["at"] == "2024-05-01T02:00:00Z"
    assert told["restored"]["bytes"] > 0


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


def _readme(**changes: Any) -> str:
    return _outputs(**changes)["readme"]


def test_the_readme_tells_what_is_ready_where_it_is_and_how_to_get_the_password() -> None:
    text = _readme(
        stages={"volumeCheck": True, "rancherImport": True},
        frontend={"type": "NodePort", "nodePort": 30080},
    )
    assert "# Ready in stack test" in text
    assert "4 disks on 2 nodes, mounted" in text
    assert "Longhorn 1.5.3: StorageClass longhorn, the default class, 2 replicas" in text
    assert "volumes work" in text
    assert "the cluster test in Rancher" in text
    assert "http://192.0.2.11:30080" in text
    assert "https://rancher.example.com" in text
    assert "pulumi stack output --show-secrets rancherAdminPassword" in text
    assert "make status STACK=test" in text


def test_the_readme_tells_the_replicas_of_the_class() -> None:
    values = {"persistence": {"defaultClassReplicaCount": 3}}
    assert "the default class, 3 replicas" in _readme(longhorn={"values": values})


def test_a_rancher_whose_import_is_off_keeps_its_admin_password_among_the_outputs() -> None:
    outputs = _outputs(stages={"rancherImport": False})
    assert isinstance(outputs["rancherAdminPassword"], SecretValue)
    assert "rancherBootstrapPassword; once a cluster was imported" in outputs["readme"]


def test_a_password_that_a_given_manifest_never_sets_is_not_said_to_be_the_admin_s(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "import.yaml"
    manifest.write_text("kind: Namespace\n")
    text = _readme(stages={"rancherImport": False}, rancherImport={"manifestFile": str(manifest)})
    assert "--show-secrets rancherBootstrapPassword" in text
    assert "its user admin has the password" not in text
    assert "only if an import without a manifest of yours has set it" in text


def test_the_readme_holds_no_secret_and_is_none() -> None:
    outputs = _outputs(stages={"rancherImport": True})
    for name in ("rancherBootstrapPassword", "rancherAdminPassword"):
        assert str(outputs[name].value) not in str(outputs["readme"])
    assert isinstance(outputs["readme"], str)


def test_an_up_says_the_readme_and_a_preview_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", said.append)
    _outputs(preview=True, volumeCheck={"run": 7})
    assert said == []
    assert _readme(volumeCheck={"run": 7}) in said


def test_the_readme_is_no_yaml_which_pulumi_would_show_as_such() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(_readme())


def test_the_readme_is_not_known_before_what_it_speaks_of_is_done() -> None:
    assert _outputs(preview=True)["readme"] is UNKNOWN


@pytest.mark.parametrize(
    ("stages", "absent"),
    [
        ({"disks": False}, "disks on"),
        ({"longhorn": False, "frontend": False}, "Longhorn 1"),
        ({"frontend": False}, "Longhorn (inside"),
        ({"rancher": False}, "Rancher"),
        ({"volumeCheck": False}, "volumes work: one"),
    ],
)
def test_the_readme_says_nothing_of_a_stage_that_is_off(
    stages: dict[str, bool], absent: str
) -> None:
    assert absent in _readme(stages={"volumeCheck": True})
    assert absent not in _readme(stages={"volumeCheck": True, **stages})


def test_the_readme_says_what_is_left_to_do() -> None:
    usual = _readme()
    assert "stages.volumeCheck: true" in usual
    assert "there are no backups" in usual
    assert "stages.rancherImport: true" in usual
    backup = {"backup": {"target": "nfs://server:/backups"}}
    done = _readme(stages={"volumeCheck": True, "rancherImport": True}, longhorn=backup)
    assert "stages." not in done
    assert "backups" not in done
