"""The packages that Longhorn needs on a node, and its iSCSI daemon."""

from dataclasses import dataclass

import pulumi

from components.hosts.host import RemoteHost
from components.hosts.script import remote_script, result_of
from components.nodes.script_parts import PACKAGES


@dataclass(frozen=True, kw_only=True)
class NodePackagesArgs:
    """What the node must have."""

    host: RemoteHost
    """The node."""
    xfs: bool = False
    """Whether a disk of the node is to carry XFS."""
    found: str | None = None
    """What is missing on the host right now, for the engine's diff."""


class NodePackages(pulumi.ComponentResource):
    """Owns that iSCSI and NFS packages are there and iscsid runs; installs what is missing.

    Refuses to own the packages' removal: on destroy they stay, since others may use them.
    Source: longhorn v1.5.3 scripts/environment_check.sh; without iscsiadm the manager
    crash-loops (longhorn-manager app/daemon.go).
    """

    versions: pulumi.Output[dict[str, str]]
    """Installed version by package."""

    def __init__(
        self, name: str, args: NodePackagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:node:Packages", name, None, opts)
        command = remote_script(
            f"{name}-install",
            args.host,
            PACKAGES,
            ["--xfs"] if args.xfs else [],
            found=args.found,
            delete_action=None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.versions = result_of(command, args.host).apply(lambda result: result["packages"])
        self.register_outputs({"versions": self.versions})
