"""Somebody who is not root goes on as root, with what both of them have on PATH."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.common import as_root


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What takes this process's place; a person without root's folders on PATH, whom sudo lets."""
    words: list[str] = []

    def execv(_program: str, arguments: Sequence[str]) -> None:
        words.extend(arguments)

    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "chdir", lambda _folder: None)
    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(as_root.shutil, "which", lambda _name: "/usr/bin/sudo")
    monkeypatch.setattr(as_root.subprocess, "run", lambda *_words, **_options: done)
    monkeypatch.setenv("PATH", "/home/dev/bin:/usr/bin:/bin")
    return words


def test_root_finds_the_persons_programs_its_own_and_the_plugins(replaced: list[str]) -> None:
    as_root.become("tools.demo", folders=[Path("/opt/plugins")])
    (path,) = [word.removeprefix("PATH=") for word in replaced if word.startswith("PATH=")]
    folders = path.split(":")
    assert folders[:3] == ["/home/dev/bin", "/usr/bin", "/bin"]
    assert {"/opt/plugins", "/usr/sbin", "/sbin"} <= {*folders}


def test_the_module_goes_on_with_its_words(replaced: list[str]) -> None:
    as_root.become("lab", ["down"])
    assert replaced[-3:] == ["-m", "lab", "down"]
