"""Entries of a list that need names of their own. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from configuration.partial import knows
from configuration.problems import Problem


def repeated_names(key: str, entries: Sequence[Any], what: str) -> Iterator[Problem]:
    """Each entry whose name another one has too.

    Args:
        key: The list's key, such as longhorn.recurringJobs.
        entries: Its entries, each with a name.
        what: What one of them is called.
    """
    names = Counter(each.name for each in entries if knows(each, "name"))
    for i, each in enumerate(entries):
        if knows(each, "name") and names[each.name] > 1:
            yield Problem(
                f"{key}[{i}].name",
                f"is the name of another {what} too",
                f"Give each {what} a name of its own.",
                each.name,
            )
