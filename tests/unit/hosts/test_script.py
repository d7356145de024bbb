"""The command lines that hosts run: their words, sudo, and the password on standard input.

`sudo` and `id` are played by scripts; the shell that reads the command lines is a real one.
"""

import shlex
import subprocess
from pathlib import Path

import pytest

from components.hosts.script import script_input, update_line
from tests.unit.doubles.a_stack import run, valid, with_secrets

SCRIPT = script_input('echo "$# $1 $2 by $BY"\n', ["/dev/sdb"])
PASSWORD = "tr0ub4dor"  # noqa: S105
_UPDATES = ("node-1-packages-install", "node-1-mnt-longhorn-sdb-mount")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of programs for the search path; by default a user whose sudo never asks."""
    _program(tmp_path, "id", "echo 1000")
    _program(tmp_path, "sudo", '[ "$1" = -n ] && shift; BY=sudo exec "$@"')
    return tmp_path


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def _run(host: Path, line: str, first: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        input=f"{first}\n{SCRIPT}",
        env={"PATH": f"{host}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_update_by_root_needs_no_sudo(host: Path) -> None:
    _program(host, "id", "echo 0")
    (host / "sudo").unlink()
    assert _run(host, update_line(None)).stdout == "2 ensure /dev/sdb by \n"
    assert _run(host, update_line(None), PASSWORD).stdout == "2 ensure /dev/sdb by \n"


@pytest.mark.parametrize("first", ["", PASSWORD])
def test_an_update_by_a_user_whose_sudo_never_asks(host: Path, first: str) -> None:
    assert _run(host, update_line(None), first).stdout == "2 ensure /dev/sdb by sudo\n"


def test_an_update_by_a_user_whose_sudo_asks(host: Path) -> None:
    asking = (
        '[ "$1" = -S ] || exit 1; IFS= read -r said; '
        f'[ "$said" = {PASSWORD} ] || exit 1; shift 3; BY=asking exec "$@"'
    )
    _program(host, "sudo", asking)
    assert _run(host, update_line(None), PASSWORD).stdout == "2 ensure /dev/sdb by asking\n"
    refused = _run(host, update_line(None))
    assert refused.returncode != 0
    assert refused.stdout == ""


def test_what_was_found_is_read_by_people_and_run_by_nobody(host: Path) -> None:
    found = 'it\'s `reboot`; $(reboot) "now" (9:00)'
    line = update_line(found)
    assert line.startswith(f": {shlex.quote(f'found: {found}')}; ")
    assert _run(host, line).stdout == "2 ensure /dev/sdb by sudo\n"


def test_a_stale_update_line_fits_whoever_logs_in_later() -> None:
    """It is kept in the state: nothing in it may come from the settings."""
    ops = {"useAgent": True, "user": "ops"}
    runs = [
        run(valid()),
        run(valid(ssh=ops)),
        run(with_secrets(valid(ssh=ops), sudoPassword=PASSWORD)),
    ]
    for name in _UPDATES:
        assert {recording.named(name).inputs["update"] for recording in runs} == {update_line(None)}
