"""One disk of one node: file system, mount point, fstab line."""

from collections.abc import Sequence
from typing import Any

import pulumi

from components.common.owner import this_stack
from components.hosts.host import RemoteHost
from components.hosts.script import remote_script, result_of
from components.nodes.script_parts import NODE_DISK, arguments, beside_action
from configuration.hosts import DiskSettings

_MOUNTED = ("uuid", "sizeBytes", "mountPoint")


class NodeDisk(pulumi.ComponentResource):
    """Owns the disk's mount and fstab line, and that a blank disk gets a file system.

    Refuses to own the data: a disk that is not blank is never formatted, and destroy unmounts at
    most. The next `up` finds its own file system by label and adopts it. The host keeps which
    stack and resource made sure of the mount last: a delete leaves what another has taken over
    since, such as the same disk under the corrected name of its node.
    """

    mounted: pulumi.Output[dict[str, Any]]
    """`uuid` of its file system, `sizeBytes` of the disk and the verified `mountPoint`."""

    def __init__(
        self,
        name: str,
        *,
        host: RemoteHost,
        disk: DiskSettings,
        found: str | None,
        beside: Sequence[str],
        before_move: pulumi.ResourceHook | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            host: The node that holds the disk.
            disk: Device, mount point and file system.
            found: What is wrong with it on the host right now, for Pulumi's diff.
            beside: Devices of the node's other disks that may be this one by another name.
            before_move: What has Longhorn let go of it, where this stack has it mounted elsewhere;
                it moves then.
        """
        super().__init__("longhornrancher:node:Disk", name, None, opts)
        before = [before_move] if before_move else []
        command = remote_script(
            f"{name}-mount",
            host,
            NODE_DISK,
            arguments(disk, owner=f"{this_stack()} {name}"),
            words=(disk.device, disk.mount_point, disk.file_system),
            found=found,
            action="move" if before else "ensure",
            create_action=None if before else beside_action(beside),
            opts=pulumi.ResourceOptions(
                parent=self,
                # A disk was moved once; that the next run says `ensure` again is no change.
                ignore_changes=["create"],
                hooks=pulumi.ResourceHookBinding(before_create=before, before_update=before)
                if before
                else None,
            ),
        )
        self.mounted = result_of(
            command, host, lambda result: {key: result[key] for key in _MOUNTED}
        )

    @property
    def uuid(self) -> pulumi.Output[str]:
        """UUID of the file system."""
        return self.mounted.apply(lambda mounted: str(mounted["uuid"]))
