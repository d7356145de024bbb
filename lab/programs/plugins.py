"""Pulumi's plugins: which are installed here, and who does their work where one is not.

A plugin that is installed is always the one that is used. Where Pulumi's site answers, a missing
one is fetched from there. Else the kubernetes plugin is built from its Go modules, and those that
no registry carries are played by stand-ins of the lab.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lab.common.paths import STATE
from lab.common.progress import LabError, say
from lab.programs import command_stand_in, docker_stand_in, go_build, toolchain

INSTALLED = "installed on this machine"
BUILT = "built from its Go modules"
PLAYED = "played by the lab's stand-in"

_STAND_INS = {
    stand_in.name: stand_in for stand_in in (command_stand_in.STAND_IN, docker_stand_in.STAND_IN)
}

_DOWNLOAD_HOST = "get.pulumi.com"
_REACHABLE_WITHIN_SECONDS = 3.0
_INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Plugin:
    """One plugin as this machine has it.

    Args:
        name: of the plugin, such as command.
        executable: the file that Pulumi's engine starts.
        origin: INSTALLED, BUILT or PLAYED.
    """

    name: str
    executable: Path
    origin: str


@dataclass(frozen=True)
class Plugins:
    """What Pulumi's engine can use on this machine."""

    found: Mapping[str, Plugin]
    """By name; one that can't be had is not among them."""

    @property
    def has_kubernetes(self) -> bool:
        """Whether Pulumi's engine can change a cluster."""
        return "kubernetes" in self.found

    @property
    def has_docker(self) -> bool:
        """Whether Pulumi's engine can run a container."""
        return "docker" in self.found

    def folders(self) -> list[Path]:
        """Folders for PATH with the plugins that Pulumi's engine would not find otherwise."""
        return [
            plugin.executable.parent for plugin in self.found.values() if plugin.origin != INSTALLED
        ]

    def path(self, pulumi: Path) -> str:
        """PATH for Pulumi's engine: the CLI with its helpers, and the plugins."""
        folders = [pulumi.parent, *self.folders()]
        return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def available(pulumi: Path) -> Plugins:
    """Every plugin that can be had: found, fetched if Pulumi's site answers, built or played."""
    missing = [name for name, path in toolchain.plugins().items() if path is None]
    if missing and _site_answers():
        for name in missing:
            _install(pulumi, name)
    return without_fetching(STATE / "plugins")


def without_fetching(folder: Path, python: str = sys.executable) -> Plugins:
    """Every plugin that can be had without Pulumi's site.

    Args:
        folder: for the launchers of stand-ins.
        python: what runs these.
    """
    made = (_plugin(name, path, folder, python) for name, path in toolchain.plugins().items())
    return Plugins({plugin.name: plugin for plugin in made if plugin is not None})


def missing(names: Iterable[str]) -> str | None:
    """Why these can't all be had on this machine; None when they can. Makes nothing."""
    found = toolchain.plugins()
    absent = [name for name in names if found[name] is None and not _can_be_made(name)]
    if not absent:
        return None
    return f"no pulumi-resource-{{{','.join(absent)}}} on PATH or among installed plugins"


def how_to_have(name: str) -> str:
    """How a person gets the real plugin."""
    return (
        f"`pulumi plugin install resource {name} {_version(name)}` where {_DOWNLOAD_HOST} answers, "
        f"or pulumi-resource-{name} on PATH"
    )


def _can_be_made(name: str) -> bool:
    return name in _STAND_INS or (
        name == "kubernetes" and toolchain.can_be_made(toolchain.KUBERNETES_PLUGIN)
    )


def _plugin(name: str, installed: Path | None, folder: Path, python: str) -> Plugin | None:
    if installed is not None:
        return Plugin(name, installed, INSTALLED)
    if name in _STAND_INS:
        return Plugin(name, _STAND_INS[name].install(folder / name, python), PLAYED)
    if name == "kubernetes":
        try:
            return Plugin(name, go_build.build(toolchain.KUBERNETES_PLUGIN), BUILT)
        except LabError as error:
            say(f"the kubernetes plugin can't be built here: {error}")
    return None


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
