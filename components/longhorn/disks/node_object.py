"""Reading and editing the disks in one nodes.longhorn.io object."""

from collections.abc import Callable, Mapping
from typing import Any

from components.cluster.api import ApiError, ClusterApi, status_of
from components.common.waiting import wait_until
from components.longhorn.objects import patch_object, read_object

# What passes: a manager that starts, somebody else's edit, replicas that are still on the disk.
_RETRIED = (400, 409, 422, 500, 503)
_FORBIDDEN = 403

Changes = Mapping[str, Mapping[str, Any] | None]


class LonghornNodeDisks:
    """One node of Longhorn's."""

    def __init__(self, cluster: ClusterApi, node_name: str) -> None:
        self._cluster = cluster
        self.node_name = node_name

    def read(self) -> dict[str, Any] | None:
        """The object as it is now; None if Longhorn does not have it, or is not there itself."""
        return read_object(self._cluster, "nodes", self.node_name)

    def edit(
        self,
        changes: Callable[[Mapping[str, Any]], Changes],
        *,
        must_exist: bool,
        timeout_seconds: float,
        once: bool = False,
    ) -> None:
        """Write changes until none is left.

        Args:
            changes: What the object needs, by disk name; an entry that is None is removed.
            must_exist: Whether to wait for the object where there is none.
            timeout_seconds: The deadline.
            once: Whether the first change that Longhorn takes is enough, since it may be undone by
                Longhorn itself: it makes disks again that the node's annotation asks for.

        Raises TimeoutError with what Longhorn answered last.
        """

        def missing() -> list[str]:
            node = self.read()
            if node is None:
                absent = f"nodes.longhorn.io {self.node_name} (is longhorn-manager ready there?)"
                return [absent] * must_exist
            wanted = changes(node)
            refusal = self._write(wanted) if wanted else None
            if refusal is not None:
                return [refusal]
            return (
                [f"the change of Longhorn's node {self.node_name}"] if wanted and not once else []
            )

        wait_until(
            f"disks of {self.node_name} in Longhorn", missing, timeout_seconds=timeout_seconds
        )

    def _write(self, wanted: Changes) -> str | None:
        """Why Longhorn did not take the changes; None when it did."""
        try:
            patch_object(self._cluster, "nodes", self.node_name, {"spec": {"disks": wanted}})
        except ApiError as error:
            said = str(getattr(error, "body", None) or error)[:300]
            if not _passes(status_of(error), said):
                raise
            return f"Longhorn does not take the change of its node {self.node_name} yet: {said}"
        return None


def _passes(status: int, said: str) -> bool:
    """Whether a refusal is one that Longhorn takes back by itself.

    Its webhook forbids every edit while the disks' status is behind their spec, which a manager
    brings up to date every 30 s (longhorn-manager 1.5.3, webhook/resources/node/validator.go). What
    Kubernetes itself forbids, to somebody without the right to it, stays forbidden.
    """
    return status in _RETRIED or (status == _FORBIDDEN and "denied" in said)
