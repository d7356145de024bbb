"""This package as another program has it: built, and installed into an environment."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from lab.common.paths import PROJECT

PACKAGES = ("longhorn_rancher", "components", "configuration")


def built_wheel(folder: Path) -> Path:
    """The wheel, built in this folder from a copy: a build leaves files beside its sources."""
    source = folder / "source"
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, source / package, ignore=_caches)
    shutil.copy(PROJECT / "pyproject.toml", source)
    _pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment_with(wheel: Path, folder: Path) -> Path:
    """A virtual environment that has the wheel, and else the packages of the one that runs now."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    _pip("install", "--target", str(packages), str(wheel))
    (packages / "of-the-tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


def _caches(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__"}


def _pip(command: str, *words: str) -> None:
    """Run pip without asking a registry. Raises CalledProcessError."""
    always = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    subprocess.run([sys.executable, "-m", "pip", command, *always, *words], check=True)
