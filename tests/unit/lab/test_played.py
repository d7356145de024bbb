"""The lab says what it plays, and the demo what it is about to do."""

from pathlib import Path

import pytest

from lab import played
from lab.longhorn import chart
from lab.longhorn.manager import choice
from lab.programs import language_host, toolchain
from tests.unit.doubles.a_program import executable
from tools import demo


def _parts(pulumi: Path) -> dict[str, played.Played]:
    return {part.part: part for part in played.played(pulumi)}


def test_what_is_missing_is_played_and_says_how_to_have_the_real_one(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = executable(empty_path / "pulumi")
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
    pulumi = executable(empty_path / "pulumi")
    for name in (*language_host.EXECUTABLES, "pulumi-resource-command", "pulumi-resource-docker"):
        executable(empty_path / name)
    monkeypatch.setattr(chart, "missing_chart", lambda: None)
    monkeypatch.setattr(choice, "missing", lambda: None)
    executable(empty_path / "go")
    assert set(_parts(pulumi)) == {"the nodes' kubelets", "Rancher"}


def test_a_plugin_that_can_not_be_had_is_called_left_out(empty_path: Path) -> None:
    parts = _parts(executable(empty_path / "pulumi"))
    assert "left out" in parts["Pulumi's kubernetes plugin"].by


def test_the_first_line_names_what_is_built_before_and_how_long_that_takes(
    empty_path: Path,
) -> None:
    for program in toolchain.unbuilt():
        if program is not toolchain.KUBERNETES_PLUGIN:
            executable(empty_path / program.name)
    minutes = toolchain.KUBERNETES_PLUGIN.minutes
    assert f"(pulumi-resource-kubernetes): about {minutes} minutes" in demo.announcement()
    executable(empty_path / "pulumi-resource-kubernetes")
    assert "built" not in demo.announcement()
