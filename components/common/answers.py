"""Lists, maps and times out of answers that leave an empty one out altogether. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast


def listed(value: Any) -> list[Any]:
    """A list of an answer; empty where the answer has none."""
    return [] if value is None else list(value)


def mapped(value: Any) -> dict[str, Any]:
    """A map of an answer; empty where the answer has none."""
    return {} if value is None else dict(value)


def is_going(item: Mapping[str, Any]) -> bool:
    """Whether an object of Kubernetes was deleted, and its finalizers are still at work."""
    return bool(mapped(item.get("metadata")).get("deletionTimestamp"))


def time_in(value: object) -> datetime | None:
    """A time as Kubernetes writes it, with its zone; None where the answer has none."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


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
