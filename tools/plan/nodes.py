"""What would be done on the nodes, equal nodes told once. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configuration.hosts import DiskSettings, NodeSettings
from configuration.settings import Settings

# Of equal nodes whose disks have other names: how many are told each, and how many of more.
_MOST_TOLD, _TOLD_OF_MANY = 8, 3
_NUMBERED = re.compile(r"(.*?)([0-9]+)(\D*)")


@dataclass(frozen=True)
class NodeGroup:
    """Nodes on which the same would be done."""

    title: str
    lines: Sequence[str]


def node_groups(settings: Settings) -> list[NodeGroup]:
    """The nodes in the file's order, those of one kind together.

    Disks that differ by their device alone make no other kind: each by-id name is another one.
    """
    groups: dict[object, list[NodeSettings]] = {}
    for node in settings.nodes:
        disks = [disk.model_copy(update={"device": ""}) for disk in settings.disks_of(node)]
        same = node.model_copy(update={"name": "", "host": "", "host_key": None, "disks": None})
        groups.setdefault((repr(same), repr(disks)), []).append(node)
    return [
        NodeGroup(
            f"{len(nodes)} nodes" if len(nodes) > 1 else f"Node {nodes[0].name}",
            list(_lines(settings, nodes)),
        )
        for nodes in groups.values()
    ]


def ranges(words: Sequence[str]) -> str:
    """The words with commas between; those that count up, such as node-1 to node-9, as a range."""
    runs: list[list[str]] = []
    for word in words:
        if runs and _follows(runs[-1][-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _follows(word: str, after: str) -> bool:
    one, two = _NUMBERED.fullmatch(word), _NUMBERED.fullmatch(after)
    if one is None or two is None:
        return False
    return one[1] == two[1] and one[3] == two[3] and int(one[2]) + 1 == int(two[2])


def _lines(settings: Settings, nodes: Sequence[NodeSettings]) -> Iterator[str]:
    node, stages = nodes[0], settings.stages_of(nodes[0])
    user, port = node.user or settings.ssh.user, node.port or settings.ssh.port
    if len(nodes) > 1:
        yield ranges([each.name for each in nodes])
    if node.lost:
        yield "lost: nothing is done there any more"
        return
    yield f"by SSH as {user}, port {port}: {ranges([each.host for each in nodes])}"
    if stages.packages:
        yield "packages for iSCSI and NFS installed, iscsid started"
    disks = [settings.disks_of(each) for each in nodes]
    same_devices = len({tuple(disk.device for disk in of_node) for of_node in disks}) == 1
    for disk in disks[0]:
        yield _disk(disk, disk.device if same_devices else "its disk", mounts=stages.disks)
    if not same_devices:
        shown = len(nodes) if len(nodes) <= _MOST_TOLD else _TOLD_OF_MANY
        for each, of_node in zip(nodes[:shown], disks, strict=False):
            yield f"  {each.name}: {', '.join(disk.device for disk in of_node)}"
        if shown < len(nodes):
            yield f"  and so on, {len(nodes) - shown} more with disks of their own"
    if stages.disks and disks[0]:
        yield "a disk that is not blank is refused, never formatted"
    if stages.labels and disks[0]:
        yield "label node.longhorn.io/create-default-disk=config, annotation with the disks"
    if stages.labels and node.tags:
        yield f"node tags {', '.join(node.tags)}"
    if node.control_plane and stages.control_plane_health:
        yield "health ports of scheduler and controller manager opened, one node after the other"
    if settings.keeps_default_class_on(node):
        yield "a server of K3s is kept from making local-path the default class"
    if node.control_plane and stages.labels and settings.control_plane.scheduling == "untaint":
        yield "control-plane taints taken off"


def _disk(disk: DiskSettings, device: str, *, mounts: bool) -> str:
    if not mounts:
        return f"{disk.mount_point}: mounted by you"
    what = f"file system {disk.adopt_uuid} as it is" if disk.adopt_uuid else disk.file_system
    tags = f", tags {', '.join(disk.tags)}" if disk.tags else ""
    reserved = f", {disk.storage_reserved} left free" if disk.storage_reserved != "0" else ""
    unused = "" if disk.allow_scheduling else ", no replicas"
    return f"{device} → {what} on {disk.mount_point}{tags}{reserved}{unused}"
