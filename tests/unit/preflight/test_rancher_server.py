"""The Docker host is asked once, for Rancher's containers and for its backups."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.preflight.findings import read_findings
from components.preflight.rancher_server import RancherSeen, look_at_rancher
from configuration.settings import Settings
from tests.unit.doubles.a_docker import OWNER, DockerDouble, container, docker_double
from tests.unit.doubles.a_stack import load, valid

_URL = "https://rancher.example.com"
_BACKUP = {"backup": {"folder": "/srv/backups"}}


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerDouble]:
    with docker_double(tmp_path) as double:
        double.containers += [container("rancher"), container("rancher-backup")]
        yield double


def _settings(socket: Path, rancher: dict[str, Any] | None = None, **changes: Any) -> Settings:
    given = {"url": _URL, "dockerHost": f"unix://{socket}", **(rancher or {})}
    return load(valid(rancher=given, **changes))


def test_containers_that_run_are_nothing(docker: DockerDouble) -> None:
    assert look_at_rancher(_settings(docker.socket), OWNER)() == RancherSeen(results=[])


def test_a_stopped_one_is_a_finding_also_in_a_stack_without_a_backup(docker: DockerDouble) -> None:
    docker.named("rancher").update(container("rancher", "exited", ExitCode=137)["State"])
    seen = look_at_rancher(_settings(docker.socket), OWNER)()
    assert seen == RancherSeen(
        results=[],
        finding="container rancher is stopped since 2024-05-02 10:00:00 UTC (exit code 137) "
        f"(Docker host unix://{docker.socket})",
    )
    assert docker.asked == ["GET /containers/rancher/json"]


def test_a_stopped_backup_container_is_a_finding_and_no_warning_besides(
    docker: DockerDouble,
) -> None:
    docker.named("rancher-backup").update(container("b", "exited")["State"])
    seen = look_at_rancher(_settings(docker.socket, _BACKUP), OWNER)()
    assert seen.results == []
    assert "container rancher-backup is stopped" in str(seen.finding)


def test_rancher_that_a_backup_has_stopped_a_moment_ago_is_nothing(docker: DockerDouble) -> None:
    docker.outputs |= {"ls": b".rancher-stopped\n.unfinished\n", "sh": b""}
    stopped = container("rancher", "exited", FinishedAt="2999-01-01T00:00:00Z")
    docker.named("rancher").update(stopped["State"])
    assert look_at_rancher(_settings(docker.socket, _BACKUP), OWNER)().finding is None
    docker.named("rancher").update(container("rancher", "exited")["State"])
    assert look_at_rancher(_settings(docker.socket, _BACKUP), OWNER)().finding is not None


def test_the_age_of_the_backups_is_still_a_warning(docker: DockerDouble) -> None:
    docker.output = b"rancher-20240502T023000Z-v2.8.5.tar.gz\n"
    (result,) = look_at_rancher(_settings(docker.socket, _BACKUP), OWNER)().results
    assert (result.check, result.severity) == ("rancherBackup", "warning")


@pytest.mark.parametrize("off", [{"stages": {"rancher": False}}, {"checks": {"readHosts": False}}])
def test_a_docker_host_is_asked_only_where_the_stack_runs_rancher_and_reads_hosts(
    docker: DockerDouble, off: dict[str, Any]
) -> None:
    assert look_at_rancher(_settings(docker.socket, _BACKUP, **off), OWNER)() == RancherSeen()
    assert docker.asked == []


def test_a_docker_host_that_does_not_answer_is_a_warning_and_nothing_is_concluded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen = look_at_rancher(_settings(tmp_path / "nobody"), OWNER)()
    assert (seen.results, seen.finding) == ((), None)
    assert "nobody" in str(seen.unread)
    where = f"rancher.dockerHost unix://{tmp_path}/nobody"
    assert f"Rancher's containers could not be looked at: {where}" in capsys.readouterr().err


def test_the_finding_goes_to_its_resource_and_the_rest_into_the_report(
    docker: DockerDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.containers.pop(0)
    off = dict.fromkeys(("packages", "disks", "labels", "longhorn", "frontend"), False)
    found = read_findings(_settings(docker.socket, _BACKUP, stages=off)).rancher
    assert found is not None
    assert "container rancher is not there" in found
    assert "warning rancherBackup: " in capsys.readouterr().err
