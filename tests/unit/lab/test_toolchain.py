"""The lab takes the right program, and says what is missing when it can't."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from lab.common import progress
from lab.common.progress import LabError
from lab.programs import go_build, language_host, toolchain
from lab.programs.go_build import GO_PROJECTS, GoProgram, pinned_version
from lab.programs.language_host.program import explain
from lab.programs.language_host.server import interpreter
from tests.unit.doubles.a_program import executable

_GO_MOD = """\
module example.invalid/x

require example.org/single v1.2.3

require (
\texample.org/tool/v2 v2.4.6-rc.1 // indirect
\texample.org/tool/v2/more v2.9.9
)
"""


def test_the_version_is_the_one_that_go_mod_pins() -> None:
    assert pinned_version(_GO_MOD, "example.org/single") == "1.2.3"
    assert pinned_version(_GO_MOD, "example.org/tool/v2") == "2.4.6-rc.1"


def test_a_module_that_is_not_pinned_is_named() -> None:
    with pytest.raises(LabError, match=r"no version of example\.org/absent"):
        pinned_version(_GO_MOD, "example.org/absent")


def test_every_staging_module_has_the_release_of_its_kubernetes() -> None:
    go_mod = (GO_PROJECTS / "kubernetes" / "go.mod").read_text()
    minor_and_patch = pinned_version(go_mod, "k8s.io/kubernetes").removeprefix("1.")
    replaced = [line.split()[-1] for line in go_mod.splitlines() if "=> k8s.io/" in line]
    assert len(replaced) > 30
    assert set(replaced) == {f"v0.{minor_and_patch}"}


def test_the_linker_is_told_the_version() -> None:
    program = GoProgram("x", "kubernetes", "k8s.io/kubernetes", "p", {"a.b": "v{version}"})
    assert program.linker_flags() == f"-s -w -X a.b=v{program.version()}"


def test_a_program_without_go_to_build_it_says_what_to_install(
    empty_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not list(empty_path.iterdir())
    monkeypatch.setattr(go_build, "CACHE", tmp_path / "cache")
    with pytest.raises(LabError, match=r"etcd is not on PATH.*Install Go"):
        toolchain.binary("etcd")


@pytest.fixture
def builds(empty_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A cache of its own, and a Go that counts how often it has built something."""
    counted = tmp_path / "counted"
    executable(
        empty_path / "go",
        f"""#!/bin/sh
[ "$1" = build ] || exit 0
echo built >> {counted}
while [ "$1" != -o ]; do shift; done
echo program > "$2"
""",
    )
    monkeypatch.setattr(go_build, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(progress, "STATE", tmp_path / "state")
    return lambda: len(counted.read_text().split())


def test_a_program_is_built_once(builds: Callable[[], int]) -> None:
    made = toolchain.binary("etcd")
    assert toolchain.binary("etcd") == made
    assert made.read_text() == "program\n"
    assert builds() == 1


@pytest.mark.parametrize("text", ["prog", "program broken in the same place\n", ""])
def test_a_broken_program_in_the_cache_is_made_again(text: str, builds: Callable[[], int]) -> None:
    made = toolchain.binary("etcd")
    made.write_text(text)
    assert toolchain.binary("etcd").read_text() == "program\n"
    assert builds() == 2


def test_a_program_that_nobody_has_called_whole_is_made_again(builds: Callable[[], int]) -> None:
    executable(toolchain.KUBERNETES_PLUGIN.cached(), "of a killed build")
    assert go_build.build(toolchain.KUBERNETES_PLUGIN).read_text() == "program\n"
    assert builds() == 1


def test_a_program_of_another_recipe_is_made_again(
    builds: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = tmp_path / "go"
    shutil.copytree(GO_PROJECTS / "etcd", projects / "etcd")
    monkeypatch.setattr(go_build, "GO_PROJECTS", projects)
    toolchain.binary("etcd")
    with (projects / "etcd" / "go.sum").open("a") as sums:
        sums.write("one more\n")
    toolchain.binary("etcd")
    assert builds() == 2


def test_a_program_on_path_is_used_as_it_is(empty_path: Path) -> None:
    installed = executable(empty_path / "etcd")
    assert toolchain.binary("etcd") == installed


def test_an_unknown_program_is_an_error() -> None:
    with pytest.raises(LabError, match="no program 'nonesuch'"):
        toolchain.binary("nonesuch")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("v3.259.0", "3.259.4", True), ("3.259.0", "3.260.0", False), ("3.1.0", "13.1.0", False)],
)
def test_versions_match_by_major_and_minor(left: str, right: str, same: bool) -> None:
    assert toolchain.same_minor(left, right) is same


def test_missing_plugins_are_reported_as_missing(empty_path: Path) -> None:
    assert not list(empty_path.iterdir())
    assert toolchain.plugins() == {"command": None, "kubernetes": None, "docker": None}


def test_a_plugin_on_path_wins_over_an_installed_one(empty_path: Path, tmp_path: Path) -> None:
    name = "pulumi-resource-command"
    executable(tmp_path / "home" / "plugins" / "resource-command-v1.2.1" / name)
    on_path = executable(empty_path / name)
    assert toolchain.plugins()["command"] == on_path


def test_the_newest_installed_plugin_is_found(empty_path: Path, tmp_path: Path) -> None:
    assert not list(empty_path.iterdir())
    name = "pulumi-resource-docker"
    for version in ("5.9.0", "5.10.0"):
        executable(tmp_path / "home" / "plugins" / f"resource-docker-v{version}" / name)
    found = toolchain.plugins()["docker"]
    assert found is not None
    assert found.parent.name == "resource-docker-v5.10.0"


def test_a_built_cli_gets_a_language_host(tmp_path: Path) -> None:
    cli = executable(tmp_path / "pulumi-1" / "bin" / "pulumi")
    language_host.put_beside(cli)
    for name in ("pulumi-language-python", "pulumi-resource-pulumi-python"):
        assert cli.with_name(name).stat().st_mode & stat.S_IXUSR


def test_pulumis_own_language_host_is_left_alone(tmp_path: Path) -> None:
    cli = executable(tmp_path / "pulumi-1" / "bin" / "pulumi")
    own = executable(cli.with_name("pulumi-language-python"), "Pulumi's own")
    language_host.put_beside(cli)
    assert own.read_text() == "Pulumi's own"


def test_a_program_runs_in_the_environment_that_its_project_names(tmp_path: Path) -> None:
    python = executable(tmp_path / "venv" / "bin" / "python")
    assert interpreter(tmp_path, {"virtualenv": "venv"}) == str(python)
    assert interpreter(Path("/"), {"virtualenv": str(tmp_path / "venv")}) == str(python)


def test_a_program_whose_project_names_no_environment_runs_in_the_python_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    assert interpreter(tmp_path, {}) == "python3"
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python3.99")
    assert interpreter(tmp_path, {}) == "python3.99"


def test_an_environment_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"names the virtual environment \.venv"):
        interpreter(tmp_path, {"virtualenv": ".venv"})


def test_dynamic_resources_are_refused_where_their_environment_is_not_there(
    tmp_path: Path,
) -> None:
    cli = executable(tmp_path / "pulumi-1" / "bin" / "pulumi")
    language_host.put_beside(cli)
    answer = subprocess.run(
        [cli.with_name("pulumi-resource-pulumi-python")],
        cwd=tmp_path,
        env={**os.environ, "PULUMI_RUNTIME_VIRTUALENV": ".venv"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert ".venv/bin/python is not there" in answer.stderr


def _pulumi_on_path(folder: Path) -> Path:
    return executable(folder / "pulumi", f"#!/bin/sh\necho v{metadata.version('pulumi')}\n")


def test_a_cli_on_path_with_its_language_host_is_used(empty_path: Path) -> None:
    cli = _pulumi_on_path(empty_path)
    for name in language_host.EXECUTABLES:
        executable(empty_path / name)
    assert toolchain.binary("pulumi") == cli


@pytest.mark.parametrize("missing", language_host.EXECUTABLES)
def test_a_cli_on_path_that_can_not_run_python_is_left_alone(
    missing: str, empty_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go_build, "CACHE", tmp_path / "cache")
    own = executable(toolchain.CLI.cached())
    toolchain.CLI.seal()
    _pulumi_on_path(empty_path)
    for name in language_host.EXECUTABLES:
        if name != missing:
            executable(empty_path / name)
    assert toolchain.binary("pulumi") == own


def test_an_error_is_shown_from_the_program_on() -> None:
    def program() -> None:
        raise ValueError("this is wrong")

    with pytest.raises(ValueError, match="this is wrong") as caught:
        program()
    explained = explain(caught.value, Path(program.__code__.co_filename))
    assert "this is wrong" in explained
    assert explained.splitlines()[1].strip().startswith(f'File "{program.__code__.co_filename}"')
