"""What the Docker host is asked of Rancher's containers, and what of its answers counts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.docker.api import docker_api
from components.docker.state import GONE, container_state
from components.rancher.server import reading
from components.rancher.server.backup.reading import BackupWork
from components.rancher.server.reading import read_containers, read_server
from configuration.rancher import RancherSettings
from tests.unit.doubles.a_docker import OWNER, DockerDouble, container, docker_double

_BACKUP = {"folder": "/srv/backups"}
_SCRIPT = Path(reading.__file__).parent / "backup" / "backup.sh"


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerDouble]:
    with docker_double(tmp_path) as double:
        double.containers += [container("rancher"), container("rancher-backup")]
        yield double


def _settings(socket: Path, **rancher: Any) -> RancherSettings:
    given = {"url": "https://rancher.example.com", "dockerHost": f"unix://{socket}", **rancher}
    return RancherSettings.model_validate(given)


def _stopped(docker: DockerDouble, name: str, **state: Any) -> None:
    docker.named(name).update(container(name, "exited", **state)["State"])


def test_without_a_backup_one_question_is_asked(docker: DockerDouble) -> None:
    found = read_server(_settings(docker.socket), OWNER)
    assert docker.asked == ["GET /containers/rancher/json"]
    assert found.containers.rancher.is_running
    assert (found.containers.backup, found.backup) == (None, None)


def test_with_a_backup_the_newest_archive_and_its_container_are_read_too(
    docker: DockerDouble,
) -> None:
    docker.outputs["sh"] = b"rancher-20240502T023000Z-v2.8.5.tar.gz\n"
    found = read_server(_settings(docker.socket, backup=_BACKUP), OWNER).backup
    assert found is not None
    assert found.newest == datetime(2024, 5, 2, 2, 30, tzinfo=UTC)
    assert found.started is not None
    assert found.started.replace(microsecond=0) == datetime(2024, 5, 1, 10, tzinfo=UTC)
    # The answer of a command ends the connection.
    assert docker.connections == 2


def test_containers_that_are_not_there_are_gone(docker: DockerDouble) -> None:
    docker.containers.clear()
    found = read_server(_settings(docker.socket, backup=_BACKUP), OWNER)
    assert [each.status for each in found.containers.each] == [GONE, GONE]
    assert found.backup is None


@pytest.mark.parametrize("status", ["exited", "created", "paused", "dead"])
def test_a_backup_container_that_does_not_run_is_asked_nothing(
    docker: DockerDouble, status: str
) -> None:
    docker.named("rancher-backup").update(container("b", status)["State"])
    _stopped(docker, "rancher")
    assert read_server(_settings(docker.socket, backup=_BACKUP), OWNER).backup is None
    assert not [each for each in docker.asked if "exec" in each]


def test_a_backup_container_that_ends_again_and_again_could_make_no_backup(
    docker: DockerDouble,
) -> None:
    docker.named("rancher-backup").update(container("b", "restarting", ExitCode=3)["State"])
    found = read_server(_settings(docker.socket, backup=_BACKUP), OWNER).backup
    assert found is not None
    assert found.problem == "it ends, and is started again, with exit code 3"


@pytest.mark.parametrize(
    ("health", "problem"),
    [
        (
            {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "no\n socket"}]},
            "no socket",
        ),
        ({"Status": "unhealthy", "Log": []}, "no reason is given"),
        ({"Status": "starting", "Log": [{"Output": "no socket"}]}, ""),
        ({"Status": "healthy"}, ""),
        (None, ""),
    ],
)
def test_why_it_could_make_no_backup_is_read(
    docker: DockerDouble, health: dict[str, Any] | None, problem: str
) -> None:
    docker.named("rancher-backup")["Health"] = health
    found = read_server(_settings(docker.socket, backup=_BACKUP), OWNER).backup
    assert found is not None
    assert found.problem == problem


def test_a_folder_of_backups_that_can_not_be_read_hides_nothing_of_the_containers(
    docker: DockerDouble,
) -> None:
    docker.status, docker.errors = 2, b"Stale file handle"
    _stopped(docker, "rancher")
    found = read_server(_settings(docker.socket, backup=_BACKUP), OWNER)
    assert found.containers.rancher.is_stopped
    assert found.containers.work == BackupWork(is_packing=True)
    assert found.backup is not None
    assert "Stale file handle" in found.backup.problem


def test_a_docker_host_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nobody: container rancher could not be looked at"):
        read_server(_settings(tmp_path / "nobody"), OWNER)


@pytest.mark.parametrize(
    ("files", "work"),
    [
        (b"rancher-20240502T023000Z-v2.8.5.tar.gz\n", BackupWork()),
        (b".rancher-stopped\n", BackupWork(has_stopped_rancher=True)),
        (b".unfinished\n", BackupWork(is_packing=True)),
        (
            b".errors\n.rancher-stopped\n.unfinished\n",
            BackupWork(has_stopped_rancher=True, is_packing=True),
        ),
    ],
)
def test_what_a_backup_does_is_asked_where_rancher_is_stopped(
    docker: DockerDouble, files: bytes, work: BackupWork
) -> None:
    docker.outputs["ls"] = files
    assert _read(docker).work == BackupWork()
    assert len(docker.asked) == 2
    _stopped(docker, "rancher")
    assert _read(docker).work == work


def _read(docker: DockerDouble) -> reading.RancherContainers:
    with docker_api(f"unix://{docker.socket}", None, "", "") as api:
        return read_containers(api, "here", "rancher", OWNER, makes_backups=True)


def test_rancher_that_a_backup_starts_between_the_two_looks_runs(
    docker: DockerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stopped(docker, "rancher")

    def ended(*_given: object) -> BackupWork:
        docker.named("rancher").update(container("rancher")["State"])
        return BackupWork()

    monkeypatch.setattr(reading, "read_work", ended)
    assert _read(docker).rancher.is_running


def test_the_marks_are_those_of_the_script() -> None:
    script = _SCRIPT.read_text()
    assert "folder=$root/backup\nmark=$folder/.rancher-stopped\n" in script
    assert 'tar -czf "$folder/.unfinished"' in script


def test_the_year_one_and_a_health_check_that_is_none_are_no_answers() -> None:
    state = container_state("rancher", container("rancher", "created", Health={"Status": "none"}))
    assert (state.ended, state.health) == (None, "")
    ended = container_state("rancher", container("rancher", "exited")).ended
    assert ended is not None
    assert f"{ended:%F %T}" == "2024-05-02 10:00:00"
