"""The texts of the shell scripts that this program runs elsewhere."""

from functools import cache
from pathlib import Path

COMPONENTS = Path(__file__).parent.parent


@cache
def script_text(path: str) -> str:
    """The text of a script.

    Args:
        path: Its file, below components/, such as `nodes/scripts/packages.sh`.

    Raises FileNotFoundError.
    """
    return (COMPONENTS / path).read_text()
