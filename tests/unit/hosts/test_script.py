"""The command lines that hosts run: their words, sudo, the password, and what is printed.

`sudo` and `id` are played by scripts; the shells that read the command lines are real ones. What a
resource runs and what a reading runs are tried alike: the first goes by the file `run` on the host.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.hosts.host_script import files, folder_of
from components.hosts.script import (
    ResultError,
    command_line,
    parse_result,
    script_input,
    script_line,
)
from tests.unit.doubles.a_stack import run, valid, with_secrets

_TEXT = 'echo "$# $1 $2 by $BY"\n'
PASSWORD = "tr0ub4dor"  # noqa: S105
LOGIN_SHELLS = (
    "sh",
    "bash",
    "rbash",
    "busybox sh",
    "fish",
    "tcsh",
    "a shell that knows words only",
)
# Of the shells that a machine may lack: words in single quotes, and no variable, list or condition.
_WORDS_ONLY = """#!/usr/bin/python3
import os, shlex, sys
words = shlex.split(sys.argv[2])
assert not set(sys.argv[2]) & set("!\\\\\\n"), "not the same to every shell"
os.execvp(words[0], words)
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of programs for the search path; by default a user whose sudo never asks."""
    _program(tmp_path, "id", "echo 1000")
    _program(tmp_path, "sudo", '[ "$1" = -n ] && shift; BY=sudo exec "$@"')
    for each in files([]):
        (tmp_path / each.name).write_text(each.text)
    return tmp_path


@pytest.fixture(params=["by name", "by its text"])
def line(request: pytest.FixtureRequest, host: Path) -> Callable[[str], str]:
    """Makes the command line for an action."""
    if request.param == "by its text":
        return command_line
    return lambda action: script_line(str(host), "node-disk", action, ["/dev/sdb", "it's"])


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def _run(
    host: Path, line: str, password: str | None = None, login_shell: str = "sh"
) -> subprocess.CompletedProcess[str]:
    if login_shell == LOGIN_SHELLS[-1]:
        _program(host, "words-only", _WORDS_ONLY)
        login_shell = str(host / "words-only")
    words = login_shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"needs the command {words[0]}")
    return subprocess.run(
        [*words, "-c", line],
        input=script_input(_TEXT, ["/dev/sdb"], password),
        env={"PATH": f"{host}:/usr/bin:/bin", "HOME": str(host)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_script_gets_its_words_from_any_login_shell(
    host: Path, line: Callable[[str], str], login_shell: str, password: str | None
) -> None:
    assert _run(host, line("ensure"), password, login_shell).stdout == "2 ensure /dev/sdb by sudo\n"


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_root_needs_no_sudo(host: Path, line: Callable[[str], str], password: str | None) -> None:
    _program(host, "id", "echo 0")
    (host / "sudo").unlink()
    assert _run(host, line("remove"), password).stdout == "2 remove /dev/sdb by \n"


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_a_sudo_that_asks_gets_the_password_and_the_script_does_not(
    host: Path, line: Callable[[str], str], login_shell: str
) -> None:
    asking = (
        '[ "$1" = -S ] || exit 1; IFS= read -r said; '
        f'[ "$said" = {PASSWORD} ] || exit 1; shift 3; BY=asking exec "$@"'
    )
    _program(host, "sudo", asking)
    assert _run(host, line("ensure"), PASSWORD, login_shell).stdout == (
        "2 ensure /dev/sdb by asking\n"
    )
    refused = _run(host, line("ensure"), None, login_shell)
    assert refused.returncode != 0
    assert refused.stdout == ""


def test_a_wrong_password_is_tried_once_and_nothing_of_the_script_after_it(
    host: Path, line: Callable[[str], str]
) -> None:
    """Three failures lock the account on many hosts (pam_faillock)."""
    asking = (
        f'[ "$1" = -S ] || exit 1; while IFS= read -r said; do echo "$said" >>{host}/tries; '
        f'[ "$said" != {PASSWORD} ] || exit 0; done; '
        "echo sudo: 1 incorrect password attempt >&2; exit 1"
    )
    _program(host, "sudo", asking)
    refused = _run(host, line("ensure"), "another")
    assert (host / "tries").read_text() == "another\n"
    assert refused.returncode == 1
    assert (refused.stdout, refused.stderr) == ("", "sudo: 1 incorrect password attempt\n")


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_a_sudo_that_remembers_the_password_is_given_it_once(
    host: Path, line: Callable[[str], str], login_shell: str
) -> None:
    """A second time it would not read it, and the script would begin with it.

    As sudo 1.9 does without a terminal, it knows by its parent process whom it has asked.
    """
    remembering = (
        f'if [ "$1" = -n ]; then [ -e {host}/known-$PPID ] || exit 1; shift; BY=ticket exec "$@"; '
        f'fi; [ ! -e {host}/known-$PPID ] || {{ shift 3; exec "$@"; }}; '
        f'IFS= read -r said; [ "$said" = {PASSWORD} ] || exit 1; : >{host}/known-$PPID; '
        'shift 3; exec "$@"'
    )
    _program(host, "sudo", remembering)
    done = _run(host, line("ensure"), PASSWORD, login_shell)
    assert (done.stdout, done.stderr) == ("2 ensure /dev/sdb by ticket\n", "")


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
def test_what_was_found_is_read_by_people_and_run_by_nobody(host: Path, login_shell: str) -> None:
    found = 'it\'s `reboot`; $(reboot) "now" !! \\ a\nb ü (9:00)'
    line = script_line(str(host), "node-disk", "ensure", ["/dev/sdb"], found)
    assert "found: it?s `reboot`; $(reboot)" in line
    assert _run(host, line, None, login_shell).stdout == "2 ensure /dev/sdb by sudo\n"


def test_a_command_line_says_in_a_few_words_what_runs() -> None:
    """It stands in the engine's diff, where a person reads it."""
    folder = folder_of("longhorn-rancher/lab")
    words = ["/dev/sdb", "/mnt/longhorn-sdb", "ext4"]
    line = script_line(folder, "node-disk", "ensure", words, "/dev/sdb is not mounted")
    assert line == (
        "sh /var/lib/longhorn-rancher/scripts/longhorn-rancher/lab/run "
        "node-disk ensure /dev/sdb /mnt/longhorn-sdb ext4 'found: /dev/sdb is not mounted'"
    )


def test_a_stale_command_line_fits_whoever_logs_in_later() -> None:
    """It is kept in the state: nothing in it may come from the settings."""
    ops = {"useAgent": True, "user": "ops"}
    runs = [
        run(valid()),
        run(valid(ssh=ops)),
        run(with_secrets(valid(ssh=ops), sudoPassword=PASSWORD)),
    ]
    name = "node-1-mnt-longhorn-sdb-mount"
    folder = folder_of("longhorn-rancher/test")
    words = ["/dev/sdb", "/mnt/longhorn-sdb", "ext4"]
    for key, action in (("create", "ensure"), ("delete", "remove")):
        lines = {recording.named(name).inputs[key] for recording in runs}
        assert lines == {script_line(folder, "node-disk", action, words)}


@pytest.mark.parametrize("printed", ['hello\n\n{"uuid":"1"}\n', '{"uuid":"1"}\nbye\x1b\n[1]\n'])
def test_a_login_and_a_logout_may_print_what_they_like_around_the_result(printed: str) -> None:
    assert parse_result(printed, "node-1", "root") == {"uuid": "1"}


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("", "the script printed nothing"),
        (" \n\n", "the script printed nothing"),
        ("hello\nbye\x1b\n", "the last line printed was: bye?"),
        ("[1]", "the last line printed was: [1]"),
        ('{"uuid":', "the last line printed was: "),
        ("[" * 100_000, "without its result"),
    ],
)
def test_output_that_is_no_result_fails_with_the_nodes_name_and_what_was_printed(
    printed: str, told: str
) -> None:
    with pytest.raises(ResultError) as caught:
        parse_result(printed, "node-1", "ops")
    message = str(caught.value)
    assert message.startswith("node node-1: ")
    assert told in message
    assert "ops" in message
    assert len(message) < 1000
