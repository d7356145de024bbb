"""Disks with replicas that get other mount points on several nodes in one run. Pure.

Each leaves Longhorn before it is unmounted, and its replicas go to disks of other nodes: where
these leave, too, all of them wait for one another until longhorn.evictionTimeoutSeconds.
"""

from collections.abc import Iterator, Sequence

from components.common.names import some_names
from components.longhorn.fields import spec_of
from components.longhorn.storage import Storage
from components.preflight.nodes import NodeToCheck
from components.preflight.report import CheckResult, of_cluster


def check_moved_disks(
    nodes: Sequence[NodeToCheck], storage: Storage | None
) -> Iterator[CheckResult]:
    """An error where disks of more than one node move, and replicas with them.

    Args:
        nodes: Those that were read.
        storage: Longhorn; None where there is none, or it was not read.
    """
    if storage is None:
        return
    held = {
        (str(spec.get("nodeID")), str(spec.get("diskPath")).rstrip("/"))
        for spec in map(spec_of, storage.replicas)
    }
    moving = {
        node.name: [
            f"{former} to {path}"
            for path, former in sorted(node.moved.items())
            if (node.name, former) in held
        ]
        for node in nodes
    }
    lines = [f"{name} ({', '.join(paths)})" for name, paths in moving.items() if paths]
    if len(lines) > 1:
        yield of_cluster(
            "movedDisks",
            "error",
            "disks with replicas get other mount points on several nodes at once, and would wait "
            f"for one another to take those replicas: {some_names(lines)}",
            "Change the mount points of one node, run `pulumi up`, and go on with the next. Where "
            "other disks have room for all of these replicas, accept movedDisks.",
        )
