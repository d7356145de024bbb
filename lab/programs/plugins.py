"""Which of the engine's plugins this machine has, and what is left out without them."""

import os
import socket
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lab.common.paths import STATE
from lab.common.progress import say
from lab.programs import command_stand_in, toolchain

_DOWNLOAD_HOST = "get.pulumi.com"
_REACHABLE_WITHIN_SECONDS = 3.0
_INSTALL_SECONDS = 600
_LEFT_OUT = {
    "kubernetes": "labels, Longhorn, its frontend, the volume check and the import",
    "docker": "the Rancher server and the import",
}


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """What the engine can use on this machine."""

    kubernetes: bool
    docker: bool
    stand_in: Path | None
    """Folder with the command plugin's stand-in; None where the real plugin is there."""

    def path(self, pulumi: Path) -> str:
        """PATH for the engine: the CLI with its helpers, the stand-in if it is needed."""
        folders = [str(pulumi.parent)]
        if self.stand_in is not None:
            folders.append(str(self.stand_in))
        return os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])


def available(pulumi: Path) -> Plugins:
    """Find the plugins, fetch what is missing if Pulumi's site answers, say what stays missing."""
    found = toolchain.plugins()
    missing = [name for name, path in found.items() if path is None]
    if missing and _site_answers():
        for name in missing:
            _install(pulumi, name)
        found = toolchain.plugins()
    for name, what in _LEFT_OUT.items():
        if found[name] is None:
            say(
                f"The {name} plugin is not on this machine and {_DOWNLOAD_HOST} can't be reached: "
                f"left out are {what}. Put pulumi-resource-{name} {_version(name)} on PATH to "
                "have them."
            )
    stand_in = None
    if found["command"] is None:
        stand_in = command_stand_in.STAND_IN.install(STATE / "plugins").parent
        say(
            "The command plugin is not on this machine: the lab's stand-in runs the scripts over "
            f"SSH. Put pulumi-resource-command {_version('command')} on PATH for the real one."
        )
    return Plugins(
        kubernetes=found["kubernetes"] is not None,
        docker=found["docker"] is not None,
        stand_in=stand_in,
    )


def _site_answers() -> bool:
    try:
        socket.create_connection((_DOWNLOAD_HOST, 443), _REACHABLE_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def _install(pulumi: Path, name: str) -> None:
    say(f"fetching the {name} plugin {_version(name)} …")
    done = subprocess.run(
        [pulumi, "plugin", "install", "resource", name, _version(name)],
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        say(f"fetching the {name} plugin failed: {done.stderr.strip()}")


def _version(name: str) -> str:
    return metadata.version(f"pulumi-{name}")
