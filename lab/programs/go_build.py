"""Builds the lab's programs from pinned Go modules.

Owns the builds and where they are kept: CACHE/<project>-<version>/bin/<program>. Each folder of
lab/programs/go is one Go project: its go.mod says which version of what is built (`tool` and
`require`), its go.sum what the sources must hash to. Nothing here chooses between a build and a
program that is already installed; lab.programs.toolchain does.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.common.paths import CACHE
from lab.common.progress import LabError, run, say

GO_PROJECTS = Path(__file__).parent / "go"


@dataclass(frozen=True)
class GoProgram:
    """One program that a Go project under lab/programs/go can build.

    Args:
        name: the executable's file name.
        project: the folder under lab/programs/go whose go.mod pins it.
        module: the module that carries the version of the program.
        package: what `go build` is given.
        stamps: linker variables (import path and name) to the text they are set to; `{version}`
            stands for the pinned version without the leading v, `{major}` and `{minor}` for its
            parts. Programs that are built as a dependency do not know their version otherwise.
    """

    name: str
    project: str
    module: str
    package: str
    stamps: Mapping[str, str] = field(default_factory=dict[str, str])

    def version(self) -> str:
        """The version that go.mod pins, without the leading v."""
        return pinned_version((GO_PROJECTS / self.project / "go.mod").read_text(), self.module)

    def cached(self) -> Path:
        """Where the program is, or will be once it is built."""
        return CACHE / f"{self.project}-{self.version()}" / "bin" / self.name

    def linker_flags(self) -> str:
        """What `-ldflags` is given: no symbol tables, and the version stamps."""
        version = self.version()
        major, minor, *_ = version.split(".")
        words = ["-s", "-w"]
        for variable, text in self.stamps.items():
            words += ["-X", f"{variable}={text.format(version=version, major=major, minor=minor)}"]
        return " ".join(words)


def pinned_version(go_mod: str, module: str) -> str:
    """The version of `module` that the text of a go.mod requires, without the leading v."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} v(\S+)", go_mod, re.MULTILINE)
    if not found:
        raise LabError(f"no version of {module} is pinned in this go.mod:\n{go_mod[:200]}")
    return found.group(1)


def build(program: GoProgram) -> Path:
    """The built program; compiles it on first use and takes it from the cache afterwards.

    Raises LabError when it is not cached and Go is missing or the build fails.
    """
    target = program.cached()
    if target.exists():
        return target
    with _only_one_builder(target.parent.parent):
        if target.exists():
            return target
        _compile(program, target)
    return target


def _compile(program: GoProgram, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise LabError(
            f"{program.name} is not on PATH, and building {program.name} {program.version()} "
            "needs Go (1.21 or later, which fetches the release that go.mod asks for). "
            f"Install Go (https://go.dev/dl) or put {program.name} on PATH."
        )
    unfinished = target.with_name(f".{program.name}.{os.getpid()}")
    try:
        run(
            [
                *(go, "build", "-mod=readonly", "-trimpath"),
                *("-ldflags", program.linker_flags(), "-o", unfinished, program.package),
            ],
            doing=f"building {program.name} {program.version()}",
            cwd=GO_PROJECTS / program.project,
            # No C compiler is needed, and the programs run whatever the machine's libc is.
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        )
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    say(f"built {target}")


@contextmanager
def _only_one_builder(folder: Path) -> Iterator[None]:
    """Lets two labs share the cache: the second waits for the first's build."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another lab is building {folder.name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
