"""Lists and maps out of answers that leave an empty one out altogether. Pure."""

from typing import Any


def listed(value: Any) -> list[Any]:
    """A list of an answer; empty where the answer has none."""
    return [] if value is None else list(value)


def mapped(value: Any) -> dict[str, Any]:
    """A map of an answer; empty where the answer has none."""
    return {} if value is None else dict(value)
