"""The image `rancher/rancher:TAG` in the lab's Docker engine, with the stand-in in it.

A lab host's root file system plus what Python needs; nothing is pulled. The label `lab.stand-in`
says what it is.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.common import paths
from lab.common.apt_download import download
from lab.common.progress import LabError, run, say
from lab.docker import engine as docker_engine
from lab.docker.engine import DockerHandle
from lab.hosts.base_image import REPOSITORY, base_image

NAME = "rancher/rancher"
_LABEL = "lab.stand-in"
_PACKAGES = ("python3", "openssl", "curl")
_LIBRARY = "usr/lib/rancher-stand-in"
_MODULE = Path(__file__).resolve().parent
_LAB_ONLY = ("image.py", "agent.py", "belongings.py", "redeploy.py")
_KUBECTL = f"""\
#!/bin/sh
PYTHONPATH=/{_LIBRARY} exec python3 -m rancher_stand_in.kubectl "$@"
"""


def build(engine: DockerHandle, tag: str) -> str:
    """Make the image unless the Docker engine has it as this module would make it; returns its id.

    Args:
        tag: the Rancher version that the stand-in plays, such as v2.8.5.

    An image of that name which is no stand-in is somebody's real Rancher: LabError.
    """
    reference = f"{NAME}:{tag}"
    contents = _digest()
    present = _labels(engine, reference)
    if present is not None and _LABEL not in present:
        raise LabError(
            f"The Docker engine {engine.host} has an image {reference} that is not the lab's "
            "stand-in. Give the lab an engine of its own."
        )
    if present is None or present[_LABEL] != contents:
        say(f"making the image {reference}: a stand-in for Rancher, not Rancher")
        _import(engine, reference, tag, contents)
    return docker_engine.command(engine, "image", "inspect", "--format", "{{.Id}}", reference)


def _labels(engine: DockerHandle, reference: str) -> dict[str, str] | None:
    """The labels of an image, None if there is no such image."""
    if not docker_engine.command(engine, "image", "ls", "--quiet", reference):
        return None
    shown = '{{range $name, $value := .Config.Labels}}{{$name}}={{$value}}{{"\\n"}}{{end}}'
    lines = docker_engine.command(engine, "image", "inspect", "--format", shown, reference)
    return dict(line.split("=", 1) for line in lines.splitlines() if "=" in line)


def _import(engine: DockerHandle, reference: str, tag: str, contents: str) -> None:
    changes = [
        'ENTRYPOINT ["python3", "-m", "rancher_stand_in"]',
        f"ENV PYTHONPATH=/{_LIBRARY}",
        "ENV PYTHONUNBUFFERED=1",
        f"ENV CATTLE_SERVER_VERSION={tag}",
        "EXPOSE 80 443",
        "VOLUME /var/lib/rancher /var/lib/kubelet /var/lib/cni /var/log",
        f"LABEL {_LABEL}={contents}",
    ]
    scratch_directory = tempfile.TemporaryDirectory(prefix="unfinished-rancher-", dir=paths.CACHE)
    # A link changes its file's inode, which tar takes for a change of what another lab packs.
    with (paths.CACHE / "rancher-image.lock").open("w") as lock, scratch_directory as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = Path(scratch)
        _fill(tree)
        docker_engine.import_image(engine, tree, reference, changes)


def _fill(tree: Path) -> None:
    """The base, then the packages that it lacks, then the stand-in."""
    base = base_image()
    # Links to the base's files, which nobody writes to: what differs replaces the link.
    subprocess.run(["cp", "--archive", "--link", f"{base}/.", tree], check=True)
    shutil.rmtree(tree / REPOSITORY)
    for top in sorted(_unpacked_packages(base).iterdir()):
        # The trailing slash follows the base's links such as /lib, which packages do not have.
        copy = ["cp", "--archive", "--remove-destination", f"{top}/.", f"{tree / top.name}/"]
        subprocess.run(copy, check=True)
    library = tree / _LIBRARY / "rancher_stand_in"
    library.mkdir(parents=True)
    for module in _MODULE.glob("*.py"):
        if module.name not in _LAB_ONLY:
            shutil.copy(module, library)
    kubectl = tree / "usr/bin/kubectl"
    kubectl.unlink(missing_ok=True)
    kubectl.write_text(_KUBECTL)
    kubectl.chmod(0o755)


def _unpacked_packages(base: Path) -> Path:
    """The packages that the base lacks, unpacked, from CACHE."""
    folder = paths.CACHE / f"rancher-stand-in-packages-{base.name}"
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(prefix="unfinished-python-", dir=paths.CACHE) as scratch:
        fetched, unpacked = Path(scratch) / "fetched", Path(scratch) / "unpacked"
        unpacked.mkdir()
        download(base, _PACKAGES, fetched, recommended=False)
        for package in sorted(fetched.glob("*.deb")):
            run(["dpkg-deb", "--extract", package, unpacked], doing=f"unpacking {package.stem}")
        unpacked.rename(folder)
    return folder


def _digest() -> str:
    """What the image would hold, in short: the base's name and the stand-in's own files."""
    digest = hashlib.sha256(base_image().name.encode())
    for module in sorted(_MODULE.glob("*.py")):
        digest.update(module.name.encode() + module.read_bytes())
    return digest.hexdigest()[:16]
