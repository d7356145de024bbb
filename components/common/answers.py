"""Lists and maps out of answers that leave an empty one out altogether. Pure."""

import json
from typing import Any, cast


def listed(value: Any) -> list[Any]:
    """A list of an answer; empty where the answer has none."""
    return [] if value is None else list(value)


def mapped(value: Any) -> dict[str, Any]:
    """A map of an answer; empty where the answer has none."""
    return {} if value is None else dict(value)


def last_object(printed: str) -> dict[str, Any] | None:
    """The last line that is a JSON object: a login and a logout may print around it."""
    for line in reversed(printed.splitlines()):
        try:
            found: object = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return cast(dict[str, Any], found)
    return None
