"""What differs between the inputs in the state and those of the program.

Pure. A secret is one value here: it differs when what it holds differs or
when only one side is secret, and never says in which member, since that is how the real
plugins compare.
"""

import re
from collections.abc import Mapping
from enum import Enum

from lab.programs.plugin_base.values import Properties, Value


class Change(Enum):
    """What happened to one property."""

    ADDED = "add"
    DELETED = "delete"
    UPDATED = "update"


def changes(
    old: Properties, new: Properties, ignored: tuple[str, ...] = ()
) -> Mapping[str, Change]:
    """Every changed property by its path, such as `environment.PATH` or `triggers[0]`.

    Args:
        old: the inputs of the last `up`.
        new: the checked inputs of the program.
        ignored: names of inputs whose changes don't count.
    """

    def counts(name: str) -> bool:
        # Pulumi's engine adds a version and internal names beginning with __ of its own.
        return name != "version" and not name.startswith("__") and name not in ignored

    return _object_changes(
        {name: value for name, value in old.items() if counts(name)},
        {name: value for name, value in new.items() if counts(name)},
        "",
    )


def root(path: str) -> str:
    """The input that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _object_changes(old: Properties, new: Properties, path: str) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for name in sorted(old.keys() | new.keys()):
        below = _member_path(path, name)
        if name not in old:
            found[below] = Change.ADDED
        elif name not in new:
            found[below] = Change.DELETED
        else:
            found |= _value_changes(old[name], new[name], below)
    return found


def _array_changes(old: list[Value], new: list[Value], path: str) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for index in range(max(len(old), len(new))):
        below = f"{path}[{index}]"
        if index >= len(old):
            found[below] = Change.ADDED
        elif index >= len(new):
            found[below] = Change.DELETED
        else:
            found |= _value_changes(old[index], new[index], below)
    return found


def _value_changes(old: Value, new: Value, path: str) -> dict[str, Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        return _object_changes(old, new, path)
    if isinstance(old, list) and isinstance(new, list):
        return _array_changes(old, new, path)
    if old == new and type(old) is type(new):
        return {}
    return {path: Change.UPDATED}


def _member_path(path: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{name}" if path else name
