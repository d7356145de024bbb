"""Builds the lab's programs from pinned Go modules.

Owns the builds and where they are kept: CACHE/<project>-<version>/bin/<program>. Each folder of
lab/programs/go is one Go project: its go.mod says which version of what is built (`tool` and
`require`), its go.sum what the sources must hash to. Beside a program that is whole lies a seal,
which says what it was made of and what it must hash to; without one that fits, it is made again.
Nothing here chooses between a build and a program that is already installed;
lab.programs.toolchain does.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

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
        minutes: about how long a build takes on two cores.
    """

    name: str
    project: str
    module: str
    package: str
    stamps: Mapping[str, str] = field(default_factory=dict[str, str])
    minutes: int = 1

    def version(self) -> str:
        """The version that go.mod pins, without the leading v."""
        return pinned_version((GO_PROJECTS / self.project / "go.mod").read_text(), self.module)

    def cached(self) -> Path:
        """Where the program is, or will be once it is built."""
        return CACHE / f"{self.project}-{self.version()}" / "bin" / self.name

    def is_whole(self) -> bool:
        """Whether the cached program is all that was once made, of what is still asked for."""
        try:
            return self._seal().read_text() == self._sealed()
        except FileNotFoundError:
            return False

    def seal(self) -> None:
        """Say that the cached program is whole as it is now."""
        self._seal().write_text(self._sealed())

    def _seal(self) -> Path:
        return self.cached().with_name(f".{self.name}.seal")

    def _sealed(self) -> str:
        recipe = hashlib.sha256(f"{self.package} {self.linker_flags()}".encode())
        for file in sorted((GO_PROJECTS / self.project).iterdir()):
            recipe.update(file.read_bytes())
        with self.cached().open("rb") as program:
            made = hashlib.file_digest(program, "sha256")
        return f"{recipe.hexdigest()} {made.hexdigest()}\n"

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
    if program.is_whole():
        return target
    with _only_one_builder(target.parent.parent):
        if not program.is_whole():
            _compile(program, target)
            program.seal()
    return target


class _Where(TypedDict):
    """Where Go runs, and its environment."""

    cwd: Path
    env: Mapping[str, str]


def _compile(program: GoProgram, target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise LabError(
            f"{program.name} is not on PATH, and building {program.name} {program.version()} "
            "needs Go (1.21 or later, which fetches the release that go.mod asks for). "
            f"Install Go (https://go.dev/dl) or put {program.name} on PATH."
        )
    for left in target.parent.glob(f".{program.name}.[0-9]*"):
        left.unlink()
    unfinished = target.with_name(f".{program.name}.{os.getpid()}")
    where: _Where = {
        "cwd": GO_PROJECTS / program.project,
        # No C compiler is needed, and the programs run whatever the machine's libc is.
        "env": {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
    }
    named = f"{program.name} {program.version()}"
    try:
        packages = run(
            [go, "list", "-mod=readonly", "-deps", program.package],
            doing=f"fetching the sources of {named}",
            **where,
        )
        run(
            [
                # It prints each package that is compiled.
                *(go, "build", "-v", "-mod=readonly", "-trimpath"),
                *("-ldflags", program.linker_flags(), "-o", unfinished, program.package),
            ],
            doing=f"building {named}",
            lines=packages.read_bytes().count(b"\n"),
            **where,
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
