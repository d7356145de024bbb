"""One run of the check against a cluster in memory: its steps, their failures, what stays."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.volume_check.backup_objects import OWNER
from components.volume_check.run import VolumeCheckRun
from tests.unit.doubles.a_clock import a_clock

_PROPS: dict[str, Any] = {
    "namespace": "checks",
    "script": "#!/bin/sh\n",
    "storage_class": "longhorn",
    "access_mode": "ReadWriteOnce",
    "size": "10Mi",
    "image": "busybox",
    "timeout_seconds": 60.0,
    "restore": True,
}
_WRITTEN = {"bytes": 4096, "seconds": 1, "sha256": "a" * 64}
_URL = "s3://bucket@region/?backup=b&volume=v"


class _Cluster:
    """Does at once what is asked; Longhorn's objects are in `custom`, by kind and name."""

    def __init__(self) -> None:
        self.core = self.batch = self.storage = self.custom = self
        self.done: list[str] = []
        self.objects: dict[str, dict[str, Any]] = {
            "backuptargets": {
                "default": {"spec": {"backupTargetURL": "s3://b@r/"}, "status": {"available": True}}
            },
            **{plural: {} for plural in ("snapshots", "backups", "backupvolumes", "volumes")},
        }
        self.backup_status: dict[str, Any] = {
            "state": "Completed",
            "url": _URL,
            "size": "2097152",
            "lastSyncedAt": "2024-05-01T02:00:00Z",
        }
        self.messages: dict[str, list[str]] = {
            step: [json.dumps(_WRITTEN)] for step in ("write", "read", "store", "hash")
        }
        self.claims: dict[str, Any] = {}
        self.classes: dict[str, Any] = {}
        self.jobs: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("list_", "create_", "delete_", "patch_")):
            return lambda *_words, **_options: SimpleNamespace(items=[])
        raise AttributeError(name)

    def read_namespace(self, _name: str) -> Any:
        return SimpleNamespace(metadata=SimpleNamespace(uid="the-uid"))

    def create_namespaced_persistent_volume_claim(self, _namespace: str, body: Any) -> None:
        name = body["metadata"]["name"]
        self.done.append(f"claim of {body['spec']['storageClassName']}")
        self.claims[name] = SimpleNamespace(
            metadata=SimpleNamespace(name=name),
            spec=SimpleNamespace(
                storage_class_name="longhorn", volume_name=f"pvc-{len(self.done)}"
            ),
            status=SimpleNamespace(phase="Bound", capacity={"storage": "10Mi"}),
        )

    def read_namespaced_persistent_volume_claim(self, name: str, _namespace: str) -> Any:
        return self.claims[name]

    def list_namespaced_persistent_volume_claim(self, *_words: Any, **_options: Any) -> Any:
        return SimpleNamespace(items=list(self.claims.values()))

    def delete_namespaced_persistent_volume_claim(self, name: str, _namespace: str) -> None:
        del self.claims[name]
        self.done.append("claim deleted")

    def read_storage_class(self, _name: str) -> Any:
        return SimpleNamespace(
            provisioner="driver.longhorn.io",
            parameters={"numberOfReplicas": "2"},
            volume_binding_mode="Immediate",
            mount_options=None,
        )

    def create_storage_class(self, body: Any) -> None:
        name = body["metadata"]["name"]
        self.classes[name] = SimpleNamespace(metadata=SimpleNamespace(name=name))
        self.done.append(f"class from {body['parameters']['fromBackup']}")

    def list_storage_class(self, **_options: Any) -> Any:
        return SimpleNamespace(items=list(self.classes.values()))

    def delete_storage_class(self, name: str) -> None:
        del self.classes[name]

    def create_namespaced_job(self, _namespace: str, body: Any) -> None:
        step = body["metadata"]["name"].rpartition("-")[2]
        self.jobs.append(step)
        self.done.append(step)

    def read_namespaced_job(self, _name: str, _namespace: str) -> Any:
        complete = SimpleNamespace(type="Complete", status="True", message="")
        return SimpleNamespace(status=SimpleNamespace(conditions=[complete]))

    def list_namespaced_pod(self, _namespace: str, label_selector: str) -> Any:
        def pod(message: str) -> Any:
            ended = SimpleNamespace(terminated=SimpleNamespace(message=message))
            containers = [SimpleNamespace(state=ended)]
            return SimpleNamespace(status=SimpleNamespace(container_statuses=containers))

        said = self.messages[label_selector.rpartition("-")[2]]
        return SimpleNamespace(items=[pod(message) for message in said])

    def create_namespaced_custom_object(self, *words: Any) -> None:
        *_group, plural, body = words
        name = body["metadata"]["name"]
        self.done.append(body["kind"])
        if plural == "snapshots":
            body["status"] = {"readyToUse": True}
        if plural == "backups":
            volume = body["metadata"]["labels"]["backup-volume"]
            body["status"] = self.backup_status
            self.objects["backupvolumes"][volume] = {"metadata": {"name": volume}}
        self.objects[plural][name] = body

    def get_namespaced_custom_object(self, *words: Any) -> Any:
        *_group, plural, name = words
        if name not in self.objects[plural]:
            raise ApiError(404)
        return self.objects[plural][name]

    def list_namespaced_custom_object(self, *words: Any, **_options: Any) -> Any:
        return {"items": list(self.objects[words[3]].values())}

    def delete_namespaced_custom_object(self, *words: Any) -> None:
        *_group, plural, name = words
        if name not in self.objects[plural]:
            raise ApiError(404)
        del self.objects[plural][name]
        self.done.append(f"{plural} deleted")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())


@pytest.fixture
def cluster() -> _Cluster:
    return _Cluster()


def _run(cluster: Any, **changes: Any) -> dict[str, Any]:
    return VolumeCheckRun(cluster, {**_PROPS, **changes}).run()


def _left(cluster: _Cluster) -> list[str]:
    names = [*cluster.claims, *cluster.classes]
    return names + [n for kind in ("backups", "backupvolumes") for n in cluster.objects[kind]]


def test_what_is_compared_has_gone_from_the_cluster_in_between(cluster: _Cluster) -> None:
    restored = _run(cluster)["restored"]
    assert cluster.done[:8] == [
        *("claim of longhorn", "write", "read", "store", "Snapshot", "Backup"),
        *("claim deleted", f"class from {_URL}"),
    ]
    assert cluster.done[8].startswith("claim of volume-check-")
    assert cluster.done[9] == "hash"
    assert (restored["bytes"], restored["backupBytes"]) == (4096, 2097152)
    assert restored["sha256"] == "a" * 64
    assert _left(cluster) == []


def test_without_a_restore_nothing_is_backed_up(cluster: _Cluster) -> None:
    assert _run(cluster, restore=None)["restored"] is None
    assert cluster.jobs == ["write", "read"]


def test_other_bytes_than_were_stored_end_the_check_and_nothing_stays(cluster: _Cluster) -> None:
    cluster.messages["hash"] = [json.dumps({**_WRITTEN, "sha256": "b" * 64})]
    with pytest.raises(RuntimeError, match=r"came back\. Do not rely on backups in this target"):
        _run(cluster)
    assert _left(cluster) == []


def test_the_report_of_the_pod_that_succeeded_counts(cluster: _Cluster) -> None:
    cluster.messages["hash"].insert(0, "DATA is not there")
    assert _run(cluster)["restored"] is not None
    cluster.messages["store"] = ["nothing useful"]
    with pytest.raises(RuntimeError, match=r"step store, ended without a report.*nothing useful"):
        _run(cluster)


def test_a_target_that_is_away_is_told_before_anything_is_made(cluster: _Cluster) -> None:
    cluster.objects["backuptargets"]["default"]["status"] = {
        "conditions": [{"type": "Unavailable", "status": "True", "message": "AccessDenied"}]
    }
    with pytest.raises(RuntimeError, match=r"AccessDenied.*correct longhorn\.backup"):
        _run(cluster)
    assert cluster.done == []


def test_a_backup_that_fails_takes_the_check_and_its_volume_along(cluster: _Cluster) -> None:
    cluster.backup_status = {"state": "Error", "error": "no space"}
    with pytest.raises(RuntimeError, match="Error: no space"):
        _run(cluster)
    assert _left(cluster) == []


def test_a_clean_up_that_the_cluster_refuses_does_not_hide_what_the_check_found(
    cluster: _Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.backup_status = {"state": "Error", "error": "no space"}

    def refuse(_name: str, _namespace: str) -> None:
        raise ApiError(403, "claims are forbidden")

    monkeypatch.setattr(cluster, "delete_namespaced_persistent_volume_claim", refuse)
    with pytest.raises(RuntimeError, match=r"no space.*Besides: claims are forbidden"):
        _run(cluster)


def _event(message: str, *, last: int | None = None, first: int | None = None) -> Any:
    def at(minute: int | None) -> datetime | None:
        return None if minute is None else datetime(2026, 1, 1, 0, minute, tzinfo=UTC)

    return SimpleNamespace(
        type="Warning",
        message=message,
        involved_object=SimpleNamespace(name="volume-check-1234"),
        last_timestamp=at(last),
        event_time=at(first),
    )


def test_what_a_job_waits_for_is_told_by_the_latest_event_and_not_by_the_last_name(
    cluster: _Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: "1234")
    events = [_event("of now", first=5), _event("of before", last=3), _event("without a time")]
    monkeypatch.setattr(
        cluster,
        "list_namespaced_event",
        lambda _namespace: SimpleNamespace(items=events),
        raising=False,
    )
    running = SimpleNamespace(status=SimpleNamespace(conditions=[]))
    monkeypatch.setattr(cluster, "read_namespaced_job", lambda *_words: running)
    with pytest.raises(TimeoutError, match=r"Job volume-check-1234-write runs \(of now\)"):
        _run(cluster)


def test_what_an_earlier_check_left_goes_first_and_backups_of_others_stay(
    cluster: _Cluster,
) -> None:
    for name, owner in (("own", "the-uid"), ("other", "another-uid")):
        cluster.objects["backups"][name] = {
            "metadata": {"name": name, "labels": {"backup-volume": f"pvc-{name}"}},
            "status": {"labels": {OWNER: owner}},
        }
        cluster.objects["backupvolumes"][f"pvc-{name}"] = {"metadata": {"name": f"pvc-{name}"}}
    _run(cluster, restore=None)
    assert cluster.done[:2] == ["backupvolumes deleted", "backups deleted"]
    assert list(cluster.objects["backups"]) == ["other"]
    assert list(cluster.objects["backupvolumes"]) == ["pvc-other"]
