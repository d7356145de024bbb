"""Fetching Debian packages, with all that a given tree lacks for them, and installing nothing."""

from collections.abc import Sequence
from pathlib import Path

from lab.common.progress import run


def download(tree: Path, packages: Sequence[str], folder: Path, *, recommended: bool) -> None:
    """Put the packages' files into `folder`.

    This machine's apt does the fetching (its proxies and keys apply), but it resolves against
    the tree's own list of installed packages.

    Args:
        tree: a root file system with dpkg's list of what is installed in it.
        recommended: whether what the packages recommend is wanted too.
    """
    (folder / "partial").mkdir(parents=True)
    settings = {
        "Dir::State::status": tree / "var/lib/dpkg/status",
        "Dir::State::extended_states": tree / "var/lib/apt/extended_states",
        "Dir::Cache::archives": folder,
        # This machine's cache files describe its own packages and stay as they are.
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "true" if recommended else "false",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    run(["apt-get", "update"], doing="reading package lists")
    run(
        ["apt-get", *options, "install", "--yes", "--download-only", *packages],
        doing=f"fetching {' and '.join(packages)}",
    )
    (folder / "partial").rmdir()
    (folder / "lock").unlink(missing_ok=True)
