"""The keys under `stages`."""

from configuration.base import StackModel


class StageSettings(StackModel):
    """Which parts of the program run. Switch off what the cluster already has."""

    packages: bool = True
    """iSCSI and NFS packages on every node."""
    disks: bool = True
    """File systems and mounts."""
    labels: bool = True
    """Node label and annotation that tell Longhorn its disks; control-plane taints."""
    longhorn: bool = True
    """The Helm release of Longhorn."""
    frontend: bool = True
    """Longhorn's user interface outside the cluster."""
    volume_check: bool = False
    """The proof that volumes work."""
    rancher: bool = True
    """The Rancher server."""
    rancher_import: bool = False
    """The cluster's import into Rancher."""
    control_plane_health: bool = False
    """Open health ports of scheduler and controller manager; Kubernetes 1.21 and older only."""
