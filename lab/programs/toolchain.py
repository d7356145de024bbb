"""Finds the programs that the lab runs, or makes them.

Every program is taken from PATH when it is there. Otherwise Kubernetes, etcd and kwok are built
from pinned Go modules (lab.programs.go_build), and Pulumi's CLI comes from Pulumi's own installer
or, where its site can't be reached, from Go modules too. Pulumi's plugins are only looked for here:
lab.programs.plugins says what becomes of those that are missing.
"""

import os
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from lab.common.progress import LabError, say
from lab.programs import language_host
from lab.programs.go_build import GoProgram, build

INSTALLER_HOST = "get.pulumi.com"
_REACHABLE_WITHIN_SECONDS = 3.0
_PLUGIN_NAMES = ("command", "kubernetes", "docker")
_KUBERNETES_STAMPS = {
    "k8s.io/component-base/version.gitVersion": "v{version}",
    "k8s.io/component-base/version.gitMajor": "{major}",
    "k8s.io/component-base/version.gitMinor": "{minor}",
    "k8s.io/component-base/version.gitCommit": "unknown",
    "k8s.io/component-base/version.gitTreeState": "clean",
}


def _kubernetes(name: str) -> GoProgram:
    module = "k8s.io/kubernetes"
    return GoProgram(name, "kubernetes", module, f"{module}/cmd/{name}", _KUBERNETES_STAMPS)


CLI = GoProgram(
    "pulumi",
    "pulumi",
    "github.com/pulumi/pulumi/pkg/v3",
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v{version}"},
    minutes=4,
)
"""Pulumi's command line, as it is built where it can't be had otherwise."""

KUBERNETES_PLUGIN = GoProgram(
    "pulumi-resource-kubernetes",
    "pulumi-kubernetes",
    "github.com/pulumi/pulumi-kubernetes/provider/v4",
    ".",
    # Pulumi warns of a plugin that is older than the SDK; behind the plus, what it really is.
    {"main.version": f"{metadata.version('pulumi-kubernetes')}+{{version}}"},
    minutes=6,
)
"""Pulumi's kubernetes plugin, as it is built where it can't be had otherwise."""

OBJECT_STORE = GoProgram(
    "versitygw",
    "versitygw",
    "github.com/versity/versitygw",
    "github.com/versity/versitygw/cmd/versitygw",
    {"main.Version": "v{version}"},
    minutes=2,
)
"""The object store for tests of backups, built only where one of them runs."""

_PROGRAMS = {
    program.name: program
    for program in (
        CLI,
        GoProgram("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        GoProgram("kwok", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
    )
}


def unbuilt() -> list[GoProgram]:
    """The programs that are neither on PATH nor in the cache, in the order of their need."""
    wanted = [*_PROGRAMS.values(), *([] if _plugin("kubernetes") else [KUBERNETES_PLUGIN])]
    return [
        program
        for program in wanted
        if shutil.which(program.name) is None and not program.is_whole()
    ]


def binary(name: str) -> Path:
    """The path of a program that the lab runs: from PATH, else from the cache, else made now.

    Raises LabError when it can't be made on this machine, or is not one of the lab's programs.
    """
    known = {**_PROGRAMS, OBJECT_STORE.name: OBJECT_STORE}
    if name not in known:
        raise LabError(f"the lab has no program {name!r}; it knows {', '.join(sorted(known))}")
    if name == "pulumi":
        return _pulumi()
    found = shutil.which(name)
    return Path(found) if found else build(known[name])


def can_be_made(program: GoProgram) -> bool:
    """Whether it is built already, or Go is there to build it."""
    return program.is_whole() or shutil.which("go") is not None


def plugins() -> dict[str, Path | None]:
    """Where the resource plugins of the program are, by name; None for one that is missing.

    Pulumi's engine looks in the same two places: PATH, then the plugins folder of PULUMI_HOME.
    """
    return {name: _plugin(name) for name in _PLUGIN_NAMES}


def same_minor(left: str, right: str) -> bool:
    """Whether two versions (a leading v is allowed) share major and minor number."""
    return left.removeprefix("v").split(".")[:2] == right.removeprefix("v").split(".")[:2]


def _plugin(name: str) -> Path | None:
    executable = f"pulumi-resource-{name}"
    if on_path := shutil.which(executable):
        return Path(on_path)
    home = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
    installed = sorted(
        (home / "plugins").glob(f"resource-{name}-v*/{executable}"),
        key=lambda path: VersionInfo.parse(path.parent.name.removeprefix(f"resource-{name}-v")),
    )
    return installed[-1] if installed else None


def _pulumi() -> Path:
    sdk = metadata.version("pulumi")
    if on_path := shutil.which("pulumi"):
        unfit = _unfit(Path(on_path), sdk)
        if unfit is None:
            return Path(on_path)
        say(f"{on_path} {unfit}: the lab takes a CLI of its own instead")
    if not same_minor(CLI.version(), sdk):
        raise LabError(
            f"lab/programs/go/pulumi pins pulumi {CLI.version()}, but the Python SDK here is "
            f"{sdk}: bring both to one minor version"
        )
    cached = CLI.cached()
    if not CLI.is_whole() and not _install(CLI):
        build(CLI)
    # Only the installer brings a language host; one that is already there is left alone.
    language_host.put_beside(cached)
    return cached


def _unfit(pulumi: Path, sdk: str) -> str | None:
    """What keeps a CLI from running Python programs with this SDK; None when nothing does."""
    found = _version_of(pulumi)
    if not same_minor(found, sdk):
        return f"is {found}, but the Python SDK here is {sdk}"
    for name in language_host.EXECUTABLES:
        # Pulumi's engine looks in the same two places.
        if not (shutil.which(name) or shutil.which(name, path=pulumi.resolve().parent)):
            return f"has no {name} beside it, and none is on PATH"
    return None


def _install(program: GoProgram) -> bool:
    """Runs Pulumi's own installer; False where its site can't be reached or it fails."""
    try:
        socket.create_connection((INSTALLER_HOST, 443), _REACHABLE_WITHIN_SECONDS).close()
    except OSError:
        say(f"{INSTALLER_HOST} can't be reached from here: pulumi is built from its Go modules")
        return False
    version = program.version()
    say(f"installing pulumi {version} with Pulumi's installer …")
    try:
        PulumiCommand.install(
            root=str(program.cached().parent.parent), version=VersionInfo.parse(version)
        )
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        say(f"Pulumi's installer failed ({error}): pulumi is built from its Go modules")
        return False
    if not program.cached().exists():
        return False
    program.seal()
    return True


def _version_of(pulumi: Path) -> str:
    answer = subprocess.run(
        [pulumi, "version"],
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return answer.stdout.strip() or "of an unknown version"
