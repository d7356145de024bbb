"""Reading and editing the disks in one nodes.longhorn.io object."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi
from components.common.waiting import wait_until
from components.longhorn.disks.maintenance_rules import closing_changes
from components.longhorn.disks.owners import ANNOTATION, claimed
from components.longhorn.disks.rules import opening_changes, put_changes
from components.longhorn.objects import read_object, try_patch

# A manager that runs takes a change once it has looked at its disks, which it does every 30 s.
_BRIEFLY_SECONDS = 90.0

Changes = Mapping[str, Mapping[str, Any] | None]
DiskChanges = Callable[[Mapping[str, Any]], Changes]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Whose some disks of a node are to be, and whether the node takes replicas for them."""

    owner: str
    """What marks a stack's things (components/common/owner.py)."""
    paths: Collection[str]
    """Their mount points."""
    is_closed: bool = False
    """Whether the node is to take no replicas instead, for its maintenance."""
    evicts: bool | None = None
    """Whether it gives its own away meanwhile; None leaves that as it is."""


class LonghornNodeDisks:
    """One node of Longhorn's."""

    def __init__(self, cluster: ClusterApi, node_name: str) -> None:
        self._cluster = cluster
        self.node_name = node_name

    def read(self) -> dict[str, Any] | None:
        """The object as it is now; None if Longhorn does not have it, or is not there itself."""
        return read_object(self._cluster, "nodes", self.node_name)

    def edit(
        self, changes: DiskChanges, *, timeout_seconds: float, claim: Claim | None = None
    ) -> None:
        """Write changes until none is left; a node that Longhorn does not have needs none.

        Args:
            changes: What the object needs, by disk name; an entry that is None is removed.
            timeout_seconds: The deadline.
            claim: Whose some disks are from now on; None changes no owner.

        Raises TimeoutError with what Longhorn answered last.
        """
        self._wait(lambda: self.attempt(changes, claim), timeout_seconds)

    def put(
        self, props: Mapping[str, Any], *, is_closed: bool = False, evicts: bool | None = None
    ) -> None:
        """Have the disks there as a resource's inputs `disks` and `owner` want them.

        The rest as in Claim; errors as for `edit`.
        """
        self.edit(
            _wanted_of(props),
            timeout_seconds=min(_BRIEFLY_SECONDS, float(props["timeout_seconds"])),
            claim=_claim_of(props, is_closed=is_closed, evicts=evicts),
        )

    def put_now(self, props: Mapping[str, Any], *, is_closed: bool = False) -> list[str]:
        """As put, once and without a wait; returns what Longhorn did not take yet, as attempt."""
        return self.attempt(_wanted_of(props), _claim_of(props, is_closed=is_closed))

    def edit_once(self, changes: DiskChanges, *, timeout_seconds: float) -> None:
        """Write changes until Longhorn takes them, without another look.

        Longhorn itself may undo them: it makes disks again that the node's annotation asks for.
        Arguments and errors as for `edit`.
        """

        def missing() -> list[str]:
            node = self.read()
            wanted = None if node is None else changes(node)
            refusal = self._write({"spec": {"disks": wanted}}) if wanted else None
            return [] if refusal is None else [refusal]

        self._wait(missing, timeout_seconds)

    def attempt(self, changes: DiskChanges, claim: Claim | None = None) -> list[str]:
        """Write what is to be changed now; one line as long as anything is. Never waits."""
        node = self.read()
        if node is None:
            return []
        wanted = changes(node)
        opening = _access(node, claim)
        spec = {**({"disks": wanted} if wanted else {}), **opening}
        patch: dict[str, Any] = {"spec": spec} if spec else {}
        text = None if claim is None else claimed(node, claim.paths, claim.owner)
        if text is not None:
            patch["metadata"] = {"annotations": {ANNOTATION: text}}
        if not patch:
            return []
        return [self._write(patch) or f"the change of Longhorn's node {self.node_name}"]

    def _wait(self, missing: Callable[[], list[str]], timeout_seconds: float) -> None:
        wait_until(
            f"disks of {self.node_name} in Longhorn", missing, timeout_seconds=timeout_seconds
        )

    def _write(self, patch: dict[str, Any]) -> str | None:
        return try_patch(self._cluster, "nodes", self.node_name, patch)


def _wanted_of(props: Mapping[str, Any]) -> DiskChanges:
    return lambda node: put_changes(node, props["disks"])


def _claim_of(
    props: Mapping[str, Any], *, is_closed: bool = False, evicts: bool | None = None
) -> Claim:
    return Claim(
        owner=str(props["owner"]), paths=set(props["disks"]), is_closed=is_closed, evicts=evicts
    )


def _access(node: Mapping[str, Any], claim: Claim | None) -> dict[str, bool]:
    if claim is None:
        return {}
    if claim.is_closed:
        return closing_changes(node, evicts=claim.evicts)
    return opening_changes(node)
