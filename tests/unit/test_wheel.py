"""The package that another program installs has all that it needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab.common.paths import PROJECT
from tests.wheel import PACKAGES, built_wheel, environment_with

_IMPORTS = """
import components, longhorn_rancher
from components.nodes.script_parts import ON_HOSTS
assert all(script.text for script in ON_HOSTS)
print(components.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


def test_every_file_of_its_packages_is_in_it(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(PROJECT))
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".sh") for name in wanted)
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_nothing_else_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_installed_it_is_imported_and_has_its_scripts(wheel: Path, tmp_path: Path) -> None:
    environment = environment_with(wheel, tmp_path / "environment")
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-W", "ignore", "-c", _IMPORTS],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(environment))
    assert sys.prefix != str(environment)
