"""`python -m tools.up STACK [--yes | --all]`: `pulumi up` on one screen.

It runs Pulumi's own `preview` and `up`, and shows their events in another way; whatever they do,
refuse or return is theirs. With --all it is `pulumi up` itself.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pulumi.automation import EngineEvent
from rich.console import Console, RenderableType
from rich.text import Text

from tools.offline.stack_file import PROJECT
from tools.up.news import Line, News
from tools.up.operation import run_operation
from tools.up.preview import preview_screen

_STYLES = {
    "starts": "cyan",
    "done": "green",
    "failed": "bold red",
    "waits": "dim",
    "says": "",
    "warning": "yellow",
    "error": "bold red",
}
_DECLINED, _NOT_FOUND = 1, 127
_COLUMNS = 120
"""Where no terminal says how many there are."""
_SKIP = "PULUMI_SKIP_CONFIRMATIONS"
"""With it set to true `pulumi up` asks nobody, either."""
_NOBODY_TO_ASK = (
    "make up: no terminal to ask at, so nothing was run. Say yes beforehand: YES=1, or --yes"
)
_REST = "Every step and output: ALL=1 or --all, which is `pulumi up` itself. Nothing else differs."


def main(words: Sequence[str] | None = None) -> int:
    """Preview, ask, run; Pulumi's exit status, or 1 after a no, or where nobody can be asked."""
    asked = _parser().parse_args(words)
    operation = ["--stack", asked.stack]
    if shutil.which("pulumi") is None:
        print("make up: no pulumi on PATH. Install Pulumi's CLI: see README.md", file=sys.stderr)
        return _NOT_FOUND
    if asked.all:
        os.chdir(asked.cwd)
        os.execvp("pulumi", ["pulumi", "up", *operation, *["--yes"] * asked.yes])  # noqa: S606
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _COLUMNS
    news = News()
    has_yes = asked.yes or os.environ.get(_SKIP, "").lower() in ("1", "true")
    if not (has_yes or sys.stdin.isatty()):
        print(_NOBODY_TO_ASK, file=sys.stderr)
        return _DECLINED
    show = partial(_show, console)
    status = run_operation(["preview", *operation], asked.cwd, _taking(news.of_preview, show))
    if status:
        return status
    _print(console, preview_screen(asked.stack, news.steps, news.parts))
    if not (has_yes or _says_yes("Do this? [y/N]: ")):
        console.print("Nothing was changed.")
        return _DECLINED
    status = run_operation(
        ["up", *operation, "--skip-preview"], asked.cwd, _taking(news.of_up, show)
    )
    if status == 0 and news.readme:
        console.print("", _readme(news.readme), "", Text(_REST, "dim"), sep="\n", soft_wrap=True)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.up", description=__doc__)
    parser.add_argument("stack", help="name of a stack, such as three-nodes")
    parser.add_argument("--yes", action="store_true", help="do it without a question")
    parser.add_argument("--all", action="store_true", help="run `pulumi up` itself instead")
    parser.add_argument("--cwd", type=Path, default=PROJECT, help="where Pulumi.yaml is")
    return parser


def _says_yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False


def _taking(
    told: Callable[[EngineEvent], Iterator[Line]], show: Callable[[Line], None]
) -> Callable[[EngineEvent], None]:
    def take(event: EngineEvent) -> None:
        for line in told(event):
            show(line)

    return take


def _show(console: Console, line: Line) -> None:
    first, *rest = line.text.splitlines() or [""]
    text = Text.assemble((f"{line.kind:<8}", _STYLES[line.kind]), first)
    for each in rest:
        text.append(f"\n        {each}")
    console.print(text, soft_wrap=True)


def _print(console: Console, screen: RenderableType) -> None:
    """Without the blanks that fill a table's last column."""
    with console.capture() as captured:
        console.print(screen)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


def _readme(text: str) -> Text:
    """The stack's summary without the blank lines below its headings."""
    shown = Text()
    for line in text.replace("\n\n*", "\n*").splitlines():
        shown.append(f"{line}\n", "bold cyan" if line.startswith("# ") else "")
    shown.rstrip()
    return shown


if __name__ == "__main__":
    sys.exit(main())
