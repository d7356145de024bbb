"""What becomes of a plugin of Pulumi's engine that is not installed here."""

from pathlib import Path

import pytest

from lab.programs import plugins, toolchain
from tests.unit.doubles.a_program import executable


def test_an_installed_plugin_is_used_and_needs_no_folder(empty_path: Path, tmp_path: Path) -> None:
    installed = [
        executable(empty_path / f"pulumi-resource-{name}")
        for name in ("command", "kubernetes", "docker")
    ]
    made = plugins.without_fetching(tmp_path / "stand-ins")
    assert [plugin.executable for plugin in made.found.values()] == installed
    assert {plugin.origin for plugin in made.found.values()} == {plugins.INSTALLED}
    assert made.folders() == []


@pytest.mark.parametrize("name", ["command", "docker"])
def test_a_plugin_that_no_registry_carries_is_played(
    name: str, empty_path: Path, tmp_path: Path
) -> None:
    assert not list(empty_path.iterdir())
    made = plugins.without_fetching(tmp_path / "stand-ins")
    assert made.found[name].origin == plugins.PLAYED
    assert made.found[name].executable.name == f"pulumi-resource-{name}"
    assert made.found[name].executable.parent in made.folders()
    assert plugins.missing([name]) is None


def test_a_kubernetes_plugin_that_is_missing_is_the_built_one(
    empty_path: Path, tmp_path: Path
) -> None:
    assert not list(empty_path.iterdir())
    built = executable(toolchain.KUBERNETES_PLUGIN.cached())
    toolchain.KUBERNETES_PLUGIN.seal()
    made = plugins.without_fetching(tmp_path / "stand-ins")
    assert made.found["kubernetes"] == plugins.Plugin("kubernetes", built, plugins.BUILT)
    assert built.parent in made.folders()
    assert plugins.missing(["kubernetes"]) is None


def test_without_go_a_kubernetes_plugin_is_missing(empty_path: Path, tmp_path: Path) -> None:
    assert not list(empty_path.iterdir())
    assert "kubernetes" not in plugins.without_fetching(tmp_path / "stand-ins").found
    assert "{kubernetes}" in str(plugins.missing(["command", "kubernetes"]))
    executable(empty_path / "go")
    assert plugins.missing(["command", "kubernetes"]) is None
