"""Rancher's containers that somebody has stopped or removed: found, and started again."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown

from components.common import waiting
from components.common.owner import MARK
from components.docker.state import GONE, ContainerState, container_state
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from components.rancher.server.backup.reading import BackupWork
from components.rancher.server.running import RancherRunningProvider
from components.rancher.server.running_rules import (
    RancherContainers,
    Start,
    not_yet,
    running_finding,
    starts,
)
from components.rancher.server.server import once_done
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_docker import OWNER, DockerDouble, container, docker_double
from tests.unit.doubles.a_stack import run, valid, waits_for

_ENDED = datetime(2024, 5, 2, 10, tzinfo=UTC)
_HOST = "ssh://operator@docker.example.com"
_GONE = "is not there; if somebody removed it, `pulumi up --refresh` makes it again"
_STOPPED = "container rancher is stopped since 2024-05-02 10:00:00 UTC (exit code 0)"
_BY_BACKUP = BackupWork(has_stopped_rancher=True, is_packing=True)
_RANCHER: dict[str, Any] = {"url": "https://rancher.example.com"}
PROVIDER = RancherRunningProvider()


def _state(name: str, status: str = "running", **state: Any) -> ContainerState:
    told = None if status == GONE else container(name, status, **state)
    return container_state(name, told)


def _containers(
    rancher: str = "running",
    backup: str | None = None,
    work: BackupWork | None = None,
    **state: Any,
) -> RancherContainers:
    return RancherContainers(
        rancher=_state("rancher", rancher, **state),
        backup=None if backup is None else _state("rancher-backup", backup),
        owner=OWNER,
        work=work or BackupWork(),
    )


def _finding(found: RancherContainers, minutes: float = 1) -> str | None:
    return running_finding(found, _HOST, _ENDED + timedelta(minutes=minutes))


@pytest.mark.parametrize("found", [_containers(), _containers(backup="running")])
def test_containers_that_run_are_no_finding(found: RancherContainers) -> None:
    assert _finding(found) is None


@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        ("exited", {}, _STOPPED),
        (
            "exited",
            {"ExitCode": 128, "Error": "address already in use"},
            f"{_STOPPED[:-2]}128: address already in use)",
        ),
        ("created", {}, "container rancher was never started"),
        ("created", {"Error": "no such folder"}, "container rancher was never started (no such fo"),
        ("paused", {}, "container rancher is paused"),
        ("removing", {}, "container rancher is removing"),
        ("dead", {}, "container rancher is dead, and `pulumi up --refresh` makes it anew"),
        (GONE, {}, f"container rancher {_GONE}"),
    ],
)
def test_one_that_does_not_run_is_named_with_its_docker_host(
    status: str, state: dict[str, Any], said: str
) -> None:
    found = _finding(_containers(status, "running", **state))
    assert found is not None
    assert found.startswith(said)
    assert found.endswith(f" (Docker host {_HOST})")
    assert "rancher-backup" not in found


def test_both_are_told_in_one_line() -> None:
    assert _finding(_containers("exited", GONE)) == (
        f"{_STOPPED}; container rancher-backup {_GONE} (Docker host {_HOST})"
    )


@pytest.mark.parametrize("status", ["restarting", "running"])
def test_one_that_docker_starts_or_checks_is_left_to_docker(status: str) -> None:
    assert _finding(_containers(status, Health={"Status": "unhealthy"})) is None


@pytest.mark.parametrize("work", [_BY_BACKUP, BackupWork(has_stopped_rancher=True)])
def test_rancher_that_a_backup_has_stopped_is_no_finding_as_long_as_one_may_take(
    work: BackupWork,
) -> None:
    found = _containers("exited", "running", work)
    assert _finding(found, minutes=119) is None
    assert _finding(found, minutes=121) is not None


def test_rancher_that_a_backup_has_tried_to_start_in_vain_is_a_finding_at_once() -> None:
    work = BackupWork(has_stopped_rancher=True)
    found = _finding(_containers("exited", "running", work, Error="address already in use"))
    assert found is not None
    assert "address already in use" in found


def test_rancher_that_somebody_else_stopped_is_a_finding_also_while_its_data_is_packed() -> None:
    assert _finding(_containers("exited", "running", BackupWork(is_packing=True))) is not None


_START, _UNPAUSE = Start(name="rancher", verb="start"), Start(name="rancher", verb="unpause")
_START_BACKUP = Start(name="rancher-backup", verb="start")
_UNPAUSE_BACKUP = Start(name="rancher-backup", verb="unpause")


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (_containers(backup="running"), []),
        (_containers("restarting", "restarting"), []),
        (_containers("exited"), [_START]),
        (_containers("created"), [_START]),
        (_containers("paused"), [_UNPAUSE]),
        (_containers("exited", "running"), [_START]),
        (_containers("exited", "exited"), [_START, _START_BACKUP]),
        (_containers("running", "exited"), [_START_BACKUP]),
        (_containers("paused", "paused"), [_UNPAUSE, _UNPAUSE_BACKUP]),
    ],
)
def test_what_does_not_run_is_started(found: RancherContainers, wanted: list[Start]) -> None:
    assert list(starts(found)) == wanted


@pytest.mark.parametrize(
    "found",
    [
        _containers("exited", "running", _BY_BACKUP),
        _containers("exited", "running", BackupWork(has_stopped_rancher=True)),
        _containers("exited", "running", BackupWork(is_packing=True)),
    ],
)
def test_nobody_starts_rancher_in_the_middle_of_a_backup(found: RancherContainers) -> None:
    assert list(starts(found)) == []
    (line,) = not_yet(found)
    assert "until a backup of its data is made (docker logs rancher-backup)" in line


def test_of_a_backup_that_is_paused_nobody_knows_whether_it_packs() -> None:
    assert list(starts(_containers("exited", "paused"))) == [_UNPAUSE_BACKUP]


def test_rancher_that_a_backup_can_not_start_is_started() -> None:
    work = BackupWork(has_stopped_rancher=True)
    assert list(starts(_containers("exited", "running", work, Error="in use"))) == [_START]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerDouble]:
    """Both run. Whatever is started is healthy a moment later."""
    with docker_double(tmp_path) as double:
        double.containers += [container("rancher"), container("rancher-backup")]
        monkeypatch.setattr(
            waiting, "SYSTEM_CLOCK", a_clock(lambda _seconds: double.become_healthy())
        )
        yield double


def _props(docker: DockerDouble, **changes: Any) -> dict[str, Any]:
    return {
        "docker_host": f"unix://{docker.socket}",
        "docker_host_key": None,
        "container_name": "rancher",
        "timeout_seconds": 600.0,
        "makes_backups": True,
        "owner": OWNER,
        "finding": None,
        **changes,
    }


def _stop(docker: DockerDouble, name: str, status: str = "exited", **state: Any) -> None:
    docker.named(name).update(container(name, status, **state)["State"])


def _changed(docker: DockerDouble) -> list[str]:
    return [each for each in docker.asked if not each.startswith("GET") and "/exec" not in each]


def test_what_runs_is_left_alone(docker: DockerDouble, capsys: pytest.CaptureFixture[str]) -> None:
    props = _props(docker)
    assert PROVIDER.make(props) == ("rancher-running", props)
    assert _changed(docker) == []
    assert docker.connections == 1
    assert capsys.readouterr().err == ""


def test_what_is_stopped_is_started_and_rancher_is_waited_for_until_it_is_healthy(
    docker: DockerDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    _stop(docker, "rancher")
    _stop(docker, "rancher-backup")
    PROVIDER.change({}, _props(docker, finding="both are stopped"))
    assert _changed(docker) == [
        "POST /containers/rancher/start",
        "POST /containers/rancher-backup/start",
    ]
    assert docker.named("rancher")["Health"]["Status"] == "healthy"
    said = capsys.readouterr().err
    assert "container rancher, which did not run, is started" in said
    assert "container rancher-backup, which did not run, is started" in said


def test_what_is_paused_goes_on(docker: DockerDouble) -> None:
    _stop(docker, "rancher", "paused")
    PROVIDER.make(_props(docker, makes_backups=False))
    assert _changed(docker) == ["POST /containers/rancher/unpause"]


@pytest.mark.parametrize("status", ["running", "exited", "paused"])
def test_another_container_of_that_name_is_told_and_never_started(
    docker: DockerDouble, status: str
) -> None:
    _stop(docker, "rancher", status)
    docker.named("rancher-backup").update(container("b", "exited")["State"])
    (one,) = [each for each in docker.containers if each["Name"] == "/rancher"]
    for labels in ({}, None, {MARK: "project/other"}):
        one["Config"] = {"Labels": labels}
        with pytest.raises(RuntimeError, match="rancher is not the one that this stack has made"):
            PROVIDER.make(_props(docker))
    assert set(_changed(docker)) == {"POST /containers/rancher-backup/start"}


def test_what_can_be_started_is_started_although_another_container_is_gone(
    docker: DockerDouble,
) -> None:
    _stop(docker, "rancher")
    docker.containers = [each for each in docker.containers if each["Name"] == "/rancher"]
    with pytest.raises(RuntimeError, match="rancher-backup is not there"):
        PROVIDER.make(_props(docker))
    assert _changed(docker) == ["POST /containers/rancher/start"]


@pytest.mark.parametrize("lost", ["rancher", "rancher-backup"])
def test_a_container_that_is_gone_fails_at_once_with_what_makes_it_again(
    docker: DockerDouble, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock(slept.append))
    docker.containers = [each for each in docker.containers if each["Name"] != f"/{lost}"]
    with pytest.raises(RuntimeError) as raised:
        PROVIDER.make(_props(docker))
    assert str(raised.value) == f"container {lost} {_GONE} (Docker host unix://{docker.socket})"
    assert (slept, _changed(docker)) == ([], [])


def test_a_backup_is_waited_for_and_rancher_is_left_to_it(
    docker: DockerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop(docker, "rancher")
    docker.outputs["ls"] = b".rancher-stopped\n.unfinished\n"
    seconds: list[float] = []

    def passes(_seconds: float) -> None:
        seconds.append(_seconds)
        if len(seconds) == 3:
            docker.named("rancher").update(container("rancher")["State"])

    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock(passes))
    PROVIDER.make(_props(docker))
    assert len(seconds) == 3
    assert _changed(docker) == []


def test_a_backup_that_does_not_end_is_named_at_the_deadline(docker: DockerDouble) -> None:
    _stop(docker, "rancher")
    docker.outputs["ls"] = b".rancher-stopped\n.unfinished\n"
    with pytest.raises(TimeoutError, match=r"600 s.*until a backup of its data is made"):
        PROVIDER.make(_props(docker))
    assert _changed(docker) == []


def test_a_rancher_that_does_not_become_healthy_is_named_at_the_deadline(
    docker: DockerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    _stop(docker, "rancher")
    with pytest.raises(TimeoutError, match=r"Still missing: container rancher is starting$"):
        PROVIDER.make(_props(docker))
    assert _changed(docker) == ["POST /containers/rancher/start"]


def test_a_container_that_ends_right_after_its_start_is_not_started_for_ever(
    docker: DockerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stop(docker, "rancher-backup")
    ends = a_clock(lambda _seconds: _stop(docker, "rancher-backup"))
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", ends)
    _stop(docker, "rancher")
    with pytest.raises(RuntimeError, match="docker logs --tail 20 rancher-backup"):
        PROVIDER.make(_props(docker))


def test_what_docker_can_not_start_is_told_in_its_words(docker: DockerDouble) -> None:
    _stop(docker, "rancher")
    docker.unstartable = "driver failed: address already in use"
    with pytest.raises(RuntimeError) as raised:
        PROVIDER.make(_props(docker))
    said = str(raised.value)
    assert f"unix://{docker.socket}: container rancher could not be made to run: 500" in said
    assert "address already in use" in said
    assert "pulumi up --refresh" in said


def test_a_destroy_asks_for_nothing(docker: DockerDouble) -> None:
    PROVIDER.delete("rancher-running", _props(docker))
    assert docker.asked == []


def test_the_finding_is_an_input_behind_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = Findings(rancher="container rancher is stopped")
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: findings)
    # Another configuration than any other test's: equal ones share one run.
    backup = {"folder": "/srv/found"}
    recording = run(valid(rancher={**_RANCHER, "backup": backup}))
    declared = recording.named("rancher-running")
    assert declared.inputs["finding"] == "container rancher is stopped"
    assert declared.inputs["makes_backups"] is True
    assert waits_for(recording, "rancher-running", "rancher-container")
    assert waits_for(recording, "rancher-running", "rancher-backup")


@pytest.mark.parametrize("later", ["rancher-ca", "rancher-address", "rancher-registration"])
def test_whoever_needs_rancher_waits_until_it_runs(later: str) -> None:
    config = valid(rancher=_RANCHER, stages={"rancherImport": True})
    assert waits_for(run(config), later, "rancher-running")


@pytest.mark.parametrize("is_known", [True, False])
def test_what_waits_for_it_is_known_as_before(is_known: bool) -> None:
    earlier, running = (pulumi.Resource.__new__(pulumi.Resource) for _ in range(2))

    async def told(value: Any) -> Any:
        return value

    async def read() -> tuple[Any, bool, set[Any]]:
        given = "c0ffee" if is_known else Unknown()
        value = pulumi.Output({earlier}, told(given), told(is_known), told(False))
        later = once_done(running, value)
        return await later.future(), await later.is_known(), await later.resources()

    assert asyncio.run(read()) == ("c0ffee" if is_known else None, is_known, {earlier, running})
