"""The programs of a Docker engine, taken from the distribution without installing them.

The packages are unpacked into CACHE and run from there, so this machine's own services, groups
and package list stay as they are.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.common import paths
from lab.common.apt_download import download
from lab.common.distribution import suite
from lab.common.progress import LabError

_PROGRAMS = ("dockerd", "docker", "runc", "containerd")
_PACKAGES = ("docker.io", "containerd", "runc")


@dataclass(frozen=True)
class DockerPrograms:
    """Where Docker's programs are. search_path, library_path: for PATH, LD_LIBRARY_PATH."""

    dockerd: Path
    docker: Path
    runc: Path
    search_path: str
    library_path: str


def docker_programs() -> DockerPrograms:
    """This machine's own programs where it has all of them, else Debian's, unpacked in CACHE."""
    tree = None if all(shutil.which(name) for name in _PROGRAMS) else _unpacked()
    search = [tree / "usr/sbin", tree / "usr/bin"] if tree else []
    libraries = sorted(tree.glob("**/*-linux-gnu")) if tree else []
    return DockerPrograms(
        dockerd=_program("dockerd", search),
        docker=_program("docker", search),
        runc=_program("runc", search),
        search_path=":".join(str(directory) for directory in search),
        library_path=":".join(str(directory) for directory in libraries),
    )


def _program(name: str, search: Sequence[Path]) -> Path:
    # What this machine had installed already was not fetched again.
    for candidate in [*(directory / name for directory in search), shutil.which(name)]:
        if candidate and Path(candidate).exists():
            return Path(candidate)
    raise LabError(f"{name} is neither on PATH nor in this distribution's package docker.io")


def _unpacked() -> Path:
    recipe = hashlib.sha256(" ".join(_PACKAGES).encode()).hexdigest()[:12]
    tree = paths.CACHE / f"docker-{suite()}-{recipe}"
    if tree.is_dir():
        return tree
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-docker-", dir=paths.CACHE))
    try:
        archives = unfinished / "archives"
        download(Path("/"), _PACKAGES, archives, recommended=False)
        for package in archives.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, unfinished / "tree"], check=True)
        (unfinished / "tree").rename(tree)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return tree
