"""What goes wrong on purpose. Each fault is counted down, so that a test is never timed.

Set by the environment variable LAB_RANCHER_FAULTS (a JSON object) or by POST /lab/faults.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class Faults:
    """The faults still to come.

    drop: so many next requests are closed without an answer.
    not_found: so many next requests get `404 page not found`, as while Rancher starts.
    errors: so many next requests get 503.
    errors_after: the next so many requests are carried out, but answered with 503.
    ping_flaps: of so many next answers to /ping every second one is 503.
    swap_ca: instead of the so-manyth next answer the connection closes and a new CA is there.
    expire_tokens: every token that exists at the next request is expired from then on.
    wrong_manifest_token: so many next import manifests carry a token that nobody made.
    wrong_manifest_checksum: so many next import manifests carry the checksum of another CA.
    flaps: so many next answers about a cluster say that it is unavailable.
    stuck_removal: a deleted cluster stays `removing` for ever, as with an agent that hangs.
    """

    drop: int = 0
    not_found: int = 0
    errors: int = 0
    errors_after: int = 0
    ping_flaps: int = 0
    swap_ca: int = 0
    expire_tokens: bool = False
    wrong_manifest_token: int = 0
    wrong_manifest_checksum: int = 0
    flaps: int = 0
    stuck_removal: bool = False

    def take(self, name: str) -> bool:
        """Whether the fault `name` strikes now; counts it down."""
        left = int(getattr(self, name))
        if left <= 0:
            return False
        setattr(self, name, left - 1)
        return True

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Set the faults named; raises ValueError for one that there is not."""
        known = {field.name: field.type for field in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(known))}")
            setattr(self, name, bool(value) if known[name] is bool else int(value))

    def as_json(self) -> dict[str, Any]:
        """The faults still to come, as GET /lab/faults tells them."""
        return asdict(self)


def from_environment(environment: Mapping[str, str] = os.environ) -> Faults:
    """The faults that the stand-in starts with."""
    faults = Faults()
    faults.change(json.loads(environment.get("LAB_RANCHER_FAULTS", "{}")))
    return faults
