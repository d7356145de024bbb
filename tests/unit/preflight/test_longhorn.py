"""What a preview finds in Longhorn reaches the resource that puts it right."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.longhorn.disks.wanted import wanted_disks
from components.longhorn.findings import LonghornFindings
from components.longhorn.storage import Storage
from components.preflight.longhorn import longhorn_findings, with_absent_disks
from components.preflight.longhorn_checks import check_version
from configuration.settings import Settings
from tests.unit.doubles.a_stack import load, nodes, valid, with_secrets
from tests.unit.doubles.a_storage import a_storage

NAMES = ("node-1", "node-2", "node-3")


def _settings(*maintained: str) -> Settings:
    return load(valid(nodes=nodes(*({"maintenance": name in maintained} for name in NAMES))))


def _node(name: str, settings: Settings, *, is_closed: bool, is_up: bool) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": str(is_up)}]
    disks = wanted_disks(settings.disks_of(settings.nodes[0]), {})
    entries = {
        each["name"]: {"path": path, "evictionRequested": False, **each}
        for path, each in disks.items()
    }
    said = {each: {"diskUUID": f"d-{name}", "conditions": ready} for each in entries}
    return {
        "metadata": {"name": name},
        "spec": {"allowScheduling": not is_closed, "disks": entries},
        "status": {"conditions": ready, "diskStatus": said},
    }


def _found(
    *replicas: str, closed: Sequence[str] = ("node-1",), down: Sequence[str] = ()
) -> dict[str, str]:
    settings = _settings(*closed)
    specs = [
        {"volumeName": "data", "nodeID": name, "diskID": f"d-{name}", "healthyAt": "then"}
        for name in replicas
    ]
    storage = a_storage(
        {
            name: _node(name, settings, is_closed=name in closed, is_up=name not in down)
            for name in NAMES
        },
        replicas=[
            {"metadata": {"name": f"r-{number}"}, "spec": each} for number, each in enumerate(specs)
        ],
    )
    return dict(longhorn_findings(storage, settings, None, ()).disks)


def test_a_key_of_encrypted_volumes_that_is_gone_is_found() -> None:
    storage, settings = a_storage(), _settings()
    gone = longhorn_findings(storage, settings, None, (), lacks_encryption_key=True)
    assert gone.encryption_key == "Secret longhorn-system/longhorn-encryption-key is not there"
    assert longhorn_findings(storage, settings, None, ()).encryption_key is None


def _stopped(storage: Storage, version: str) -> Storage:
    """This version, without csi-resizer, and with all other Deployments scaled to 0."""
    snapshot = replace(
        storage.snapshot,
        settings={"current-longhorn-version": version},
        deployments=[
            replace(each, wanted=0, ready=0)
            for each in storage.snapshot.deployments
            if each.name != "csi-resizer"
        ],
    )
    return replace(storage, snapshot=snapshot)


def test_what_is_gone_of_the_csi_driver_is_the_waits_and_of_the_chart_the_releases() -> None:
    storage, settings = a_storage(), _settings()
    whole = longhorn_findings(storage, settings, None, ())
    assert (whole.ready, whole.release) == (None, None)
    found = longhorn_findings(_stopped(storage, "v1.5.3"), settings, "failed", ())
    said = str(found.ready)
    assert said.startswith("Deployment csi-resizer is gone; ")
    assert "csi-attacher is scaled to 0" in said
    assert "longhorn-ui" not in said
    assert str(found.release).startswith("failed; Deployment longhorn-driver-deployer is scaled")


def test_no_earlier_release_is_put_over_a_later_longhorn() -> None:
    found = longhorn_findings(_stopped(a_storage(), "v1.6.2"), _settings(), "failed", ())
    assert found.release is None


@pytest.mark.parametrize(
    ("running", "said"),
    [
        (
            "v1.6.2",
            r"Longhorn v1\.6\.2 runs, which can't go back to 1\.5\.3.*Set longhorn\.version",
        ),
        ("v1.9.0", r"Longhorn v1\.9\.0 runs.*no version that follows"),
        ("v1.5.3", None),
        ("v1.5.2", None),
    ],
)
def test_a_later_longhorn_than_the_stacks_is_an_error_with_what_to_write(
    running: str, said: str | None
) -> None:
    results = list(check_version(_stopped(a_storage(), running).snapshot, "1.5.3"))
    assert len(results) == (said is not None)
    for result in results:
        assert (result.check, result.severity) == ("longhornVersion", "error")
        assert re.search(str(said), f"{result.found} {result.remedy}")


def test_a_closed_node_that_a_volume_has_come_to_need_is_an_update_that_moves_it() -> None:
    assert _found("node-1", "node-2") == {}
    needed = {"node-1": "volumes need it: data"}
    assert _found("node-1") == needed
    assert _found("node-1", "node-2", down=["node-2"]) == needed


def test_nodes_that_are_closed_at_once_do_not_keep_each_others_volumes() -> None:
    both = ("node-1", "node-2")
    assert set(_found(*both, closed=both)) == set(both)
    assert _found(*both, "node-3", closed=both) == {}


def test_nothing_is_moved_off_a_closed_node_that_is_down() -> None:
    assert _found("node-1", down=["node-1"]) == {}


def test_a_node_in_use_may_have_the_last_copy() -> None:
    assert _found("node-1", closed=()) == {}


def test_a_node_that_this_stack_cordoned_and_no_longer_closes_is_an_update() -> None:
    settings = _settings()
    storage = a_storage(
        {name: _node(name, settings, is_closed=False, is_up=True) for name in NAMES}
    )
    both = ["node-1", "node-2"]
    found = longhorn_findings(storage, settings, None, both, own_cordons=["node-1"])
    assert found.disks == {"node-1": "cordoned by an earlier run of this stack"}


_GONE = (
    "the node is not in Longhorn; disk /mnt/longhorn-sdb is not in Longhorn; "
    "disk /mnt/longhorn-sdc is not in Longhorn"
)


def _absent(
    *with_disks: str,
    node: dict[str, Any] | None = None,
    is_manned: bool = True,
    before: dict[str, str] | None = None,
    **change: Any,
) -> LonghornFindings:
    """What is found of node-1, which Longhorn does not have, or as it is given."""
    settings = load(valid(nodes=nodes({"tags": ["fast"], **change}, {}, {})))
    there = {name: _node(name, settings, is_closed=False, is_up=is_manned) for name in NAMES[1:]}
    storage = a_storage({**there, **({"node-1": node} if node else {})})
    found = LonghornFindings(disks=before or {})
    return with_absent_disks(found, storage, settings, with_disks)


def test_a_node_that_longhorn_does_not_have_any_more_is_an_update_and_its_tags_too() -> None:
    found = _absent("node-1")
    assert found.disks == {"node-1": _GONE}
    assert found.tags == {"node-1": "without the tag fast"}
    assert _absent("node-1", before={"node-1": "not cordoned"}).disks == {
        "node-1": f"not cordoned; {_GONE}"
    }


def test_a_node_that_longhorn_has_without_a_disk_is_an_update() -> None:
    empty = {"spec": {"disks": {}, "tags": ["fast"]}, "status": {}}
    found = _absent("node-1", node=empty)
    assert found.disks == {"node-1": _GONE.partition("; ")[2]}
    assert found.tags == {}


def test_no_disk_is_given_to_longhorn_where_nobody_knows_that_it_is_mounted() -> None:
    assert _absent("node-2", "node-3") == LonghornFindings()


@pytest.mark.parametrize(
    "change",
    [{"lost": True}, {"maintenance": True}, {"maintenance": "cordon"}, {"disks": [], "tags": []}],
    ids=["lost", "under maintenance", "cordoned for it", "without disks"],
)
def test_of_a_node_that_needs_no_disk_in_longhorn_now_nothing_is_found(
    change: dict[str, Any],
) -> None:
    assert _absent("node-1", **change) == LonghornFindings()


def test_before_longhorn_runs_on_any_node_no_node_is_missing_in_it() -> None:
    assert _absent("node-1", is_manned=False) == LonghornFindings()


_URL = "s3://bucket@region/"
_SET = {
    "backup-target": _URL,
    "backup-target-credential-secret": "own",
    "backupstore-poll-interval": "300",
}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, None),
        ({"backup-target": ""}, f"backup-target is empty, not {_URL}"),
        ({"backup-target": "nfs://a:/b"}, f"backup-target is nfs://a:/b, not {_URL}"),
        (
            {"backup-target-credential-secret": "other"},
            "backup-target-credential-secret is other, not own",
        ),
        ({"backupstore-poll-interval": "0"}, "backupstore-poll-interval is 0, not 300"),
    ],
)
def test_what_somebody_changed_of_the_backup_target_is_told_once(
    found: dict[str, str], said: str | None
) -> None:
    settings = load(valid(longhorn={"backup": {"target": _URL, "credentialSecret": "own"}}))
    values = {**_SET, **found}
    target = {
        "metadata": {"name": "default"},
        "spec": {"backupTargetURL": values["backup-target"]},
        "status": {"available": True},
    }
    storage = a_storage({}, settings=values, backup_targets=[target])
    seen = longhorn_findings(storage, settings, None, ())
    assert (seen.backup_settings, seen.backup_target) == (said, None)


def test_a_target_that_does_not_follow_its_setting_is_told_with_what_longhorn_has() -> None:
    settings = load(valid(longhorn={"backup": {"target": _URL, "credentialSecret": "own"}}))
    target = {"metadata": {"name": "default"}, "spec": {"backupTargetURL": ""}}
    storage = a_storage({}, settings=_SET, backup_targets=[target])
    seen = longhorn_findings(storage, settings, None, ())
    assert (seen.backup_settings, seen.backup_target) == (
        None,
        "Longhorn's backup target is empty",
    )


def test_of_a_stack_without_backups_no_target_is_asked_for() -> None:
    seen = longhorn_findings(a_storage({}), load(valid()), None, ())
    assert (seen.backup_settings, seen.backup_target) == (None, None)


def test_the_secret_of_the_programs_own_is_the_one_that_a_user_s_password_is_in() -> None:
    config = valid(longhorn={"backup": {"target": _URL, "user": "key"}})
    settings = load(with_secrets(config, longhornBackupPassword="correct horse"))
    values = {**_SET, "backup-target-credential-secret": "longhorn-backup-credentials"}
    storage = a_storage({}, settings=values)
    assert longhorn_findings(storage, settings, None, ()).backup_settings is None


@pytest.mark.parametrize(
    ("value", "said"), [("true", "deleting-confirmation-flag is true, not false"), ("false", None)]
)
def test_a_removal_of_longhorn_that_was_confirmed_by_hand_is_an_update_of_its_guard(
    value: str, said: str | None
) -> None:
    """Without it the removal of one node would leave its disks to an uninstallation."""
    storage = a_storage({}, settings={"deleting-confirmation-flag": value})
    assert longhorn_findings(storage, load(valid()), None, ()).removal == said
