"""The root file system that every lab host starts from: a minimal Debian or Ubuntu server.

Made once by debootstrap from the mirror that this machine's own apt uses, and kept in CACHE.
open-iscsi and nfs-common are deliberately absent: they lie, with what they depend on, in a local
apt repository inside the image, which is the only package source of a host. So installing them
on a host is the real thing, and needs no network.

Files that make a tree into one particular host (keys, names, fstab) belong to lab.hosts.files.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.common import paths
from lab.common.apt_download import download
from lab.common.distribution import mirror, suite
from lab.common.progress import LabError, run, say

REPOSITORY = "srv/packages"

_SERVER_PACKAGES = (
    "ca-certificates",
    "curl",
    "e2fsprogs",
    "fdisk",
    "iproute2",
    "kmod",
    "netbase",
    "openssh-server",
    "procps",
    "sudo",
    # open-iscsi needs it. No host runs its daemon: it would hear of this machine's own devices.
    "udev",
    "util-linux",
    "xfsprogs",
)
# Users who may log in besides root; lab.hosts.files decides what sudo asks of them.
USERS = ("operator", "careful")

# What a node needs for Longhorn and a minimal server does not have.
_OFFERED_PACKAGES = ("open-iscsi", "nfs-common")
# Raise this when the steps below change what the tree holds.
_RECIPE = "2"


def base_image() -> Path:
    """Return the cached tree, made first where it is missing (about two minutes).

    The directory is shared read-only by all hosts; nobody may write to it.
    """
    tree = paths.CACHE / f"base-{suite()}-{_recipe_hash()}"
    if tree.is_dir():
        return tree
    if os.geteuid() != 0:
        raise LabError("The lab makes a root file system and namespaces: run it as root.")
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with (paths.CACHE / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another program may have made it while this one waited.
        if not tree.is_dir():
            _make(tree)
    return tree


def _make(tree: Path) -> None:
    _need_debootstrap()
    for left in paths.CACHE.glob("unfinished-base-*"):
        # Of a program that was killed; what debootstrap mounts in it may still be there.
        for mounted in (left / "sys", left / "proc"):
            subprocess.run(["umount", "--recursive", mounted], check=False, capture_output=True)
        shutil.rmtree(left)
    # Only a finished tree gets the name that is looked for.
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-base-", dir=paths.CACHE))
    try:
        _bootstrap(unfinished)
        _fill_repository(unfinished)
        _add_users(unfinished)
        _trim(unfinished)
        unfinished.chmod(0o755)
        unfinished.rename(tree)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    say(f"base image ready: {tree}")


def _recipe_hash() -> str:
    recipe = " ".join([_RECIPE, *_SERVER_PACKAGES, "offered:", *_OFFERED_PACKAGES])
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _need_debootstrap() -> None:
    if shutil.which("debootstrap") is None:
        run(["apt-get", "update"], doing="reading package lists")
        run(
            ["apt-get", "install", "--yes", "--no-install-recommends", "debootstrap"],
            doing="installing debootstrap",
        )


def _bootstrap(tree: Path) -> None:
    run(
        [
            "debootstrap",
            "--variant=minbase",
            "--force-check-gpg",
            f"--include={','.join(_SERVER_PACKAGES)}",
            suite(),
            tree,
            mirror(),
        ],
        doing=f"making a {suite()} root file system",
    )


def _fill_repository(tree: Path) -> None:
    """Put the offered packages, with all that the tree lacks for them, into a flat repository."""
    repository = tree / REPOSITORY
    download(tree, _OFFERED_PACKAGES, repository, recommended=True)
    if not any(repository.glob("open-iscsi_*.deb")):
        raise LabError(f"apt put no open-iscsi package into {repository}")
    (repository / "Packages").write_text(_package_index(repository))
    (tree / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{REPOSITORY} ./\n")


def _package_index(repository: Path) -> str:
    """The index of a flat repository: each package's control paragraph, file, size and digest."""
    paragraphs: list[str] = []
    for package in sorted(repository.glob("*.deb")):
        # apt writes a version's epoch as "1%3a" and would quote the sign again when it fetches.
        package = package.rename(package.with_name(package.name.replace("%3a", ".")))
        control = subprocess.run(
            ["dpkg-deb", "--field", package], check=True, capture_output=True, text=True
        ).stdout.rstrip("\n")
        content = package.read_bytes()
        paragraphs.append(
            f"{control}\nFilename: ./{package.name}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    return "\n".join(paragraphs)


def _add_users(tree: Path) -> None:
    for user in USERS:
        # Debian has a group "operator" of its own, so these share the group "users".
        add = ["useradd", "--create-home", "--shell=/bin/bash", "--gid=users", user]
        subprocess.run(["chroot", tree, *add], check=True)
        # "*" refuses every password, but unlike "!" does not lock the account for keys.
        subprocess.run(["chroot", tree, "usermod", "--password=*", user], check=True)


def _trim(tree: Path) -> None:
    """Remove what must be each host's own, and what only costs space."""
    for path in (tree / "etc/ssh").glob("ssh_host_*"):
        path.unlink()
    (tree / "etc/machine-id").write_text("")
    for path in (tree / "var/lib/apt/lists").rglob("*"):
        if path.is_file():
            path.unlink()
    for path in (tree / "var/cache/apt/archives").glob("*.deb"):
        path.unlink()
