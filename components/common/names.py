"""Many names in one line of a message. Pure."""

from collections.abc import Sequence


def some_names(names: Sequence[str], at_most: int = 20) -> str:
    """The first of the names, and how many more there are."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
