"""Files under docs/ that are made from the program itself, and the check that they are current."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tools.offline.stack_file import PROJECT


def write_or_check(path: Path, text: str, arguments: Sequence[str] | None) -> int:
    """Write the text, or with --check tell whether the file holds it already.

    Args:
        path: The generated file.
        text: What it must hold.
        arguments: The command line without the program's name; None takes the process's own.

    Returns the exit status: 1 when the file is not current.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given not in ([], ["--check"]):
        print("the only option is --check", file=sys.stderr)
        return 2
    name = path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
    if not given:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {name}")
        return 0
    if path.is_file() and path.read_text() == text:
        return 0
    print(f"{name} is not current; run `make docs`", file=sys.stderr)
    return 1
