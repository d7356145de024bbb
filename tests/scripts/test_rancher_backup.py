"""The script that backs up Rancher's data: what it packs and keeps, and that Rancher runs after it.

Docker is played: one container that can be stopped and started. The real one is in
tests/engine/test_rancher_backup.py.
"""

import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from lab.common.waiting import wait_until
from tests.scripts.remote import COMPONENTS

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs the command curl")

_SCRIPT = COMPONENTS / "rancher" / "server" / "backup" / "backup.sh"
_SHELLS = ["sh", "bash --posix", "busybox sh"]
_SECONDS = 30.0
_DATA = "var/lib/rancher"
_A_DAY = 86400


@dataclass
class Docker:
    """One container, and what was asked of it."""

    running: bool = True
    refused_starts: int = 0
    asked: list[str] = field(default_factory=list[str])
    on_stop: Callable[[], None] = lambda: None

    def answer(self, method: str, path: str) -> int:
        """The status."""
        verb = path.partition("?")[0].rpartition("/")[2]
        if method == "GET":
            return 200
        self.asked.append(verb)
        if verb == "start" and self.refused_starts:
            self.refused_starts -= 1
            return 500
        was, self.running = self.running, verb == "start"
        if verb == "stop":
            self.on_stop()
        return 304 if was == self.running else 204


@contextmanager
def _docker(socket: Path) -> Iterator[Docker]:
    docker = Docker()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            status = docker.answer(self.command, self.path)
            state = {"Id": "a", "State": {"Status": "", "Running": docker.running}}
            body = json.dumps(state).encode() if status == 200 else b""
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _any  # noqa: N815  names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingUnixStreamServer(str(socket), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield docker
        finally:
            server.shutdown()


@dataclass
class Place:
    """Where the script works, as in its container."""

    root: Path
    docker: Docker
    shell: str
    processes: list["subprocess.Popen[str]"] = field(default_factory=list["subprocess.Popen[str]"])

    @property
    def folder(self) -> Path:
        return self.root / "backup"

    def _words(self, *words: object) -> list[str]:
        return [*self.shell.split(), str(_SCRIPT), *map(str, words)]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "BACKUP_ROOT": str(self.root)}

    def loop(self, *, keep: int = 7, period: int = _A_DAY) -> "subprocess.Popen[str]":
        """Start it; nothing is due but what is asked for."""
        process = subprocess.Popen(
            self._words("loop", "rancher", "rancher", "v2.8.5", 0, period, keep),
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.processes.append(process)
        assert process.stdout is not None
        # What an interrupted run left is cleared away by then.
        assert "next backup" in process.stdout.readline()
        return process

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._words(*words),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def now(self) -> str:
        done = self.run("now")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def archives(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.tar.gz"))


@pytest.fixture(params=_SHELLS)
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    shell = str(request.param)
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"needs the command {shell}")
    for name in (_DATA, "backup"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / _DATA / "state").write_text("all that Rancher knows")
    with _docker(tmp_path / "docker.sock") as docker:
        made = Place(tmp_path, docker, shell)
        yield made
        for process in made.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until(condition: Callable[[], bool], doing: str) -> None:
    wait_until(condition, doing=doing, seconds=_SECONDS)


def _slow_tar(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tar that does not end by itself."""
    programs = place.root / "programs"
    programs.mkdir()
    tar = programs / "tar"
    tar.write_text(f"#!/bin/sh\ntouch {place.root}/packing\nexec sleep 1000\n")
    tar.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def test_the_archive_holds_the_data_and_rancher_is_stopped_only_meanwhile(place: Place) -> None:
    place.loop()
    name = place.now()
    assert place.docker.asked == ["stop", "start"]
    assert place.docker.running
    assert name.startswith("rancher-")
    assert name.endswith("Z-v2.8.5.tar.gz")
    with tarfile.open(place.folder / name) as archive:
        packed = archive.extractfile("./state")
        assert packed is not None
        assert packed.read() == b"all that Rancher knows"
    assert (place.folder / name).stat().st_mode & 0o077 == 0, "it holds every secret of Rancher's"
    assert [path.name for path in place.folder.iterdir()] == [name]
    assert place.run("newest", "rancher").stdout.strip() == name


def test_an_archive_is_made_when_it_is_time(place: Place) -> None:
    place.loop(period=1)
    _until(lambda: bool(place.archives()), "an archive is there")


def test_only_the_last_ones_are_kept_and_nothing_else_is_touched(place: Place) -> None:
    old = [f"rancher-2024010{day}T023000Z-v2.10.0.tar.gz" for day in range(1, 5)]
    foreign = ["rancher-v2.8.5-2024-05-01.tar.gz", "other-20240101T023000Z-v1.tar.gz", "notes"]
    for each in [*old, *foreign]:
        (place.folder / each).touch()
    place.loop(keep=3)
    name = place.now()
    assert sorted(path.name for path in place.folder.iterdir()) == sorted(
        [*old[2:], name, *foreign]
    )


def test_a_rancher_that_somebody_has_stopped_is_backed_up_and_stays_stopped(place: Place) -> None:
    place.docker.running = False
    place.loop()
    assert place.now()
    assert place.docker.asked == []
    assert not place.docker.running


def test_a_start_that_fails_is_tried_again_and_the_archive_is_kept(place: Place) -> None:
    place.docker.refused_starts = 2
    place.loop()
    name, late = place.now().splitlines()
    assert place.archives() == [name]
    assert late == "container rancher could not be started yet, and is tried again"
    _until(lambda: place.docker.running, "Rancher is started")
    assert place.docker.asked == ["stop", "start", "start", "start"]
    _until(lambda: [path.name for path in place.folder.iterdir()] == [name], "nothing else is left")


def test_data_that_was_written_to_meanwhile_is_no_backup(place: Place) -> None:
    def start_again() -> None:
        place.docker.running = True

    place.docker.on_stop = start_again
    place.loop()
    done = place.run("now")
    assert done.returncode == 1
    assert "was started while its data was packed" in done.stderr
    assert place.archives() == []
    assert place.docker.running


def test_a_folder_that_can_not_be_packed_leaves_the_earlier_archives_and_rancher_running(
    place: Place,
) -> None:
    earlier = "rancher-20240101T023000Z-v2.8.5.tar.gz"
    (place.folder / earlier).touch()
    shutil.rmtree(place.root / _DATA)
    place.loop(keep=1)
    done = place.run("now")
    assert done.returncode == 1
    assert "no backup: tar:" in done.stderr
    assert place.archives() == [earlier]
    assert place.docker.running


def test_a_container_that_is_told_to_stop_starts_rancher_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slow_tar(place, monkeypatch)
    process = place.loop(period=1)
    _until((place.root / "packing").exists, "the data is being packed")
    assert not place.docker.running
    process.send_signal(signal.SIGTERM)
    process.wait(_SECONDS)
    assert place.docker.running
    assert list(place.folder.iterdir()) == []


def test_after_a_kill_the_next_start_of_the_container_starts_rancher(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _slow_tar(place, patch)
        process = place.loop(period=1)
        _until((place.root / "packing").exists, "the data is being packed")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_SECONDS)
    assert not place.docker.running
    place.loop()
    _until(lambda: place.docker.running, "Rancher is started")
    _until(lambda: list(place.folder.iterdir()) == [], "nothing is left of it")


def test_it_is_ready_where_docker_answers_and_the_folder_takes_files(place: Place) -> None:
    assert place.run("ready", "rancher").returncode == 0
    assert list(place.folder.iterdir()) == []
    assert place.docker.asked == []


def test_it_is_not_ready_without_docker_or_the_folder(place: Place) -> None:
    socket = place.root / "docker.sock"
    socket.rename(place.root / "away.sock")
    said = place.run("ready", "rancher")
    assert said.returncode != 0
    assert "Docker does not tell of container rancher" in said.stdout
    (place.root / "away.sock").rename(socket)
    place.folder.rmdir()
    assert place.run("ready", "rancher").returncode != 0
