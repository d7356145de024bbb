"""Which replicas stand on a disk, and what keeps them there. Pure.

Source: longhorn-manager v1.5.3. A disk that is not ready is reported without replicas
(controller/node_controller.go), so the replicas themselves are asked. Eviction adds a replica
elsewhere first and removes the old one when that is complete (controller/volume_controller.go);
the replicas of a disk that was put elsewhere follow it there (controller/node_controller.go);
a detached volume is attached for it (controller/volume_eviction_controller.go); nothing is moved
off a node that is down (controller/replica_controller.go).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from components.common.answers import listed, mapped
from components.longhorn.disks.rules import disks_by_path
from components.longhorn.fields import (
    Object,
    disk_status,
    is_intact,
    is_true,
    name_of,
    spec_of,
    status_of,
)
from components.longhorn.volumes import claim_text, size_text, state_text

_LISTED_AT_MOST = 20


def last_copies(
    node: Object, paths: Iterable[str], replicas: Sequence[Object], nodes: Iterable[Object] = ()
) -> list[str]:
    """The volumes whose only intact replica is on one of these disks, one line each.

    Only for disks that Longhorn can't read now: of the others it moves every replica away.

    Args:
        node: The disks' node, as nodes.longhorn.io has it.
        paths: Mount points of the disks.
        replicas: Every replica.
        nodes: Every node; a replica on one that is down counts for nothing.
    """
    lines: list[str] = []
    down = {name_of(each) for each in nodes if not is_true(status_of(each), "Ready")}
    for path in sorted(set(paths)):
        if is_true(_status_at(node, path), "Ready"):
            continue
        on_disk = _on_disk(node, path, replicas)
        names = {name_of(replica) for replica in on_disk}
        elsewhere = {
            _volume_of(replica)
            for replica in replicas
            if name_of(replica) not in names
            and is_intact(replica)
            and spec_of(replica).get("nodeID") not in down
        }
        only_here = sorted({_volume_of(replica) for replica in on_disk} - elsewhere)
        lines += [
            f"{path}, which Longhorn can't read, has all data of {name}" for name in only_here
        ]
    return lines


def explained(
    node: Object, paths: Iterable[str], replicas: Sequence[Object], volumes: Sequence[Object]
) -> list[str]:
    """Every replica on these disks with its volume, one line each, the first twenty of them."""
    by_name = {name_of(volume): volume for volume in volumes}
    lines = [
        f"{path}: replica {name_of(replica)} of volume "
        f"{_described(_volume_of(replica), by_name.get(_volume_of(replica)))}"
        for path in sorted(set(paths))
        for replica in _on_disk(node, path, replicas)
    ]
    if len(lines) > _LISTED_AT_MOST:
        return [*lines[:_LISTED_AT_MOST], f"and {len(lines) - _LISTED_AT_MOST} more"]
    return lines


def advice(node: Object, paths: Iterable[str]) -> str:
    """What to do about replicas that do not leave these disks."""
    name = name_of(node)
    wanted = sorted(set(paths))
    until = (
        "Until then the disk stays mounted and in Longhorn, closed to new replicas, and the next "
        "`pulumi up` goes on from here. To keep it after all, put it back into the stack file and "
        "run `pulumi up --refresh`."
    )
    if not is_true(status_of(node), "Ready"):
        return (
            f"Longhorn moves nothing off {name}, which is not ready. Bring it back; if it is gone "
            "for good, mark it `lost: true` in the stack file "
            f"(docs/runbooks/give-up-a-lost-node.md). {until}"
        )
    unread = [path for path in wanted if not is_true(_status_at(node, path), "Ready")]
    if unread:
        return (
            f"Mount {', '.join(unread)} on {name} again so that Longhorn can move the data, or "
            f"delete these volumes if they may be lost. {until}"
        )
    return (
        "A replica needs a disk that takes new ones, with the volume's tags and enough room, on a "
        "node without another replica of the volume. Add a disk or a node, lower the volume's "
        "number of replicas, or delete a volume that is not needed. A volume that is degraded is "
        "rebuilt before anything of it moves; one that is faulted never moves: salvage or delete "
        f"it. {until}"
    )


def _on_disk(node: Object, path: str, replicas: Sequence[Object]) -> list[Object]:
    status = _status_at(node, path)
    scheduled = mapped(status.get("scheduledReplica"))
    uuid = status.get("diskUUID")
    found = [
        replica
        for replica in replicas
        if name_of(replica) in scheduled
        or (uuid and spec_of(replica).get("diskID") == uuid and _is_here(replica, node, path))
    ]
    return sorted(found, key=name_of)


def _is_here(replica: Object, node: Object, path: str) -> bool:
    """Whether Longhorn has not moved the replica to where its disk was put since."""
    spec = spec_of(replica)
    name = name_of(node)
    at = (spec.get("nodeID") or name, str(spec.get("diskPath") or path).rstrip("/"))
    return at == (name, path)


def _status_at(node: Object, path: str) -> dict[str, Any]:
    name, _ = disks_by_path(node).get(path, ("", {}))
    return disk_status(node, name)


def _volume_of(replica: Object) -> str:
    return str(spec_of(replica).get("volumeName"))


def _described(name: str, volume: Object | None) -> str:
    if volume is None:
        return name
    parts = [size_text(int(spec_of(volume).get("size") or 0)), state_text(volume)]
    claim = claim_text(volume)
    if claim is not None:
        parts.append(f"claim {claim}")
    parts += _unscheduled(volume)
    return f"{name} ({', '.join(parts)})"


def _unscheduled(volume: Object) -> list[str]:
    """What Longhorn itself says about a replica that it finds no place for."""
    for condition in listed(status_of(volume).get("conditions")):
        if str(condition.get("type")).lower() == "scheduled" and condition.get("status") == "False":
            said = condition.get("message") or condition.get("reason")
            return [f"Longhorn finds no place for another replica: {said}"]
    return []
