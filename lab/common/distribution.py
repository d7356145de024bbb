"""Which Debian or Ubuntu this machine runs, and where its own apt gets it from."""

import shutil
import subprocess
from pathlib import Path

from lab.common.progress import LabError


def suite() -> str:
    """This machine's release of Debian or Ubuntu, such as "bookworm".

    Raises LabError when it is neither.
    """
    codename = _os_release().get("VERSION_CODENAME", "")
    if not codename or shutil.which("apt-get") is None:
        raise LabError(
            "The lab's hosts are made by debootstrap: this needs Debian or Ubuntu with apt "
            "(/etc/os-release names no VERSION_CODENAME, or apt-get is missing)."
        )
    return codename


def mirror() -> str:
    """The address that this machine's own apt gets its distribution from.

    Raises LabError when apt knows no mirror of this machine's release.
    """
    wanted = f"{suite()} main "
    listed = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(RELEASE) $(COMPONENT) $(REPO_URI)",
            "Created-By: Packages",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines():
        if line.startswith(wanted):
            return line.removeprefix(wanted)
    raise LabError(
        f"apt has no source for the component main of {suite()}: add the distribution's mirror to "
        "/etc/apt/sources.list.d and run apt-get update."
    )


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip('"') for name, value in pairs}
