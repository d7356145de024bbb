"""The parts of Longhorn's objects; an answer may leave out any of them. Pure."""

from collections.abc import Mapping
from typing import Any

from components.common.answers import listed, mapped

Object = Mapping[str, Any]


def name_of(item: Object) -> str:
    """The object's name."""
    return str(mapped(item.get("metadata")).get("name"))


def spec_of(item: Object) -> dict[str, Any]:
    """What the object is to be."""
    return mapped(item.get("spec"))


def status_in(item: Object) -> dict[str, Any]:
    """What Longhorn says of the object."""
    return mapped(item.get("status"))


def disk_status(node: Object, name: str) -> dict[str, Any]:
    """What Longhorn says of a node's disk of this name."""
    return mapped(mapped(status_in(node).get("diskStatus")).get(name))


def condition(status: Object, kind: str) -> dict[str, Any]:
    """The condition of this type in the status of an object or a disk; empty if it has none."""
    for found in listed(status.get("conditions")):
        if found.get("type") == kind:
            return mapped(found)
    return {}


def is_true(status: Object, kind: str) -> bool:
    """Whether a status has the condition of this type, and it is True."""
    return condition(status, kind).get("status") == "True"
