"""tools/packages.sh: who installs the packages of a lock file, and when they are all there."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.offline.stack_file import PROJECT

# Stands for python and for uv: it writes down how it was called, makes an environment when it is
# asked for one, fails to install when there is a file `broken`, and is too old with a file `old`.
_PLAYED = """#!/bin/sh
case "$*" in
"-c "*sys.version_info*) [ ! -e old ] && exit 0 || exit 1 ;;
esac
echo "${0##*/} $*" >> "$LOG"
case "$*" in
*install*) [ ! -e broken ] ;;
*venv*)
    for folder; do :; done
    mkdir -p "$folder/bin" && cp "$PLAYED" "$folder/bin/python"
    ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH of its own with a python, and without uv."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("cp", "mkdir", "sh", "touch"):
        (folder / name).symlink_to(shutil.which(name) or "")
    _play(folder / "python3")
    return folder


def _play(program: Path) -> None:
    program.write_text(_PLAYED)
    program.chmod(0o755)


def _run(programs: Path, **environment: str) -> tuple[int, list[str]]:
    """The exit status, and the calls that were made; where there were none, what was said."""
    work = programs.parent
    log = work / "calls"
    result = subprocess.run(
        ["sh", PROJECT / "tools" / "packages.sh", "python3", "venv", "requirements.lock"],
        cwd=work,
        env={
            "PATH": str(programs),
            "LOG": str(log),
            "PLAYED": str(programs / "python3"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    calls = log.read_text().splitlines() if log.exists() else [result.stderr]
    return result.returncode, calls


def test_uv_installs_where_it_is_there(programs: Path) -> None:
    _play(programs / "uv")
    status, [venv, install] = _run(programs)
    assert status == 0
    assert venv.startswith("uv venv ")
    assert install.startswith("uv pip install ")


def test_pip_installs_where_uv_is_not_there(programs: Path) -> None:
    status, [venv, install] = _run(programs)
    assert status == 0
    assert venv.startswith("python3 -m venv ")
    assert install.startswith("python -m pip install ")


def test_an_empty_name_for_uv_means_pip(programs: Path) -> None:
    _play(programs / "uv")
    assert not [call for call in _run(programs, UV="")[1] if call.startswith("uv ")]


@pytest.mark.parametrize("uv", ["uv", ""])
def test_packages_are_installed_by_their_hashes(programs: Path, uv: str) -> None:
    _play(programs / "uv")
    assert "--require-hashes" in _run(programs, UV=uv)[1][1].split()


def test_an_environment_of_uv_has_pip_for_pulumi(programs: Path) -> None:
    _play(programs / "uv")
    assert "--seed" in _run(programs)[1][0].split()


@pytest.mark.parametrize("uv", ["uv", ""])
def test_an_environment_is_ready_when_all_is_installed(programs: Path, uv: str) -> None:
    _play(programs / "uv")
    assert _run(programs, UV=uv)[0] == 0
    assert (programs.parent / "venv" / "ready").is_file()


@pytest.mark.parametrize("uv", ["uv", ""])
def test_an_environment_is_not_ready_when_something_is_missing(programs: Path, uv: str) -> None:
    _play(programs / "uv")
    (programs.parent / "broken").touch()
    assert _run(programs, UV=uv)[0] != 0
    assert not (programs.parent / "venv" / "ready").exists()


@pytest.mark.parametrize("uv", ["uv", ""])
def test_a_python_that_is_too_old_is_named_before_anything_is_installed(
    programs: Path, uv: str
) -> None:
    _play(programs / "uv")
    (programs.parent / "old").touch()
    status, [said] = _run(programs, UV=uv)
    assert status != 0
    assert "python3 is not Python 3.11 or later" in said
    assert "make PYTHON=" in said
    assert not (programs.parent / "venv").exists()
