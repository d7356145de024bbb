"""Disks and Longhorn, as one component of another program."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from components.preflight.findings import read_findings
from components.stack.outputs import stack_outputs
from components.stack.whole import declare_stack
from configuration.settings import load_given
from longhorn_rancher.arguments import (
    Checks,
    Cluster,
    ControlPlane,
    Frontend,
    Longhorn,
    Node,
    NodeDefaults,
    Ssh,
    Stages,
    StorageSecrets,
    VolumeCheck,
)
from longhorn_rancher.one_of_a_kind import refuse_another


class LonghornStorage(pulumi.ComponentResource):
    """Owns packages, disks and labels of the nodes, and Longhorn with its interface and its check.

    Hosts and cluster are read before anything is declared, in previews too: what is not as it
    should be shows in Pulumi's diff, and what stands in the way is refused, all of it at once.
    While Longhorn holds volumes, its removal is refused.

    Refuses to own the cluster: it must be there, with a kubeconfig on this machine.
    """

    disks: pulumi.Output[dict[str, list[Any]]]
    """What is mounted, by the name of the node."""
    version: pulumi.Output[str | None]
    """Longhorn's version, known once all of it runs; None where stages.longhorn is off."""
    default_storage_class: pulumi.Output[str | None]
    """The cluster's one default StorageClass; empty if none is wanted, None as above."""
    frontend_url: pulumi.Output[str | None]
    """Where Longhorn's interface is; None without `frontend`."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        nodes: Sequence[Node] | None = None,
        node_defaults: NodeDefaults | None = None,
        ssh: Ssh | None = None,
        control_plane: ControlPlane | None = None,
        longhorn: Longhorn | None = None,
        frontend: Frontend | None = None,
        volume_check: VolumeCheck | None = None,
        checks: Checks | None = None,
        stages: Stages | None = None,
        secrets: StorageSecrets | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Read the hosts and the cluster, and declare everything.

        The arguments are sections of a stack file, with the words of docs/stack-file.md.

        Args:
            name: The resource's name.
            cluster: The cluster that is there.
            nodes: Its nodes, all of them; may be left out with cluster["nodesFile"].
            node_defaults: What holds for every node that does not say otherwise.
            ssh: How the hosts are reached.
            control_plane: Whether Longhorn may use control-plane nodes.
            longhorn: The Helm release, its settings, backups, jobs and StorageClasses.
            frontend: How Longhorn's interface is reached; without it nothing is exposed.
            volume_check: The proof that volumes work; without it none is made.
            checks: What is accepted of what is found before anything is declared.
            stages: Which parts run; all but `frontend` and `volumeCheck` without it.
            secrets: What opens the hosts, and what Longhorn is given.
            opts: The resource's options. Its `depends_on` holds for all parts; its providers are
                not used, since the cluster is the one of `cluster`.

        Raises SettingsError with every mistake in the arguments, and pulumi.RunError with
        everything on the hosts and in the cluster that stands in the way.
        """
        refuse_another("LonghornStorage", name)
        settings = load_given(
            f'LonghornStorage "{name}"',
            {
                "cluster": cluster,
                "nodes": nodes,
                "nodeDefaults": node_defaults,
                "ssh": ssh,
                "controlPlane": control_plane,
                "longhorn": longhorn,
                "frontend": frontend,
                "volumeCheck": volume_check,
                "checks": checks,
                "stages": {
                    "rancher": False,
                    "frontend": frontend is not None,
                    "volumeCheck": volume_check is not None,
                    **(stages or {}),
                },
            },
            cast("Mapping[str, pulumi.Input[str] | None]", secrets or {}),
        )
        findings = read_findings(settings)
        super().__init__("longhornrancher:index:LonghornStorage", name, None, opts)
        parts = declare_stack(settings, findings, self)
        outputs = stack_outputs(parts.nodes, parts.longhorn, parts.rancher)
        none = pulumi.Output.from_input(None)
        self.disks = outputs.get("disks", pulumi.Output.from_input({}))
        self.version = outputs.get("longhornVersion", none)
        self.default_storage_class = outputs.get("defaultStorageClass", none)
        self.frontend_url = outputs.get("longhornUrl", none)
        self.register_outputs(
            {
                "disks": self.disks,
                "version": self.version,
                "defaultStorageClass": self.default_storage_class,
                "frontendUrl": self.frontend_url,
            }
        )
