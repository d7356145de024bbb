"""docs/demo.svg: what `make demo` shows on a terminal, from a run of it.

    python -m tools.pages.recorded_demo

It runs the demo, passes on what it says, and draws that at the end, without the lines that only
tell that something has begun. A demo that fails draws nothing.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tools.offline.stack_file import PROJECT

PATH = PROJECT / "docs" / "demo.svg"
_COLUMNS = 118
_COLOURED = re.compile(r"\x1b\[[0-9;]*m")
# A dot for each second; a resource that is not done yet; the stack's own progress.
_PASSING = re.compile(r"@ (updating|previewing update)|.* creating \(|.* pulumi:pulumi:Stack ")
_INSIDE_AN_OUTPUT = re.compile(r" {6,}|    [\]}]")
# A picture in a README may load nothing; every system has a font of this kind.
_FONT_OF_RICH = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_FONT = "ui-monospace, Menlo, Consolas, monospace"


def shown(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a demo that a recording of it has, colours included."""
    blank = False
    for line in lines:
        plain = _COLOURED.sub("", line).rstrip()
        if _PASSING.match(plain) or _INSIDE_AN_OUTPUT.match(plain):
            continue
        if plain or not blank:
            yield _without_folders(line.rstrip())
        blank = not plain


def _without_folders(line: str) -> str:
    """The line as it would be in anybody's home."""
    return line.replace(str(PROJECT), ".").replace(str(Path.home()), "~")


def drawn(lines: Iterable[str]) -> str:
    """The lines as a terminal would show them, as SVG."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis", crop=True)
    # Always the same name within the picture, so that one run differs from another by its words.
    picture = console.export_svg(title="make demo", unique_id="demo")
    return _FONT_OF_RICH.sub("", picture).replace("Fira Code, monospace", _FONT)


def main() -> int:
    """Run, show and draw; the demo's own exit status."""
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        cwd=PROJECT,
        env={**os.environ, "PULUMI_OPTION_COLOR": "always", "COLUMNS": str(_COLUMNS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            print(line, end="", flush=True)
            said.append(line.rstrip("\n"))
    if demo.returncode == 0:
        PATH.write_text(drawn(shown(said)))
        print(f"wrote {PATH.relative_to(PROJECT)}")
    return demo.returncode


if __name__ == "__main__":
    sys.exit(main())
