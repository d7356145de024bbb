"""The health of a control-plane node's scheduler and controller manager, for Rancher to see."""

import pulumi

from components.hosts.host import RemoteHost
from components.hosts.script import remote_script, result_of
from components.nodes.script_parts import NODE_HEALTH


class ControlPlaneHealth(pulumi.ComponentResource):
    """Owns that `--port=0` is not in the static pods of scheduler and controller manager.

    Without it both answer on ports 10251 and 10252 without a login, which is what Rancher asks.
    Refuses to own anything else in those files, and any node of Kubernetes 1.22 or newer: Rancher
    does not ask there (rancher v2.6.3, pkg/controllers/managementuser/healthsyncer). On removal the
    line is put back.
    """

    kubernetes_version: pulumi.Output[str]
    """Version of the scheduler on that node, once both components have answered."""

    def __init__(
        self, name: str, *, host: RemoteHost, found: str | None, opts: pulumi.ResourceOptions
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its command's name.
            host: A control-plane node made by kubeadm, Kubernetes 1.21 or older.
            found: What was found wrong in its manifests; makes the script run again.
        """
        super().__init__("longhornrancher:node:ControlPlaneHealth", name, None, opts)
        command = remote_script(
            f"{name}-manifests",
            host,
            NODE_HEALTH,
            found=found,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.kubernetes_version = result_of(command, host, lambda result: result["kubernetes"])
