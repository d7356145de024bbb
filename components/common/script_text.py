"""The texts of the shell scripts that this program runs elsewhere."""

from functools import cache
from pathlib import Path

COMPONENTS = Path(__file__).parent.parent
PRELUDE = "common/scripts/prelude.sh"
"""What every script on a host begins with."""
BENEATH = "common/scripts/beneath.sh"
"""Looking at a directory over which something is mounted."""


@cache
def script_text(*parts: str) -> str:
    """The text of a script, joined from its parts.

    Args:
        parts: Their files, below components/, such as `nodes/scripts/packages.sh`; the last one
            has the script's name and runs it.

    Raises FileNotFoundError.
    """
    return "\n".join((COMPONENTS / part).read_text() for part in parts)
