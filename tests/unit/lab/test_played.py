"""The lab says what it plays, and the demo what it is about to do."""

from pathlib import Path

import pytest

from lab import played
from lab.longhorn import chart
from lab.longhorn.manager import choice
from lab.programs import go_build, language_host, toolchain
from tools import demo


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path, a cache and a Pulumi home with nothing in them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(go_build, "CACHE", tmp_path / "cache")
    return folder


def _executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def _parts(pulumi: Path) -> dict[str, played.Played]:
    return {part.part: part for part in played.played(pulumi)}


def test_what_is_missing_is_played_and_says_how_to_have_the_real_one(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = _executable(empty_path / "pulumi")
    language_host.put_beside(pulumi)
    monkeypatch.setattr(chart, "missing_chart", lambda: "no chart")
    parts = _parts(pulumi)
    assert "stand-in" in parts["Pulumi's language host"].by
    assert "pulumi plugin install resource command" in parts["Pulumi's command plugin"].real
    assert "helm pull" in parts["Longhorn's chart"].real
    assert "PATH" in parts["Longhorn's managers"].real


def test_what_is_there_is_not_in_the_list(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = _executable(empty_path / "pulumi")
    for name in (*language_host.EXECUTABLES, "pulumi-resource-command", "pulumi-resource-docker"):
        _executable(empty_path / name)
    monkeypatch.setattr(chart, "missing_chart", lambda: None)
    monkeypatch.setattr(choice, "missing", lambda: None)
    _executable(empty_path / "go")
    assert set(_parts(pulumi)) == {"the nodes' kubelets", "Rancher"}


def test_a_plugin_that_can_not_be_had_is_called_left_out(empty_path: Path) -> None:
    parts = _parts(_executable(empty_path / "pulumi"))
    assert "left out" in parts["Pulumi's kubernetes plugin"].by


def test_the_first_line_names_what_is_built_before_and_how_long_that_takes(
    empty_path: Path,
) -> None:
    for program in toolchain.unbuilt():
        if program is not toolchain.KUBERNETES_PLUGIN:
            _executable(empty_path / program.name)
    minutes = toolchain.KUBERNETES_PLUGIN.minutes
    assert f"(pulumi-resource-kubernetes): about {minutes} minutes" in demo.announcement()
    _executable(empty_path / "pulumi-resource-kubernetes")
    assert "built" not in demo.announcement()
