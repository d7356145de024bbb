"""The fields of Longhorn's objects, as the API gives them. Pure."""

from collections.abc import Mapping
from typing import Any

from components.common.answers import listed, mapped

Object = Mapping[str, Any]


def name_of(item: Object) -> str:
    """The object's name."""
    return str(mapped(item.get("metadata")).get("name"))


def spec_of(item: Object) -> dict[str, Any]:
    """What is asked of it; empty where it has none."""
    return mapped(item.get("spec"))


def status_of(item: Object) -> dict[str, Any]:
    """What Longhorn says of it; empty before it says anything."""
    return mapped(item.get("status"))


def disk_status(node: Object, name: str) -> dict[str, Any]:
    """What Longhorn says of one disk of a node, by the disk's name; empty before it has looked."""
    return mapped(mapped(status_of(node).get("diskStatus")).get(name))


def condition(status: Object, kind: str) -> dict[str, Any]:
    """The condition of this type, such as Ready; empty where Longhorn has not looked yet."""
    for each in listed(status.get("conditions")):
        if each.get("type") == kind:
            return mapped(each)
    return {}


def is_true(status: Object, kind: str) -> bool:
    """Whether Longhorn says that the condition holds."""
    return condition(status, kind).get("status") == "True"


def is_false(status: Object, kind: str) -> bool:
    """Whether Longhorn says that the condition does not hold; no word of it is none."""
    return condition(status, kind).get("status") == "False"


def is_intact(replica: Object) -> bool:
    """Whether a replica has been complete and has not failed since."""
    spec = spec_of(replica)
    return bool(spec.get("healthyAt")) and not spec.get("failedAt")
