"""Whose the disks in a nodes.longhorn.io object are, as its annotation says. Pure.

A removal goes by what the state says, after others may have taken a disk over: another stack, or
this one under another name. So each disk carries its owner, and is left to whoever owns it now.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from components.common.answers import mapped
from components.common.owner import MARK
from components.longhorn.disks.rules import disks_by_path

ANNOTATION = f"{MARK}-disks"


def owners(node: Mapping[str, Any]) -> dict[str, str]:
    """The owner of each disk, by mount point; disks from before there were owners left out."""
    text = mapped(mapped(node.get("metadata")).get("annotations")).get(ANNOTATION)
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(path): str(owner) for path, owner in cast(dict[Any, Any], found).items()}


def own_paths(node: Mapping[str, Any], paths: Iterable[str], owner: str) -> set[str]:
    """Those of the paths that nobody else owns."""
    found = owners(node)
    return {path for path in paths if found.get(path, owner) == owner}


def other_paths(node: Mapping[str, Any], wanted: Iterable[str]) -> set[str]:
    """The disks that the stack does not list and that nobody owns."""
    return set(disks_by_path(node)) - set(wanted) - set(owners(node))


def claimed(node: Mapping[str, Any], paths: Iterable[str], owner: str) -> str | None:
    """The annotation's text that makes the disks at these paths the owner's; None if they are.

    Disks that are gone leave the text.
    """
    before = owners(node)
    wanted = set(paths)
    kept = {*disks_by_path(node), *wanted}
    after = {path: each for path, each in before.items() if path in kept}
    after |= dict.fromkeys(wanted, owner)
    return None if after == before else json.dumps(after, sort_keys=True)
