"""What a Node itself says about taints that were taken off: which, and who puts them back. Pure.

A removal goes by what the state says, after another stack may have taken the node over.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from components.common.answers import mapped
from components.common.owner import MARK

ANNOTATION = f"{MARK}-untainted"


@dataclass(frozen=True, kw_only=True)
class TakenOff:
    """Taints that were taken off a node."""

    owner: str | None
    """The stack that keeps them off; None where none says so."""
    taints: Sequence[dict[str, Any]]


def taken_off(annotations: Mapping[str, str] | None) -> TakenOff:
    """What a Node's annotations say; what can't be read says nothing."""
    nothing = TakenOff(owner=None, taints=())
    try:
        found: Any = json.loads(mapped(annotations).get(ANNOTATION) or "null")
    except ValueError:
        return nothing
    if not isinstance(found, dict):
        return nothing
    record = cast(dict[str, Any], found)
    return TakenOff(owner=str(record.get("owner")), taints=list(record.get("taints") or []))


def record_text(owner: str, taints: Sequence[Mapping[str, Any]]) -> str:
    """The annotation's text for these taints."""
    return json.dumps({"owner": owner, "taints": [dict(taint) for taint in taints]}, sort_keys=True)
