"""The scripts as they lie on a host: their names, their digests, and what puts them there. Pure.

Each stack has a folder of its own, so that whatever is taken away there is its own. A script's file
has its digest in its name: what an earlier version of this program put there stays beside it, since
a state may still name it for a removal.
"""

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.common.script_text import PRELUDE, script_text

_FOLDER = "/var/lib/longhorn-rancher/scripts"
_DIGEST_CHARACTERS = 16
_SCRIPTS = "hosts/scripts"
_DIGEST = f"{_SCRIPTS}/digest.sh"
_RUN, _CHECKED = (f"{_SCRIPTS}/run.sh",), (_DIGEST, f"{_SCRIPTS}/checked.sh")
_PUT = (PRELUDE, _DIGEST, f"{_SCRIPTS}/put.sh")
_DROP = (PRELUDE, f"{_SCRIPTS}/drop.sh")
LOOK = (PRELUDE, _DIGEST, f"{_SCRIPTS}/scripts-look.sh")
"""Tells which files of a folder are missing or changed."""
_END = "END_OF_FILE"


@dataclass(frozen=True, kw_only=True)
class HostScript:
    """A script that runs on hosts by its name."""

    name: str
    parts: tuple[str, ...]
    """The files that it is joined from, below components/."""

    @property
    def text(self) -> str:
        """The whole script."""
        return script_text(*self.parts)

    @property
    def digest(self) -> str:
        """What it is known by."""
        return digest_of(self.text)

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.name}-{self.digest}"


@dataclass(frozen=True, kw_only=True)
class HostFile:
    """One file of the folder."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        """What its text is known by, whatever its name says."""
        return digest_of(self.text)


def digest_of(text: str) -> str:
    """The beginning of a text's SHA-256: enough to notice a change, short enough to be read."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def folder_of(stack: str) -> str:
    """Where the scripts of a stack lie.

    It outlives a restart, and only root can write there.

    Args:
        stack: What marks the stack's things (components/common/owner.py).
    """
    return f"{_FOLDER}/{stack}"


def run_path(folder: str) -> str:
    """The file that becomes root."""
    return f"{folder}/run"


def checked_command(folder: str, script: HostScript) -> str:
    """What root's shell runs: the script, if it is the one that the program means."""
    path = shlex.quote(f"{folder}/checked")
    return f'exec sh {path} {script.name} {script.digest} "$@"\n'


def files(scripts: Sequence[HostScript]) -> list[HostFile]:
    """What is to lie in the folder for these scripts."""
    return [*_helpers(), *(HostFile(name=each.file, text=each.text) for each in scripts)]


def files_named(names: Sequence[str], scripts: Sequence[HostScript]) -> list[HostFile]:
    """The same for the names that a state has.

    Where an earlier version wrote it, a script of today stands under the name of then: its words
    are the same.
    """
    today = {each.name: each.text for each in scripts}
    found = ((name, today.get(name.rpartition("-")[0])) for name in names)
    return [*_helpers(), *(HostFile(name=name, text=text) for name, text in found if text)]


def _helpers() -> Iterator[HostFile]:
    yield HostFile(name="run", text=script_text(*_RUN))
    yield HostFile(name="checked", text=script_text(*_CHECKED))


def putting(folder: str, wanted: Sequence[HostFile]) -> str:
    """The script that puts these files into the folder."""
    calls = "".join(
        f"file {shlex.quote(each.name)} {each.digest} <<'{_END}'\n{each.text}{_END}\n"
        for each in wanted
    )
    return f"{script_text(*_PUT)}\ninto {shlex.quote(folder)}\n{calls}echo '{{\"put\":true}}'\n"


def dropping(folder: str) -> str:
    """The script that takes the folder away."""
    return f"set -- {shlex.quote(folder)}\n{script_text(*_DROP)}"


def looking(folder: str, scripts: Sequence[HostScript]) -> tuple[str, ...]:
    """The words of LOOK for these scripts."""
    return (folder, *(f"{each.name}:{each.digest}" for each in files(scripts)))
