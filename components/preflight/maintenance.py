"""Whether the hosts of nodes under maintenance may go down, and what has to move first. Pure."""

from collections.abc import Collection, Iterator

from components.longhorn.capacity import disk_rooms, takers
from components.longhorn.disks.maintenance_rules import only_here
from components.longhorn.fields import name_of, spec_of
from components.longhorn.storage import Storage
from components.longhorn.volumes import with_claims
from components.preflight.report import CheckResult, Severity

_DRAIN_POLICY = "node-drain-policy"


def check_maintenance(storage: Storage, closed: Collection[str]) -> Iterator[CheckResult]:
    """One result for each node under maintenance.

    An error where a volume would lose its last healthy replica, and no other node takes one.

    Args:
        storage: Longhorn.
        closed: Names of the nodes under maintenance.
    """
    nodes, settings = storage.snapshot.nodes, storage.snapshot.settings
    volumes = {name_of(volume): volume for volume in storage.volumes}
    rooms = [room for room in disk_rooms(nodes, settings) if room.node not in closed]
    # Nodes that are still open, and to be closed in this very run, do not stay either.
    staying = [node for name, node in nodes.items() if name not in closed]
    for name in sorted(set(closed) & set(nodes)):
        moving = only_here(name, staying, storage.replicas)
        eligible = {
            each: takers(rooms, volumes[each], _nodes_of(each, storage))
            for each in moving
            if each in volumes
        }
        stuck = [each for each, found in eligible.items() if not found]
        if stuck:
            yield _result(
                name,
                "error",
                f"volumes have their last healthy replica here, and none of the "
                f"{len({room.node for room in rooms})} nodes that stay takes another one: "
                f"{with_claims(stuck, storage.volumes)}",
                "Add a disk or a node with room and the volume's tags, end the maintenance of "
                "another node first, or delete a volume that is not needed.",
            )
        elif moving:
            yield _result(
                name,
                "warning",
                f"the host may not go down yet, since volumes have their last healthy "
                f"replica here: {with_claims(moving, storage.volumes)}",
                "`pulumi up` has it moved, and says when the host may go down.",
            )
        elif spec_of(nodes[name]).get("allowScheduling") is False:
            yield _result(
                name,
                "warning",
                "closed to replicas for maintenance; every volume has a healthy replica on another "
                "node, so the host may go down once its pods are gone",
                _drain_remedy(settings.get(_DRAIN_POLICY))
                + "When it is back, take `maintenance` out of the stack file and run `pulumi up`.",
            )


def _drain_remedy(policy: str | None) -> str:
    """What to do about a policy that keeps the drain from ending while any replica is there."""
    if policy != "block-for-eviction":
        return ""
    return (
        f"Longhorn's setting {_DRAIN_POLICY} is {policy}, so kubectl drain waits until every "
        "replica has left the node; set it to block-if-contains-last-replica "
        "(longhorn.values.defaultSettings.nodeDrainPolicy). "
    )


def _nodes_of(volume: str, storage: Storage) -> set[str]:
    if storage.snapshot.settings.get("replica-soft-anti-affinity") == "true":
        return set()
    specs = (spec_of(replica) for replica in storage.replicas)
    return {
        str(spec.get("nodeID"))
        for spec in specs
        if spec.get("volumeName") == volume and not spec.get("failedAt")
    }


def _result(node: str, severity: Severity, found: str, remedy: str) -> CheckResult:
    return CheckResult(
        node=node, check="maintenance", severity=severity, found=found, remedy=remedy
    )
