"""Lists and maps out of answers that leave an empty one out altogether. Pure."""

from collections.abc import Sequence
from typing import Any


def listed(value: Any) -> list[Any]:
    """A list of an answer; empty where the answer has none."""
    return [] if value is None else list(value)


def mapped(value: Any) -> dict[str, Any]:
    """A map of an answer; empty where the answer has none."""
    return {} if value is None else dict(value)


def first_of(names: Sequence[str], most: int) -> str:
    """The names with commas between them; of more than `most`, the first and how many follow."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
