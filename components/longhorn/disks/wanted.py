"""A node's disks as inputs of the resources that see to them in Longhorn. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from components.longhorn.disks.rules import described
from components.nodes.description import longhorn_disk
from configuration.hosts import DiskSettings


def wanted_disks(
    disks: Iterable[DiskSettings], uuids: Mapping[str, pulumi.Input[str]]
) -> dict[str, dict[str, Any]]:
    """By mount point: what Longhorn is to keep of the disk, its name and its file system's UUID.

    Args:
        disks: The node's disks.
        uuids: By mount point; none where the stack does not prepare the disk.
    """
    found: dict[str, dict[str, Any]] = {}
    for disk in disks:
        description = longhorn_disk(disk)
        found[disk.mount_point] = {
            "name": description["name"],
            **described(description),
            "uuid": uuids.get(disk.mount_point),
        }
    return found
