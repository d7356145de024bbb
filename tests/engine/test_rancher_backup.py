"""Rancher's data is backed up by a container beside it, on a real Docker engine over SSH.

Rancher is its stand-in. The tests share one stack and follow one another.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from components.rancher.server.running import RancherRunningProvider
from lab.common.waiting import wait_until
from lab.docker import engine as docker_engine
from lab.hosts import hosts
from lab.hosts import network as host_network
from tests.engine.engine import Engine, Stack
from tests.engine.needs import docker_marks
from tests.engine.rancher_lab import (
    DockerHost,
    rancher_docker_host,
    server_config,
    ssh_agent,
)
from tests.engine.runbook import commands

pytestmark = docker_marks("docker")

_RANCHER = "longhorn-rancher:rancher"
_SECONDS = 120.0
_PAGE = "restore-the-data-volume"


@dataclass(frozen=True)
class BackupLab:
    """A Docker host, and the agent with the key to it."""

    host: DockerHost
    agent_socket: Path

    @property
    def archives(self) -> list[str]:
        return sorted(path.name for path in self.host.folder.glob("*.tar.gz"))

    def config(self, *, over_ssh: bool = True, **rancher: Any) -> dict[str, Any]:
        """A stack with a backup, which nothing is due of for a day."""
        socket = str(self.host.docker.socket)
        reached = self.host.settings if over_ssh else {"dockerHost": f"unix://{socket}"}
        backup = {"folder": str(self.host.folder), "everyDays": 2, "keep": 3}
        if over_ssh:
            backup["dockerSocket"] = socket
        given = {**reached, "backup": backup, "removeDataOnDestroy": True, **rancher}
        return server_config(host_network.gateway(), "", **given)

    def is_running(self, container: str) -> bool:
        said = self.host.sh(f"docker inspect --format '{{{{.State.Running}}}}' {container}")
        return said.strip() == "true"

    def write(self, name: str, size: int = 1) -> None:
        """A file of this size in Rancher's data."""
        path = f"/var/lib/rancher/{name}"
        self.host.sh(f"docker exec rancher sh -c 'head -c {size} /dev/urandom >{path}'")

    def data(self) -> set[str]:
        """The names of the files at the top of Rancher's data."""
        return set(self.host.sh("docker exec rancher ls /var/lib/rancher").split())


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackupLab]:
    socket = tmp_path_factory.mktemp("agent") / "socket"
    # Not below /tmp, which is each lab host's own.
    files = TemporaryDirectory(prefix="rancher-backup-", dir="/var/tmp")
    try:
        # The bridge is there with the first host, and the container listens on it.
        key = hosts.add_host("first", disks=0).client_key_path
        with ssh_agent(socket, key), files as folder:
            host = rancher_docker_host("rancher-host", docker_engine.up(), Path(folder))
            yield BackupLab(host, socket)
    finally:
        docker_engine.down()
        hosts.down()


@pytest.fixture(scope="module")
def stack(lab: BackupLab, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    engine = Engine(tmp_path_factory.mktemp("backup") / "engine")
    engine.environment["SSH_AUTH_SOCK"] = str(lab.agent_socket)
    made = engine.project_stack("backup", config=lab.config())
    made.up().or_fail()
    return made


def test_the_container_is_made_and_a_preview_shows_no_change(stack: Stack, lab: BackupLab) -> None:
    assert lab.is_running("rancher-backup")
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {}, previewed.log
    assert "rancherBackup" not in previewed.log


def test_a_backup_at_once_by_the_runbooks_command_leaves_rancher_running(
    stack: Stack, lab: BackupLab
) -> None:
    lab.write("before")
    said = lab.host.sh(commands(_PAGE, "Back up on a schedule")).strip()
    assert lab.archives == [said]
    assert lab.is_running("rancher")
    assert stack.preview().or_fail().operations() == {}


def test_killed_in_the_middle_of_a_backup_it_comes_back_and_starts_rancher(
    lab: BackupLab,
) -> None:
    before = lab.archives
    lab.write("large", 400_000_000)
    asked = subprocess.Popen(
        [
            *(str(lab.host.docker.client), "--host", f"unix://{lab.host.docker.socket}", "exec"),
            *("rancher-backup", "sh", "/rancher-backup.sh", "now"),
        ]
    )
    wait_until(lambda: not lab.is_running("rancher"), doing="Rancher is stopped", seconds=_SECONDS)
    os.kill(_first_process(lab, "rancher-backup"), signal.SIGKILL)
    assert asked.wait(_SECONDS) != 0
    wait_until(
        lambda: lab.is_running("rancher") and lab.is_running("rancher-backup"),
        doing="both run again",
        seconds=_SECONDS,
    )
    assert lab.archives == before
    lab.host.sh("docker exec rancher rm /var/lib/rancher/large")


def test_an_archive_that_is_older_than_the_schedule_allows_is_told_in_the_preview(
    stack: Stack, lab: BackupLab
) -> None:
    (name,) = lab.archives
    old = lab.host.folder / f"rancher-20200101T023000Z-{name.rpartition('Z-')[2]}"
    (lab.host.folder / name).rename(old)
    told = stack.preview().or_fail()
    assert told.operations() == {}
    assert "was backed up last on 2020-01-01 02:30 UTC" in told.log
    old.rename(lab.host.folder / name)
    assert "rancherBackup" not in stack.preview().or_fail().log


def test_a_container_that_is_stopped_is_started_by_up_and_one_that_is_gone_made_by_a_refresh(
    stack: Stack, lab: BackupLab
) -> None:
    lab.host.sh("docker stop rancher-backup")
    previewed = stack.preview("--diff").or_fail()
    assert previewed.operations() == {"update": 1}
    assert "container rancher-backup is stopped since" in previewed.log
    assert "rancherBackup" not in previewed.log
    stack.up().or_fail()
    assert lab.is_running("rancher-backup")
    assert stack.preview().or_fail().operations() == {}
    lab.host.sh("docker rm --force rancher-backup")
    assert "container rancher-backup is not there" in stack.preview("--diff").or_fail().log
    assert "`pulumi up --refresh` makes it again" in stack.up().errors()
    stack.start("up", "--refresh").wait().or_fail()
    assert lab.is_running("rancher-backup")
    assert stack.preview().or_fail().operations() == {}


_OWNER = '{{index .Config.Labels "longhorn-rancher/stack"}}'


@contextmanager
def _in_the_middle_of_a_backup(lab: BackupLab) -> Iterator[subprocess.Popen[bytes]]:
    """The command that waits for the backup, whose packing stands still meanwhile."""
    # Before it is asked for: it stops Rancher, and a command inside with it.
    lab.write("large", 100_000_000)
    asked = subprocess.Popen(
        [
            *(str(lab.host.docker.client), "--host", f"unix://{lab.host.docker.socket}", "exec"),
            *("rancher-backup", "sh", "/rancher-backup.sh", "now"),
        ]
    )
    packing: list[int] = []

    def is_packing() -> bool:
        packing.extend(_processes(lab, "rancher-backup", "gzip"))
        return bool(packing)

    try:
        wait_until(is_packing, doing="Rancher's data is packed", seconds=_SECONDS)
        os.kill(packing[0], signal.SIGSTOP)
        yield asked
    finally:
        for process in _processes(lab, "rancher-backup", "gzip"):
            os.kill(process, signal.SIGCONT)
        asked.wait(_SECONDS)


def test_in_the_middle_of_a_backup_nothing_shows_and_nobody_starts_rancher(
    stack: Stack, lab: BackupLab
) -> None:
    before = lab.archives
    with _in_the_middle_of_a_backup(lab) as asked:
        assert stack.preview().or_fail().operations() == {}
        assert stack.up().or_fail().operations() == {}
        inputs = {
            "docker_host": f"unix://{lab.host.docker.socket}",
            **{"container_name": "rancher", "makes_backups": True, "timeout_seconds": 3},
            "owner": lab.host.sh(f"docker inspect --format '{_OWNER}' rancher").strip(),
        }
        with pytest.raises(TimeoutError, match="stopped until a backup of its data is made"):
            RancherRunningProvider().create(inputs)
        assert not lab.is_running("rancher")
    assert asked.returncode == 0
    assert lab.is_running("rancher")
    (made,) = set(lab.archives) - set(before)
    (lab.host.folder / made).unlink()
    lab.host.sh("docker exec rancher rm /var/lib/rancher/large")


def test_killed_for_good_in_the_middle_of_a_backup_both_are_named_and_started_by_up(
    stack: Stack, lab: BackupLab
) -> None:
    before = lab.archives
    with _in_the_middle_of_a_backup(lab):
        lab.host.sh("docker kill rancher-backup")
        previewed = stack.preview("--diff").or_fail()
        assert "container rancher is stopped since" in previewed.log
        assert "container rancher-backup is stopped since" in previewed.log
        stack.up().or_fail()
    assert lab.is_running("rancher")
    assert lab.is_running("rancher-backup")
    assert lab.archives == before
    assert stack.preview().or_fail().operations() == {}
    lab.host.sh("docker exec rancher rm /var/lib/rancher/large")


def test_an_archive_is_restored_as_the_runbook_says(stack: Stack, lab: BackupLab) -> None:
    lab.write("after")
    (archive,) = lab.archives
    lab.host.sh(commands(_PAGE, "Restore", {"rancher-v2.8.5-2024-05-01.tar.gz": archive}))
    stack.configure(lab.config(dataVolume="rancher-data-restored", removeDataOnDestroy=False))
    stack.up().or_fail()
    assert lab.host.data_of() == "rancher-data-restored"
    assert "before" in lab.data()
    assert "after" not in lab.data()
    # The backup follows the data.
    lab.write("restored")
    newest = lab.host.sh(commands(_PAGE, "Back up on a schedule")).strip()
    listed = lab.host.sh(f"tar -tzf {newest}")
    assert "./restored" in listed.split()


def test_a_destroy_leaves_the_archives_and_no_container(stack: Stack, lab: BackupLab) -> None:
    kept = lab.archives
    assert len(kept) == 2
    stack.destroy().or_fail()
    assert lab.host.sh("docker ps --all --quiet") == ""
    assert lab.archives == kept


def test_it_works_on_a_local_socket_too(
    lab: BackupLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("local") / "engine"
    local = Engine(folder).project_stack("local", config=lab.config(over_ssh=False))
    local.up().or_fail()
    before = set(lab.archives)
    lab.host.sh("docker exec rancher-backup sh /rancher-backup.sh now")
    assert set(lab.archives) - before
    assert local.preview().or_fail().operations() == {}
    local.destroy().or_fail()


def test_up_fails_where_no_backup_could_be_made(
    lab: BackupLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = Engine(tmp_path_factory.mktemp("unready") / "engine")
    engine.environment["SSH_AUTH_SOCK"] = str(lab.agent_socket)
    config = lab.config()
    right = config["rancher"]["backup"]
    config["rancher"]["backup"] = {**right, "dockerSocket": str(lab.host.folder / "nobody.sock")}
    made = engine.project_stack("unready", config=config)
    assert not made.up().succeeded
    assert lab.is_running("rancher")
    (told,) = (line for line in made.preview().log.splitlines() if "could make no backup" in line)
    assert "Docker does not tell of container rancher" in told
    made.configure(lab.config())
    made.up().or_fail()
    assert "rancherBackup" not in made.preview().or_fail().log
    made.destroy().or_fail()


def _first_process(lab: BackupLab, container: str) -> int:
    (found,) = (
        process
        for process in _processes(lab, container)
        if re.search(r"^NSpid:.*\t1$", _text(Path(f"/proc/{process}/status")), re.MULTILINE)
    )
    return found


def _processes(lab: BackupLab, container: str, name: str = "") -> list[int]:
    """The container's processes as this machine numbers them; Docker has numbers of its own.

    Args:
        name: of these alone.
    """
    identifier = lab.host.sh(f"docker inspect --format '{{{{.Id}}}}' {container}").strip()
    return [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if identifier in _text(path / "cgroup") and name in ("", _text(path / "comm").strip())
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended since it was listed
