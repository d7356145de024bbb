"""`make status`: what is wrong first, and an exit status that a cron job can go by."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.longhorn.findings import LonghornFindings
from components.longhorn.storage import Storage
from components.preflight.longhorn import longhorn_findings
from components.preflight.rancher_server import RancherSeen
from components.preflight.report import CheckResult
from tests.unit.doubles.a_stack import load, nodes, valid
from tests.unit.doubles.a_storage import a_storage
from tools.status import __main__ as command
from tools.status.screen import status_page
from tools.status.status import Status, status_of

GIB = 2**30
TRUE = [{"type": "Ready", "status": "True"}]


def _node() -> dict[str, Any]:
    said = {
        "storageMaximum": 10 * GIB,
        "storageAvailable": 8 * GIB,
        "storageScheduled": GIB,
        "conditions": TRUE,
    }
    disk = {"path": "/mnt/longhorn-sdb", "allowScheduling": True, "storageReserved": 0}
    return {
        "spec": {"allowScheduling": True, "disks": {"a": disk}},
        "status": {"conditions": TRUE, "diskStatus": {"a": said}},
    }


def _volume(name: str, robustness: str) -> dict[str, Any]:
    claim = {"namespace": "default", "pvcName": f"claim-of-{name}"}
    return {
        "metadata": {"name": name},
        "spec": {"size": str(GIB), "numberOfReplicas": 2},
        "status": {"state": "attached", "robustness": robustness, "kubernetesStatus": claim},
    }


def _storage(*volumes: dict[str, Any]) -> Storage:
    replica = {
        "nodeID": "node-1",
        "volumeName": "a",
        "volumeSize": str(GIB),
        "healthyAt": "2024-01-01T00:00:00Z",
    }
    failed = {**replica, "nodeID": "node-2", "failedAt": "2024-01-01T00:00:00Z"}
    nodes = {"node-1": _node(), "node-2": _node()}
    return a_storage(nodes, volumes=volumes, replicas=[{"spec": replica}, {"spec": failed}])


def _status(
    *volumes: dict[str, Any],
    findings: LonghornFindings | None = None,
    checks: dict[str, Any] | None = None,
    **longhorn: Any,
) -> Status:
    settings = load(valid(longhorn={"replicaCount": 2, **longhorn}, checks=checks))
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    return status_of("one", settings, _storage(*volumes), findings or LonghornFindings(), now)


def test_a_volume_without_a_young_backup_is_a_problem_where_the_stack_file_asks() -> None:
    backup = {"target": "nfs://10.0.0.9:/backups", "maximumAgeHours": 24}
    status = _status(_volume("a", "healthy"), backup=backup)
    old, unreached = (problem.found for problem in status.problems)
    assert old == (
        "1 volume without a backup of the last 24 hours: a (claim default/claim-of-a, never)"
    )
    assert unreached.startswith("no backup job of this stack reaches a (claim default/claim-of-a)")
    assert status.severity == "warning"


@pytest.mark.parametrize(
    ("volumes", "closed", "severity"),
    [
        (["healthy"], {}, "well"),
        (["degraded"], {}, "warning"),
        ([], {"node-1": "closed"}, "warning"),
        (["degraded", "faulted"], {}, "critical"),
    ],
)
def test_the_worst_problem_decides(
    volumes: list[str], closed: dict[str, str], severity: str
) -> None:
    ill = [_volume(robustness, robustness) for robustness in volumes]
    assert _status(*ill, findings=LonghornFindings(disks=closed)).severity == severity


def test_a_class_or_job_that_is_gone_is_a_problem_that_up_puts_right() -> None:
    gone = "recurring job nightly is not there"
    (problem,) = _status(findings=LonghornFindings(policies=gone)).problems
    assert (problem.found, problem.remedy) == (gone, "`pulumi up` puts it right.")


def test_what_is_worst_comes_first_and_every_problem_has_a_remedy() -> None:
    findings = LonghornFindings(settings="log-level is Debug, not Info")
    status = _status(_volume("a", "degraded"), _volume("b", "faulted"), findings=findings)
    assert [each.severity for each in status.problems] == ["critical", "warning", "warning"]
    assert all(each.remedy for each in status.problems)
    assert status.problems[-1].found == "log-level is Debug, not Info"


@pytest.mark.parametrize("field", dataclasses.fields(LonghornFindings), ids=lambda each: each.name)
def test_whatever_is_not_as_the_stack_file_says_in_longhorn_is_a_problem(
    field: dataclasses.Field[Any],
) -> None:
    found: Any = {"node-1": "it is away"} if field.default is dataclasses.MISSING else "it is away"
    status = _status(findings=LonghornFindings(**{field.name: found}))
    (problem,) = status.problems
    assert "it is away" in problem.found
    assert status.severity == "warning"


def test_the_loss_of_a_node_is_a_problem_where_the_stack_is_to_survive_it() -> None:
    assert _status(_volume("a", "healthy")).severity == "well"
    status = _status(_volume("a", "healthy"), checks={"survive": "1 node"})
    (problem,) = status.problems
    assert problem.found.startswith("the loss of this node would lose a, which")
    assert (problem.where, status.severity) == ("node-1", "warning")


def test_a_class_that_is_about_to_be_replaced_is_a_problem() -> None:
    settings = load(valid(longhorn={"storageClasses": [{"name": "fast"}]}))
    storage = _storage()
    snapshot = dataclasses.replace(storage.snapshot, class_parts={"fast": {"parameters": {}}})
    storage = dataclasses.replace(storage, snapshot=snapshot)
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    (problem,) = status_of("one", settings, storage, LonghornFindings(), now).problems
    assert problem.found.startswith("StorageClass fast is made anew")


@pytest.mark.parametrize(("robustness", "severity"), [("degraded", "well"), ("faulted", "warning")])
def test_an_accepted_warning_is_silent_and_what_is_worse_is_then_a_warning(
    robustness: str, severity: str
) -> None:
    status = _status(_volume("a", robustness), checks={"accept": ["volumeHealth"]})
    assert status.severity == severity


@pytest.mark.parametrize("accept", [[], ["maintenance"]])
def test_what_would_stop_a_maintenance_is_told_and_keeps_no_data_away(accept: list[str]) -> None:
    closed = [{"name": "node-1", "maintenance": True}, {"name": "node-2", "maintenance": True}]
    settings = load(valid(nodes=nodes(*closed), checks={"accept": accept}))
    last = {"nodeID": "node-1", "volumeName": "a", "healthyAt": "then"}
    storage = dataclasses.replace(_storage(_volume("a", "healthy")), replicas=[{"spec": last}])
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    status = status_of("one", settings, storage, LonghornFindings(), now)
    told = [each for each in status.problems if "last healthy replica here" in each.found]
    assert [(each.where, each.severity) for each in told] == [("node-1", "warning")]
    assert status.severity == "warning"


def test_of_a_longhorn_that_is_not_part_of_the_stack_only_the_health_is_told() -> None:
    backup = {"target": "nfs://10.0.0.9:/backups", "maximumAgeHours": 24}
    settings = load(valid(longhorn={"backup": backup}, stages={"longhorn": False}))
    storage = _storage(_volume("a", "degraded"))
    findings = longhorn_findings(storage, settings, "its release failed", [])
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    (problem,) = status_of("one", settings, storage, findings, now).problems
    assert problem.found.startswith("1 degraded volume")


def test_replicas_are_those_of_the_class_longhorn() -> None:
    settings = load(valid(longhorn={"values": {"persistence": {"defaultClassReplicaCount": 1}}}))
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert status_of("one", settings, _storage(), LonghornFindings(), now).replicas == 1


def test_volumes_disks_and_room_are_told() -> None:
    status = _status(_volume("a", "healthy"), _volume("b", "degraded"))
    assert [(each.name, each.claim, each.replicas) for each in status.volumes] == [
        ("b", "default/claim-of-b", 0),
        ("a", "default/claim-of-a", 1),
    ]
    assert [(disk.node, disk.room) for disk in status.disks] == [
        ("node-1", 9 * GIB),
        ("node-2", 9 * GIB),
    ]
    assert (status.replicas, status.largest_volume) == (2, 9 * GIB)
    assert [loss.node for loss in status.losses] == ["node-1"]


@pytest.mark.parametrize("spoilt", ["rebuilding", "node down"])
def test_a_replica_that_is_not_intact_or_not_reached_is_not_counted(spoilt: str) -> None:
    storage = _storage(_volume("a", "degraded"))
    other = {**storage.replicas[0]["spec"], "nodeID": "node-2"}
    nodes = {"node-1": _node(), "node-2": _node()}
    if spoilt == "rebuilding":
        other["healthyAt"] = ""
    else:
        nodes["node-2"]["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    storage = a_storage(
        nodes, volumes=storage.volumes, replicas=[storage.replicas[0], {"spec": other}]
    )
    settings = load(valid(longhorn={"replicaCount": 2}, checks={"survive": "1 node"}))
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    status = status_of("one", settings, storage, LonghornFindings(), now)
    assert [(each.replicas, each.wanted_replicas) for each in status.volumes] == [(1, 2)]
    told = [(each.where, each.found) for each in status.problems]
    found = (
        "the loss of this node would lose a, which has no intact replica elsewhere that Longhorn "
        "reaches now"
    )
    assert ("node-1", found) in told


def test_the_page_is_one_file_that_names_what_is_wrong() -> None:
    page = status_page(_status(_volume("a", "faulted")))
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert "1 faulted volume: a (claim default/claim-of-a)" in page
    assert "http" not in page


def _named_in_brackets() -> Storage:
    """A disk of which Longhorn says which others have its file system."""
    storage = _storage()
    said = {"type": "Ready", "status": "False", "message": "as other disks [a b] :warning:"}
    node = _node()
    node["status"]["diskStatus"]["a"]["conditions"] = [said]
    snapshot = dataclasses.replace(storage.snapshot, nodes={"node-1": node})
    return dataclasses.replace(storage, snapshot=snapshot)


def test_the_page_keeps_what_longhorn_writes_in_brackets() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    status = status_of("one", load(valid()), _named_in_brackets(), LonghornFindings(), now)
    assert "as other disks [a b] :warning:" in status_page(status)


@pytest.mark.usefixtures("asked")
def test_a_container_of_ranchers_that_does_not_run_is_a_problem_and_so_is_an_old_backup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = CheckResult(
        node="Docker host", check="rancherBackup", severity="warning", found="old", remedy="See."
    )
    seen = RancherSeen(results=[old], finding="container rancher is stopped")
    monkeypatch.setattr(command, "look_at_rancher", lambda *_words: lambda: seen)
    monkeypatch.setattr(command, "read_storage", lambda _api: _storage(_volume("a", "healthy")))
    assert command.main(["three-nodes", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["problems"]
    assert [(each["where"], each["found"]) for each in told] == [
        ("Docker host", "old"),
        ("Rancher", "container rancher is stopped"),
    ]


class _Cluster:
    def __init__(self, *_words: Any) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ClusterApi", _Cluster)
    monkeypatch.setattr(command, "release_finding", lambda _api: None)
    monkeypatch.setattr(command, "read_nodes", lambda _api: {})
    monkeypatch.setattr(command, "longhorn_findings", lambda *_words: LonghornFindings())
    monkeypatch.setattr(command, "look_at_rancher", lambda *_words: RancherSeen)
    monkeypatch.setattr(command, "with_kept_objects", lambda found, *_words, **_more: found)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("storage", "ends_with"),
    [
        (_storage(_volume("a", "healthy")), 0),
        (_storage(_volume("a", "degraded")), 1),
        (_storage(_volume("a", "faulted")), 2),
        (None, 3),
    ],
)
def test_the_exit_status_tells_how_bad_it_is(
    storage: Storage | None,
    ends_with: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "read_storage", lambda _api: storage)
    page = tmp_path / "status.html"
    assert command.main(["three-nodes", "--json", "--html", str(page)]) == ends_with
    said = capsys.readouterr()
    assert page.exists() is (storage is not None)
    if storage is None:
        assert "stack three-nodes: the cluster could not be read" in said.err
    else:
        assert (
            json.loads(said.out)["severity"] == {0: "well", 1: "warning", 2: "critical"}[ends_with]
        )


@pytest.mark.usefixtures("asked")
def test_the_screen_keeps_what_longhorn_writes_in_brackets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "read_storage", lambda _api: _named_in_brackets())
    command.main(["three-nodes"])
    assert "as other disks [a b] :warning:" in " ".join(capsys.readouterr().out.split())


def test_a_stack_that_is_not_there_is_named_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["no-such"]) == 3
    assert "three-nodes" in capsys.readouterr().err
