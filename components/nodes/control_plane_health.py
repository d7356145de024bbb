"""The health of a control-plane node's scheduler and controller manager, for Rancher to see."""

from dataclasses import dataclass

import pulumi

from components.hosts.host import RemoteHost
from components.hosts.script import remote_script, result_of
from components.nodes.script_parts import CONTROL_PLANE_HEALTH


@dataclass(frozen=True, kw_only=True)
class ControlPlaneHealthArgs:
    """Which node."""

    host: RemoteHost
    """A control-plane node made by kubeadm, Kubernetes 1.21 or older."""
    found: str | None = None
    """What was found wrong in its manifests; makes the script run again."""


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
        self, name: str, args: ControlPlaneHealthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:node:ControlPlaneHealth", name, None, opts)
        command = remote_script(
            f"{name}-manifests",
            args.host,
            CONTROL_PLANE_HEALTH,
            found=args.found,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.kubernetes_version = result_of(command, args.host).apply(
            lambda result: result["kubernetes"]
        )
        self.register_outputs({"kubernetesVersion": self.kubernetes_version})
