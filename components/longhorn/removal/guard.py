"""What stands before the removal of Longhorn: nothing goes while it holds volumes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import tell
from components.longhorn.removal.confirmation import removal_is_confirmed, set_removal_confirmed
from components.longhorn.removal.node_sync import wait_until_disks_are_seen
from components.longhorn.volumes import HeldVolume, read_volumes, volume_lines
from configuration.cluster import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class LonghornRemovalGuardArgs:
    """What is guarded."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    allow_uninstall: bool
    """Whether Longhorn may go with the volumes that it holds (longhorn.allowUninstall)."""


class LonghornRemovalGuardProvider(DynamicProvider):
    """Takes Longhorn's own confirmation back as long as it stays, and gives it when it may go."""

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Take back a confirmation that a removal which broke off has left."""
        set_removal_confirmed(open_cluster(new), confirmed=False)
        return "longhorn-removal-guard", new

    def look(self, id_: str, state: Properties) -> Properties:
        """Whether somebody has confirmed the removal in Longhorn itself."""
        del id_
        return {**state, "removal_confirmed": removal_is_confirmed(open_cluster(state))}

    def change(self, id_: str, old: Properties, new: Properties) -> Properties:
        """Take back a confirmation that somebody else gave."""
        del id_, old
        set_removal_confirmed(open_cluster(new), confirmed=False)
        return new

    def remove(self, id_: str, state: Properties) -> None:
        """Let Longhorn be removed.

        Raises RuntimeError listing the volumes that it still holds, TimeoutError naming the disks
        that it has not looked at yet.
        """
        del id_
        cluster = open_for_removal(state)
        if cluster is None:
            return
        volumes = read_volumes(cluster)
        if volumes is None:
            tell("Longhorn is not in the cluster any more")
            return
        if volumes and not state["allow_uninstall"]:
            raise RuntimeError(refusal(volumes))
        if volumes:
            tell("longhorn.allowUninstall lets these volumes go with all their data:")
        for line in volume_lines(volumes).splitlines():
            tell(line)
        wait_until_disks_are_seen(cluster)
        set_removal_confirmed(cluster, confirmed=True)


def refusal(volumes: Sequence[HeldVolume]) -> str:
    """Why Longhorn stays, and what to do. Pure."""
    return (
        f"Longhorn still holds {len(volumes)} volume{'s' * (len(volumes) != 1)}, so it is not "
        f"removed, and nothing that it needs:\n{volume_lines(volumes)}\n"
        "Delete their claims, with all data in them. Or set longhorn.allowUninstall: true, run "
        "`pulumi up` with everything else as it was, and then this again."
    )


class LonghornRemovalGuard(Resource, module="longhorn", name="RemovalGuard"):
    """Owns nothing but Longhorn's setting deleting-confirmation-flag.

    Whatever may only go with Longhorn has to be made before it: the engine deletes in the opposite
    order, so a refusal here comes before anything is touched. Without the setting Longhorn's
    uninstall job fails (longhorn-manager v1.5.3, controller/uninstall_controller.go).
    """

    def __init__(
        self,
        name: str,
        args: LonghornRemovalGuardArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            LonghornRemovalGuardProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "allow_uninstall": args.allow_uninstall,
                "removal_confirmed": False,
            },
            opts,
        )
