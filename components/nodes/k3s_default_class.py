"""K3s's own StorageClass, kept from becoming the default again at each start of K3s."""

import pulumi

from components.common.owner import this_stack
from components.hosts.host import RemoteHost
from components.hosts.script import remote_script
from components.nodes.script_parts import NODE_K3S_CLASS


class K3sDefaultClass(pulumi.ComponentResource):
    """Owns that a server of K3s does not apply its own manifest of `local-path` again.

    K3s writes and applies local-storage.yaml at each start, which makes `local-path` the default
    class once more. A file `.skip` beside it keeps K3s from applying it, and leaves what is
    deployed: the class, its provisioner, its volumes (K3s's documentation, Managing Packaged
    Components; k3s pkg/deploy/controller.go). `--disable local-storage` would delete the
    provisioner, on which those volumes depend. Refuses to own a file that is there already. On
    removal its own goes; K3s is not restarted. Other hosts need nothing.
    """

    def __init__(
        self,
        name: str,
        *,
        host: RemoteHost,
        found: str | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its command's name.
            host: A control-plane node, whatever Kubernetes it runs.
            found: That K3s is to apply the manifest there; makes the script run again.
            opts: The resource's options.
        """
        super().__init__("longhornrancher:node:K3sDefaultClass", name, None, opts)
        remote_script(
            f"{name}-skip",
            host,
            NODE_K3S_CLASS,
            [this_stack()],
            found=found,
            opts=pulumi.ResourceOptions(parent=self),
        )
