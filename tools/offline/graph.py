"""The order and the nesting of what a program declared: which resource waits for which.

Pure, and independent of the order in which registrations arrived, which differs between runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tools.offline.recording import Declared, Recording


@dataclass(frozen=True)
class Branch:
    """A resource and what stands below it, in the order in which it can start."""

    resource: Declared
    children: Sequence["Branch"] = field(default=())

    def walk(self) -> Iterator[Declared]:
        """This resource and everything below it."""
        yield self.resource
        for child in self.children:
            yield from child.walk()


class Graph:
    """Parents and waits of one recording."""

    def __init__(self, recording: Recording) -> None:
        self.by_urn: Mapping[str, Declared] = {r.urn: r for r in recording.resources}
        self._children: dict[str, list[Declared]] = {}
        for resource in recording.resources:
            self._children.setdefault(resource.parent, []).append(resource)
        self._ranks: dict[str, int] = {}

    def roots(self) -> list[Branch]:
        """What stands directly below the stack, each with all that is below it."""
        return self._branches("")

    def _branches(self, parent: str) -> list[Branch]:
        found = sorted(self._children.get(parent, []), key=self._place)
        return [Branch(resource, self._branches(resource.urn)) for resource in found]

    def _place(self, resource: Declared) -> tuple[object, ...]:
        is_provider = resource.type.startswith("pulumi:providers:")
        return (not is_provider, self.rank(resource), resource.type, natural(resource.name))

    def above(self, resource: Declared) -> Iterator[Declared]:
        """The resource, its parent, the parent's parent, and so on."""
        current: Declared | None = resource
        while current is not None:
            yield current
            current = self.by_urn.get(current.parent)

    def rank(self, resource: Declared) -> int:
        """How many steps come before it, one after the other."""
        if resource.urn not in self._ranks:
            direct = {urn for declared in self.above(resource) for urn in declared.dependencies}
            known = [self.by_urn[urn] for urn in direct if urn in self.by_urn]
            self._ranks[resource.urn] = 1 + max(map(self.rank, known)) if known else 0
        return self._ranks[resource.urn]


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts node-10 behind node-9."""
    return tuple(
        (0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", name)
    )
