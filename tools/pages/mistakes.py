"""docs/mistakes.md: a stack file full of mistakes beside what the program says of it.

python -m tools.pages.mistakes [--check]
"""

import sys
from collections.abc import Sequence

import pulumi

from configuration import settings
from configuration.problems import SettingsError
from tools.offline.stack_file import PROJECT, read_stack_config
from tools.pages.generated import write_or_check

SOURCE = PROJECT / "docs" / "mistakes.yaml"
PATH = PROJECT / "docs" / "mistakes.md"
_HEAD = """\
# Mistakes, and what is said of them

A stack file with every mistake that people make, and what `make plan`, `pulumi preview` and
`pulumi up` say of it, all at once and before anything is touched. A value under a key that could
hold a secret is never shown. This page is made by the program itself (`make docs`).

"""


def found() -> SettingsError:
    """What the program says of the file. Raises ValueError if it says nothing."""
    config = read_stack_config(SOURCE)
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    try:
        settings.load(SOURCE)
    except SettingsError as error:
        return error
    raise ValueError(f"{SOURCE} has no mistake")


def page() -> str:
    """The whole page."""
    lines = SOURCE.read_text().splitlines()
    numbered = "\n".join(f"{number:>3}  {line}" for number, line in enumerate(lines, 1))
    return f"{_HEAD}```\n{numbered}\n```\n\n```\n{found()}\n```\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with --check tell whether it is current."""
    return write_or_check(PATH, page(), arguments)


if __name__ == "__main__":
    sys.exit(main())
