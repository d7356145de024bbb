"""Lets a pulumi CLI that was built from Go modules run Python programs.

Stand-ins for Pulumi's own pulumi-language-python and pulumi-resource-pulumi-python (dynamic
resources), which no Go module or package registry carries. The language host runs a program and
nothing else: no plugin or dependency is installed, no code generated, no debugger attached. They
are never put where Pulumi's own already are.
"""

import sys
from pathlib import Path
from shlex import quote

EXECUTABLES = ("pulumi-language-python", "pulumi-resource-pulumi-python")
"""What Pulumi's engine starts: for programs, and for dynamic resources."""

_MARK = "# A stand-in for a part of Pulumi, written by this project's lab."
_HERE = Path(__file__).parent
# Pulumi starts it in the project's folder and says which virtual environment Pulumi.yaml names.
# Which Python that means is the same as in server.py, as it is in Pulumi's own two programs.
_DYNAMIC = """\
python=${PULUMI_PYTHON_CMD:-python3}
if [ -n "${PULUMI_RUNTIME_VIRTUALENV:-}" ]; then
    python=$PULUMI_RUNTIME_VIRTUALENV/bin/python
    if [ ! -x "$python" ]; then
        echo "Pulumi.yaml names a virtual environment, but $python is not there." >&2
        exit 1
    fi
fi
exec "$python" -u -m pulumi.dynamic "$@"
"""


def put_beside(pulumi: Path) -> None:
    """Put the stand-ins into the folder of a pulumi CLI, where Pulumi's engine finds them first.

    Does nothing for one that is there and is not a stand-in.
    """
    support = pulumi.parent.parent / "language-host-stand-in"
    support.mkdir(exist_ok=True)
    for name in ("server.py", "program.py"):
        _write(support / name, (_HERE / name).read_text())
    python = quote(sys.executable)
    server = quote(str(support / "server.py"))
    scripts = (f'exec {python} {server} "$@"\n', _DYNAMIC)
    for name, script in zip(EXECUTABLES, scripts, strict=True):
        _launcher(pulumi.with_name(name), script)


def is_stand_in(executable: Path) -> bool:
    """Whether this one was put there by `put_beside`."""
    return _MARK.encode() in executable.read_bytes()[:256]


def _launcher(path: Path, script: str) -> None:
    if path.exists() and not is_stand_in(path):
        return
    _write(path, f"#!/bin/sh\n{_MARK}\n{script}")
    path.chmod(0o755)


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    # Another lab may be running the file that is replaced here.
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(text)
    unfinished.replace(path)
