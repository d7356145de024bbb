"""The conditions in the status of Longhorn's nodes and disks. Pure."""

from collections.abc import Mapping
from typing import Any

from components.common.answers import listed, mapped


def condition(status: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The condition of this type, such as Ready; empty where Longhorn has not looked yet."""
    for each in listed(status.get("conditions")):
        if each.get("type") == kind:
            return mapped(each)
    return {}


def is_true(status: Mapping[str, Any], kind: str) -> bool:
    """Whether Longhorn says that the condition holds."""
    return condition(status, kind).get("status") == "True"
