"""Backups in a real object store, and restores from it that are seen.

The store is versitygw, asked over its S3 interface. Longhorn's manager is the lab's stand-in: it
writes what is in the played volumes into the store, in Longhorn's own form, and reads it back. The
volume check's script really runs, on a real file system. The tests share one stack and follow one
another.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lab.common.waiting import wait_until
from lab.longhorn import object_store
from lab.longhorn.manager_stand_in.backup_store import BackupStore
from lab.longhorn.object_store import ObjectStore
from lab.longhorn.played_volumes import content
from tests.engine.engine import Engine, Stack
from tests.engine.longhorn_lab import LONGHORN, MEBIBYTE, LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.runbook import commands

pytestmark = needs_longhorn

_LONGHORN = "longhorn-rancher:longhorn"
_CHECK = "longhorn-rancher:volumeCheck"
_PASSWORD = "longhorn-rancher:longhornBackupPassword"  # noqa: S105  the name of the secret
_UP_SECONDS = 900


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(1, "stand-in") as one:
        yield one


@pytest.fixture(scope="module")
def store(lab: LonghornLab) -> Iterator[ObjectStore]:
    del lab  # the store has an address in its network
    try:
        yield object_store.up()
    finally:
        object_store.down()


@pytest.fixture(scope="module")
def config(lab: LonghornLab, store: ObjectStore) -> dict[str, Any]:
    backup = {"target": store.target, "endpoint": store.endpoint, "user": store.user}
    made = lab.config(backup={**backup, "timeoutSeconds": 60, "pollSeconds": 5})
    made["longhorn-rancher:stages"] |= {"volumeCheck": True}
    made[_CHECK] = {"restore": True, "restoreEveryDays": 30}
    return made


@pytest.fixture(scope="module")
def stack(
    config: dict[str, Any], store: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("restore") / "engine"
    one = Engine(folder).project_stack(
        "restore", config=config, secrets={_PASSWORD: store.password}
    )
    one.up(seconds=_UP_SECONDS).or_fail()
    yield one
    one.destroy(seconds=_UP_SECONDS).or_fail()


@pytest.fixture
def opened(store: ObjectStore) -> BackupStore:
    """The store as Longhorn opens it."""
    keys = {"AWS_ACCESS_KEY_ID": store.user, "AWS_SECRET_ACCESS_KEY": store.password}
    return BackupStore(store.target, {**keys, "AWS_ENDPOINTS": store.endpoint})


def test_a_restore_was_seen_and_nothing_of_it_is_left(
    stack: Stack, lab: LonghornLab, store: ObjectStore
) -> None:
    seen = stack.outputs()["volumeCheck"]["restored"]
    assert MEBIBYTE < seen["bytes"] <= seen["backupBytes"] <= 10 * MEBIBYTE
    assert len(seen["sha256"]) == 64
    _assert_nothing_is_left(lab, store)
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_another_number_proves_it_again(stack: Stack, config: dict[str, Any]) -> None:
    before = stack.outputs()["volumeCheck"]["restored"]
    stack.configure({_CHECK: {**config[_CHECK], "run": 2}})
    stack.up(seconds=_UP_SECONDS).or_fail()
    after = stack.outputs()["volumeCheck"]["restored"]
    assert (after["at"], after["sha256"]) != (before["at"], before["sha256"])


def test_a_proof_that_is_too_old_shows_and_the_next_up_renews_it(stack: Stack) -> None:
    state = stack.export()
    (check,) = (
        each
        for each in state["deployment"]["resources"]
        if each["urn"].endswith("longhorn:VolumeCheck::volume-check")
    )
    check["outputs"]["restored"]["at"] = "2024-05-01T02:00:00Z"
    stack.pulumi("stack", "import", text=json.dumps(state))
    previewed = stack.preview().or_fail()
    assert previewed.step("volume-check", "update")
    assert "the last restore that was seen is" in previewed.log
    assert "2024-05-01T02:00:00Z" in previewed.log
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert stack.outputs()["volumeCheck"]["restored"]["at"] > "2024-05-01T02:00:00Z"
    assert stack.preview().or_fail().operations() == {}


def test_what_a_killed_check_left_goes_with_the_next_and_nobody_else_s_backup(
    stack: Stack, lab: LonghornLab, store: ObjectStore, opened: BackupStore, config: dict[str, Any]
) -> None:
    _write(opened, "of-another-cluster", {"longhorn-rancher-volume-check": "another uid"})
    others = store.files()
    stack.configure({_CHECK: {**config[_CHECK], "run": 3}})
    running = stack.start("up", seconds=_UP_SECONDS)
    wait_until(
        lambda: [file for file in store.files() if file not in others and file.suffix == ".cfg"],
        doing="the volume check has a backup in the store",
        seconds=300,
    )
    running.kill()
    stack.unlock()
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert store.files() == others
    _assert_nothing_is_left(lab, store, others=["of-another-cluster"])
    opened.remove_volume("of-another-cluster")


def test_bytes_that_are_broken_in_the_store_end_no_up_well(
    stack: Stack, lab: LonghornLab, store: ObjectStore, config: dict[str, Any]
) -> None:
    stack.configure({_CHECK: {**config[_CHECK], "run": 4}})
    running = stack.start("up", seconds=_UP_SECONDS)

    def broken() -> bool:
        noted = [file for file in store.files() if file.parent.name == "backups"]
        blocks = [file for file in store.files() if file.suffix == ".blk"]
        if noted:
            for block in blocks:
                store.path(block).write_bytes(b"broken")
        return bool(noted)

    wait_until(broken, doing="the volume check has a backup in the store", seconds=300)
    outcome = running.wait()
    assert not outcome.succeeded
    assert "volume check, restore: Longhorn says: All replica restore failed" in outcome.errors()
    _assert_nothing_is_left(lab, store)
    stack.up(seconds=_UP_SECONDS).or_fail()


def test_a_wrong_password_is_told_in_the_words_of_the_store(
    stack: Stack, store: ObjectStore
) -> None:
    stack.configure(secrets={_PASSWORD: "another-one"})
    outcome = stack.up(seconds=_UP_SECONDS)
    assert not outcome.succeeded
    assert "SignatureDoesNotMatch" in outcome.errors()
    assert "another-one" not in outcome.log
    stack.configure(secrets={_PASSWORD: store.password})
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_a_target_that_is_away_shows_in_the_next_preview_with_longhorn_s_reason(
    stack: Stack, lab: LonghornLab, store: ObjectStore
) -> None:
    object_store.stop()
    wait_until(
        lambda: not _target(lab)["status"]["available"],
        doing="Longhorn misses its target",
        seconds=60,
    )
    previewed = stack.preview("--diff").or_fail()
    assert previewed.step("longhorn-policies-backup-target", "update")
    assert "error listing backup volume names" in previewed.log
    assert object_store.up() == store
    stack.up(seconds=_UP_SECONDS).or_fail()
    assert stack.preview().or_fail().operations() == {}


def test_the_runbook_restores_a_volume_as_it_is_written(
    stack: Stack, lab: LonghornLab, opened: BackupStore
) -> None:
    del stack
    volume = lab.claim("data")
    written = os.urandom(MEBIBYTE)
    with content.ensure(volume, 10 * MEBIBYTE).open("r+b") as device:
        device.write(written)
    lab.apply(
        _longhorn("Snapshot", "kept", {"volume": volume, "createSnapshot": True}),
        _longhorn("Backup", "kept", {"snapshotName": "kept"}, {"backup-volume": volume}),
    )
    wait_until(lambda: opened.backup("kept", volume), doing="the volume is backed up", seconds=60)
    lab.unclaim("data")
    assert "kept" in _sh(lab, commands("restore-a-volume", "Find the backup"))
    values = {"backup-1111111111111111": "kept"}
    _sh(lab, commands("restore-a-volume", "Restore it", values))
    (claim,) = lab.objects("pvc", "-n", "default", "--field-selector=metadata.name=data-restored")
    restored = content.image(claim["spec"]["volumeName"]).read_bytes()
    assert restored[:MEBIBYTE] == written
    assert len(restored) == 10 * MEBIBYTE
    _sh(lab, "CLAIM=data-restored\n" + commands("restore-a-volume", "Use it"))
    name = claim["spec"]["volumeName"]
    lab.kubectl("patch", "pv", name, "-p", '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}')
    lab.unclaim("data-restored")
    lab.kubectl("delete", "backupvolumes.longhorn.io", volume, "-n", LONGHORN)
    assert opened.volumes() == set()


def _assert_nothing_is_left(
    lab: LonghornLab, store: ObjectStore, others: list[str] | None = None
) -> None:
    for kind in ("backups", "snapshots", "volumes"):
        found = lab.objects(f"{kind}.longhorn.io", "-n", LONGHORN)
        names = [each["metadata"]["name"] for each in found]
        assert not [name for name in names if name.startswith("volume-check")], kind
    found = lab.objects("backupvolumes.longhorn.io", "-n", LONGHORN)
    assert [each["metadata"]["name"] for each in found] == (others or [])
    assert [each["metadata"]["name"] for each in lab.objects("storageclasses")] == ["longhorn"]
    assert lab.objects("persistentvolumes") == []
    if not others:
        assert store.files() == []


def _write(opened: BackupStore, volume: str, labels: dict[str, str]) -> None:
    """A backup that some cluster has made."""
    image = content.ensure("elsewhere", 10 * MEBIBYTE)
    image.write_bytes(b"x" * MEBIBYTE)
    made = "2024-05-01T02:00:00Z"
    times = {"SnapshotName": "s", "SnapshotCreatedAt": made, "CreatedTime": made}
    opened.write(
        image,
        {"Name": f"backup-{volume}", "VolumeName": volume, "Labels": labels, **times},
        {"Name": volume, "Size": str(10 * MEBIBYTE), "Labels": {}, "CreatedTime": made},
    )
    content.remove("elsewhere")


def _target(lab: LonghornLab) -> dict[str, Any]:
    (target,) = lab.objects("backuptargets.longhorn.io", "-n", LONGHORN)
    return target


def _longhorn(
    kind: str, name: str, spec: dict[str, Any], labels: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": kind,
        "metadata": {"name": name, "namespace": LONGHORN, "labels": labels or {}},
        "spec": {"labels": {}, **spec},
    }


def _sh(lab: LonghornLab, text: str) -> str:
    """Run what a page says in a shell; standard output."""
    done = subprocess.run(
        ["sh", "-eu"],
        input=text,
        env={**os.environ, "KUBECONFIG": str(lab.cluster.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
