"""Going on as root, with the person's own PATH and plugins."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.common.paths import PROJECT
from lab.common.progress import LabError, say

_WHY = "The lab makes loop devices and namespaces, which only root may"
# Where losetup, ip and mkfs are; Debian gives them to nobody but root.
_ROOTS_OWN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_KEPT = ("LAB_", "GOPROXY", "GOSUMDB", "GOFLAGS", "http_proxy", "https_proxy", "no_proxy")


def become(module: str, words: Sequence[str] = (), folders: Sequence[Path] = ()) -> None:
    """Return at once as root; else put this module, run by sudo, into this process's place.

    What root builds and fetches goes into root's own home. Raises LabError without sudo.

    Args:
        module: what Python runs, and with which words.
        words: its arguments.
        folders: with programs that root would not find, for PATH.
    """
    if os.geteuid() == 0:
        return
    sudo = shutil.which("sudo")
    if sudo is None:
        raise LabError(f"{_WHY}, and there is no sudo here: run it as root.")
    say(f"{_WHY}: sudo may ask for your password, once.")
    if subprocess.run([sudo, "--validate"], check=False).returncode != 0:
        raise LabError(f"{_WHY}, and sudo does not let you: run it as root.")
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(_KEPT)]
    persons = os.environ.get("PATH", os.defpath)
    path = os.pathsep.join([persons, *map(str, folders), *_ROOTS_OWN])
    # Root would leave caches of its own among the person's files.
    given = [*kept, f"PATH={path}", "PYTHONDONTWRITEBYTECODE=1"]
    os.chdir(PROJECT)
    os.execv(  # noqa: S606  no shell on purpose
        sudo, [sudo, "--set-home", "env", *given, sys.executable, "-m", module, *words]
    )
