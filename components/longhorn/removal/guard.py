"""What stands before the removal of Longhorn: nothing goes while it holds volumes."""

from collections.abc import Sequence

import pulumi

from components.cluster.api import cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.longhorn.removal.confirmation import removal_is_confirmed, set_removal_confirmed
from components.longhorn.removal.node_sync import wait_until_disks_are_seen
from components.longhorn.volumes import HeldVolume, read_volumes, volume_lines
from configuration.cluster import ClusterSettings


class LonghornRemovalGuardProvider(DynamicProvider):
    """Takes Longhorn's own confirmation back as long as it stays, and gives it when it may go."""

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Take back a confirmation that a removal which broke off has left."""
        set_removal_confirmed(open_cluster(new), confirmed=False)
        return "longhorn-removal-guard", new

    def look(self, state: Properties) -> Properties:
        """Whether somebody has confirmed the removal in Longhorn itself."""
        return {**state, "removal_confirmed": removal_is_confirmed(open_cluster(state))}

    def remove(self, state: Properties) -> None:
        """Let Longhorn be removed.

        Raises RuntimeError listing the volumes that it still holds, TimeoutError naming the disks
        that it has not looked at yet.
        """
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


class LonghornRemovalGuard(DynamicResource, module="longhorn", name="RemovalGuard"):
    """Owns nothing but Longhorn's setting deleting-confirmation-flag.

    Whatever may only go with Longhorn has to be made before it: Pulumi deletes in the opposite
    order, so a refusal here comes before anything is touched. Without the setting Longhorn's
    uninstall job fails (longhorn-manager v1.5.3, controller/uninstall_controller.go).
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        allow_uninstall: bool,
        finding: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            allow_uninstall: Whether Longhorn may go with its volumes.
            finding: That Longhorn's removal is confirmed right now, which one of the guards takes
                back.
        """
        inputs = {
            **cluster_inputs(cluster),
            "allow_uninstall": allow_uninstall,
            "removal_confirmed": False,
            FINDING: finding,
        }
        super().__init__(LonghornRemovalGuardProvider(), name, inputs, opts)
