"""A small stand-in for Pulumi's command plugin, for machines where that plugin can't be had.

Pulumi's engine starts it like any resource plugin and drives it over the same protocol. It
knows one resource, `command:remote:Command`, and behaves as the real plugin of VERSION does;
tests/engine/test_command_contract.py holds both to the same expectations. It is part of the
lab only: it says in every run that it is a stand-in, and `find_real` lets callers leave it
alone wherever the real plugin is installed.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

from lab.common.paths import PROJECT

VERSION = "1.2.1"
"""The version of the plugin whose behaviour this follows, and that of the SDK in use."""

EXECUTABLE = "pulumi-resource-command"
"""The file name under which Pulumi's engine looks for the plugin."""

_MARK = "# Starts the lab's stand-in for Pulumi's command plugin."


def install(directory: Path) -> Path:
    """Write an executable that starts the stand-in, and return its path.

    Args:
        directory: made if it is missing. It has to come first on the PATH of `pulumi`, because
            the engine takes the first executable of that name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    launcher = directory / EXECUTABLE
    python, project = shlex.quote(sys.executable), shlex.quote(str(PROJECT))
    launcher.write_text(
        "#!/bin/sh\n"
        f"{_MARK}\n"
        f'PYTHONPATH={project}${{PYTHONPATH:+":$PYTHONPATH"}}\n'
        "export PYTHONPATH\n"
        f'exec {python} -m lab.programs.command_stand_in "$@"\n'
    )
    launcher.chmod(0o755)
    return launcher


def find_real(search_path: str | None = None, pulumi_home: Path | None = None) -> Path | None:
    """Where the real plugin is, or None where the stand-in is needed.

    Args:
        search_path: directories as in PATH, which is the default.
        pulumi_home: whose plugins/ counts, too; default $PULUMI_HOME, else ~/.pulumi.
    """
    if search_path is None:
        search_path = os.environ.get("PATH", os.defpath)
    for directory in search_path.split(os.pathsep):
        found = shutil.which(EXECUTABLE, path=directory) if directory else None
        if found is not None and not _is_stand_in(Path(found)):
            return Path(found)
    home = pulumi_home or Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    installed = home / "plugins" / f"resource-command-v{VERSION}" / EXECUTABLE
    return installed if installed.is_file() else None


def _is_stand_in(executable: Path) -> bool:
    with executable.open("rb") as file:
        return _MARK.encode() in file.read(256)
