"""The wait for all of Longhorn: again when a refresh finds something missing."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.common.dynamic import FINDING
from components.longhorn import ready
from components.longhorn.findings import NOT_RUNNING
from components.longhorn.ready import LonghornReadyProvider
from components.longhorn.snapshot import Snapshot, Workload
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_storage import a_storage

DISK = {"name": "a", "allowScheduling": True, "storageReserved": 0, "tags": [], "uuid": "1"}
PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "version": "1.5.3",
    "disks_by_node": {"node-1": {"/mnt/a": DISK}},
    "owner": "project/one",
    "missing": [],
    "default_storage_class": True,
    "timeout_seconds": 1800,
    "default_class": "longhorn",
}


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(ready, "open_cluster", lambda _props: None)
    snapshot = SimpleNamespace(storage_classes=["longhorn"], default_classes=["longhorn"])
    monkeypatch.setattr(ready, "read_snapshot", lambda _cluster: snapshot)
    monkeypatch.setattr(ready, "missing_parts", lambda *_given, **_options: list(lines))
    return lines


def test_what_a_refresh_finds_missing_is_waited_for_again(missing: list[str]) -> None:
    missing.append("DaemonSet longhorn-manager")
    state = LonghornReadyProvider().read("longhorn", PROPS).outs or {}
    assert LonghornReadyProvider().diff("longhorn", state, PROPS).changes is True


def test_a_refresh_of_a_longhorn_that_is_whole_shows_nothing(missing: list[str]) -> None:
    assert missing == []
    state = LonghornReadyProvider().read("longhorn", PROPS).outs or {}
    assert LonghornReadyProvider().diff("longhorn", state, PROPS).changes is False


def test_a_longhorn_that_somebody_took_out_is_told_at_once_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    assert missing == []
    monkeypatch.setattr(ready, "put_late_disks", lambda *_given: [])
    monkeypatch.setattr(ready, "take_default_class", lambda *_given: None)
    parts: list[Workload] = []
    snapshot = replace(a_storage().snapshot, daemon_sets=parts)
    monkeypatch.setattr(ready, "read_snapshot", lambda _cluster: snapshot)
    provider, found = LonghornReadyProvider(), {**PROPS, FINDING: NOT_RUNNING}
    assert provider.diff("longhorn", PROPS, found).changes is True
    with pytest.raises(RuntimeError, match="up --refresh"):
        provider.update("longhorn", PROPS, found)
    # This run's release has installed it.
    parts.extend(a_storage().snapshot.daemon_sets)
    provider.update("longhorn", PROPS, found)


class _Driver:
    """A cluster of which only the CSI driver's parts are asked for."""

    def __init__(self) -> None:
        self.core = self.apps = self
        self.deleted: list[str] = []

    def delete_namespaced_deployment(self, name: str, namespace: str) -> None:
        self.deleted.append(f"{namespace}/{name}")

    def delete_collection_namespaced_pod(self, namespace: str, *, label_selector: str) -> None:
        self.deleted.append(f"{namespace} {label_selector}")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> _Driver:
    assert missing == []
    one = _Driver()
    monkeypatch.setattr(ready, "open_cluster", lambda _props: one)
    monkeypatch.setattr(ready, "put_late_disks", lambda *_given: [])
    monkeypatch.setattr(ready, "take_default_class", lambda *_given: None)
    return one


def _changed(
    monkeypatch: pytest.MonkeyPatch, snapshot: Snapshot, said: str | None, **old: Any
) -> None:
    monkeypatch.setattr(ready, "read_snapshot", lambda _cluster: snapshot)
    LonghornReadyProvider().change({**PROPS, **old}, {**PROPS, FINDING: said})


def test_parts_of_the_csi_driver_that_are_gone_are_made_by_longhorns_own_deployer(
    monkeypatch: pytest.MonkeyPatch, driver: _Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = a_storage().snapshot
    idle = [
        replace(each, wanted=0) if each.name == "csi-resizer" else each
        for each in snapshot.deployments
        if each.name != "csi-attacher"
    ]
    _changed(monkeypatch, replace(snapshot, deployments=idle), "gone")
    assert driver.deleted == [
        "longhorn-system/csi-resizer",
        "longhorn-system app=longhorn-driver-deployer",
    ]
    said = capsys.readouterr().err
    assert "Deployment csi-attacher is gone; Deployment csi-resizer is scaled to 0: longho" in said


def test_a_driver_that_is_whole_is_left_alone_whatever_else_is_found(
    monkeypatch: pytest.MonkeyPatch, driver: _Driver
) -> None:
    _changed(monkeypatch, a_storage().snapshot, "StorageClass b is the default beside longhorn")
    assert driver.deleted == []


def test_a_driver_that_has_just_been_installed_is_left_to_its_deployer(
    monkeypatch: pytest.MonkeyPatch, driver: _Driver
) -> None:
    """As after `up --refresh` where somebody had taken Longhorn out."""
    _changed(monkeypatch, replace(a_storage().snapshot, deployments=[]), NOT_RUNNING)
    assert driver.deleted == []


@pytest.mark.parametrize("closed", [["node-1"], []])
def test_the_wait_knows_whose_hosts_may_be_down(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], closed: list[str]
) -> None:
    assert missing == []
    given: list[Any] = []

    def parts(_snapshot: Any, **options: Any) -> list[str]:
        given.append(list(options["closed"]))
        return []

    monkeypatch.setattr(ready, "put_late_disks", lambda *_given: [])
    monkeypatch.setattr(ready, "missing_parts", parts)
    monkeypatch.setattr(ready, "take_default_class", lambda *_given: None)
    LonghornReadyProvider().create({**PROPS, "closed": closed})
    assert given == [closed]


def test_late_disks_are_put_during_the_wait(
    monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    assert missing == []
    given: list[Any] = []

    def put(_cluster: Any, props: dict[str, Any]) -> list[str]:
        given.append(props["disks_by_node"])
        return []

    monkeypatch.setattr(ready, "put_late_disks", put)
    assert LonghornReadyProvider().create(PROPS).outs == PROPS
    assert given == [PROPS["disks_by_node"]]


@pytest.mark.parametrize("wanted", [True, False])
def test_the_default_class_is_told_as_a_look_of_the_wait_has_seen_it_once_it_is_settled(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], wanted: bool
) -> None:
    """A look behind the wait would fail where the cluster does not answer for a moment."""
    assert missing == []
    looks: list[list[str] | None] = [["before"], None, ["after"]]

    def look(_cluster: Any) -> Any:
        classes = looks.pop(0)
        if classes is None:
            raise ApiError(503)
        return SimpleNamespace(default_classes=classes)

    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    monkeypatch.setattr(ready, "put_late_disks", lambda *_given: [])
    monkeypatch.setattr(ready, "read_snapshot", look)
    for name in ("take_default_class", "give_back_default_class"):
        monkeypatch.setattr(
            ready, name, lambda _cluster, found, _owner: found.default_classes == ["before"]
        )
    state = LonghornReadyProvider().create({**PROPS, "default_storage_class": wanted}).outs or {}
    assert state["default_class"] == "after"
    assert looks == []


@pytest.mark.parametrize(("wanted", "settled"), [(True, "taken"), (False, "given back")])
def test_the_default_class_is_seen_to_during_the_wait_as_the_stack_file_says(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], wanted: bool, settled: str
) -> None:
    assert missing == []
    done: list[str] = []
    monkeypatch.setattr(ready, "put_late_disks", lambda *_given: [])
    for name, what in (("take", "taken"), ("give_back", "given back")):
        monkeypatch.setattr(
            ready, f"{name}_default_class", lambda *_given, what=what: done.append(what)
        )
    LonghornReadyProvider().create({**PROPS, "default_storage_class": wanted})
    assert done == [settled]


@pytest.mark.parametrize("key", ["kubeconfig", "version", "disks_by_node", "owner"])
def test_what_is_waited_for_is_compared(key: str) -> None:
    assert LonghornReadyProvider().diff("id", PROPS, {**PROPS, key: "x"}).changes is True


def test_another_file_system_of_a_disk_is_waited_for_again() -> None:
    disks = {"node-1": {"/mnt/a": {**DISK, "uuid": "2"}}}
    assert LonghornReadyProvider().diff("id", PROPS, {**PROPS, "disks_by_node": disks}).changes
