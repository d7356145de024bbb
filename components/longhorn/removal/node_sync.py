"""The wait until Longhorn has looked at every disk that was added or removed.

While the disks in a node's status are not those in its spec, Longhorn's webhook forbids every
change of the node, and so does its uninstallation's own that lets the node go: the uninstallation
then tries until its deadline (longhorn-manager v1.5.3, webhook/resources/node/validator.go,
datastore/longhorn.go RemoveFinalizerForNode). A manager looks at its node's disks every 30 s.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import mapped
from components.common.waiting import wait_until
from components.longhorn.fields import name_of, spec_of, status_of
from components.longhorn.objects import read_objects

_SECONDS = 120.0


def wait_until_disks_are_seen(cluster: ClusterApi) -> None:
    """Wait two minutes at most. Raises TimeoutError naming the nodes and their disks."""
    wait_until(
        "Longhorn's look at its disks",
        lambda: unseen_disks(read_objects(cluster, "nodes") or []),
        timeout_seconds=_SECONDS,
    )


def unseen_disks(nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each node whose disks in spec and status differ. Pure.

    Args:
        nodes: Objects of nodes.longhorn.io.
    """
    lines: list[str] = []
    for node in nodes:
        wanted = set(mapped(spec_of(node).get("disks")))
        seen = set(mapped(status_of(node).get("diskStatus")))
        if wanted != seen:
            lines.append(
                f"node {name_of(node)}: what became of "
                f"{', '.join(sorted(wanted ^ seen))} (does longhorn-manager run there?)"
            )
    return lines
