"""The packages that Longhorn needs on a node, and its iSCSI daemon."""

import pulumi

from components.hosts.host import RemoteHost
from components.hosts.script import remote_script, result_of
from components.nodes.script_parts import NODE_PACKAGES


class NodePackages(pulumi.ComponentResource):
    """Owns that iSCSI and NFS packages are there and iscsid runs; installs what is missing.

    Refuses to own the packages' removal: on destroy they stay, since others may use them.
    Source: longhorn v1.5.3 scripts/environment_check.sh; without iscsiadm the manager
    crash-loops (longhorn-manager app/daemon.go).
    """

    versions: pulumi.Output[dict[str, str]]
    """Installed version by package."""

    def __init__(
        self,
        name: str,
        *,
        host: RemoteHost,
        xfs: bool,
        found: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its command's name.
            host: The node.
            xfs: Whether a disk of the node is to carry XFS.
            found: What is missing on the host right now, for Pulumi's diff.
        """
        super().__init__("longhornrancher:node:Packages", name, None, opts)
        options = ["--xfs"] if xfs else []
        command = remote_script(
            f"{name}-install",
            host,
            NODE_PACKAGES,
            options,
            words=options,
            found=found,
            delete_action=None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.versions = result_of(command, host, lambda result: result["packages"])
