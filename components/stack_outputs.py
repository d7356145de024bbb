"""What a stack tells its user when it is done."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.longhorn_node import LonghornNode
from components.rancher_server import RancherServer
from components.stack_longhorn import LonghornParts


def stack_outputs(
    nodes: Mapping[str, LonghornNode], longhorn: LonghornParts, rancher: RancherServer | None
) -> dict[str, pulumi.Output[Any]]:
    """The stack's outputs by name; a stage that is off adds none."""
    outputs: dict[str, pulumi.Output[Any]] = {}
    disks = {
        name: [
            pulumi.Output.all(
                uuid=disk.uuid, sizeBytes=disk.size_bytes, mountPoint=disk.mount_point
            )
            for disk in node.disks.values()
        ]
        for name, node in nodes.items()
        if node.disks
    }
    if disks:
        outputs["disks"] = pulumi.Output.from_input(disks)
    if longhorn.release is not None:
        outputs["longhornVersion"] = longhorn.release.version
        outputs["defaultStorageClass"] = longhorn.release.default_storage_class
    if longhorn.frontend is not None:
        outputs["longhornUrl"] = longhorn.frontend.url
    if longhorn.check is not None:
        outputs["volumeCheck"] = pulumi.Output.all(
            storageClass=longhorn.check.bound_class,
            size=longhorn.check.bound_size,
            seconds=longhorn.check.seconds,
        )
    if rancher is not None:
        outputs["rancherUrl"] = rancher.url
        outputs["rancherBootstrapPassword"] = rancher.bootstrap_password
    return outputs
