"""The lab ends the processes that it started, and no others."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.common import daemons, processes
from lab.common.progress import LabError
from lab.common.waiting import wait_until


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own."""
    monkeypatch.setattr(daemons, "STATE", tmp_path)
    return tmp_path


@pytest.fixture
def sleeper() -> Iterator[str]:
    """A daemon that does nothing."""
    daemons.start("sleeper", ["sleep", "1000"])
    yield "sleeper"
    daemons.stop("sleeper")


def test_a_started_daemon_runs_until_it_is_stopped(sleeper: str) -> None:
    assert daemons.is_running(sleeper)
    daemons.stop(sleeper)
    assert not daemons.is_running(sleeper)


def test_a_daemon_that_runs_is_not_started_twice(sleeper: str) -> None:
    first = daemons.pid(sleeper)
    assert daemons.start(sleeper, ["sleep", "1000"]) is False
    assert daemons.pid(sleeper) == first


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the lab did not start."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def test_a_stranger_with_the_same_pid_is_left_alone(
    stranger: subprocess.Popen[bytes], state: Path
) -> None:
    (state / "run").mkdir()
    (state / "run" / "other.pid").write_text(f"{stranger.pid} 1\n")
    assert not daemons.is_running("other")
    daemons.stop("other")
    assert stranger.poll() is None, "it runs on"


def test_a_daemon_that_ended_by_itself_is_explained_by_its_log() -> None:
    daemons.start("failing", ["sh", "-c", "echo the disk is on fire; sleep 0.2; exit 3"])
    wait_until(lambda: not daemons.is_running("failing"), doing="the end", seconds=10)
    with pytest.raises(LabError, match=r"failing is not running.*\n.*the disk is on fire"):
        daemons.require_running("failing")


def test_a_daemon_that_ignores_politeness_is_ended_by_force() -> None:
    daemons.start("stubborn", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"])
    wait_until(
        lambda: "deaf" in daemons.log_file("stubborn").read_text(), doing="its trap", seconds=10
    )
    daemons.stop("stubborn", grace_seconds=0.1)
    assert not daemons.is_running("stubborn")


def test_a_wait_that_fails_says_for_what_and_where_to_look() -> None:
    with pytest.raises(LabError, match=r"the moon: not there after 0 s\. Look up\."):
        wait_until(lambda: False, doing="the moon", seconds=0.0, hint="Look up.")


def test_a_process_that_nobody_remembers_is_ended_by_its_mark() -> None:
    owner, other = f"test-{os.getpid()}", f"other-{os.getpid()}"
    ours, theirs = [
        subprocess.Popen(["sleep", "60"], env={**os.environ, **processes.mark(name)})
        for name in (owner, other)
    ]
    try:
        assert processes.end_marked(owner) == 1
        assert ours.wait(timeout=10) == -signal.SIGKILL
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()
