"""What the cluster's Longhorn knows of disks, by the number that it gave each. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.common.answers import mapped
from components.longhorn.fields import disk_status, is_true, name_of, spec_of, status_of
from components.longhorn.storage import Storage

# Of 1.5 to 1.8, and its successor.
_DELETES_ORPHANS = {
    "orphan-auto-deletion": "true",
    "orphan-resource-auto-deletion": "replica-data",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A disk's entry in Longhorn."""

    node: str
    path: str
    is_ready: bool = False
    """Whether Longhorn has it in use there, as far as it knows."""

    def __str__(self) -> str:
        return f"{self.node} {self.path}"


@dataclass(frozen=True, kw_only=True)
class KnownDisks:
    """What a cluster's Longhorn knows of disks, by the number that it gave them."""

    places: Mapping[str, Sequence[Place]]
    """Their entries."""
    replicas: Mapping[str, int]
    """How many replicas are on them, of those that have any."""
    deletes_orphans: bool = False
    """Whether it deletes replicas that it does not know."""


def known_disks(storage: Storage | None) -> KnownDisks | None:
    """What it knows; None where there is no Longhorn, or one that has not seen any disk."""
    if storage is None:
        return None
    places: dict[str, list[Place]] = {}
    for node in storage.snapshot.nodes.values():
        for number, place in _places(node):
            places.setdefault(number, []).append(place)
    if not places:
        return None
    settings = storage.snapshot.settings
    return KnownDisks(
        places=places,
        replicas=Counter(str(spec_of(replica).get("diskID") or "") for replica in storage.replicas),
        deletes_orphans=any(
            word in settings.get(name, "") for name, word in _DELETES_ORPHANS.items()
        ),
    )


def _places(node: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    is_manned = is_true(status_of(node), "Ready")
    for name, entry in mapped(spec_of(node).get("disks")).items():
        state = disk_status(node, name)
        if state.get("diskUUID"):
            yield (
                str(state["diskUUID"]),
                Place(
                    node=name_of(node),
                    path=str(entry["path"]).rstrip("/"),
                    is_ready=is_manned and is_true(state, "Ready"),
                ),
            )
