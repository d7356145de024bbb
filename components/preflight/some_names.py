"""Many names in one line of a message."""

from collections.abc import Sequence

_NAMED = 20


def some_names(names: Sequence[str]) -> str:
    """The names in order, twenty at most, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(sorted(names)[:_NAMED]) + (f" and {more} more" if more > 0 else "")
