"""Longhorn storage and the import into Rancher, as components of another Pulumi program.

docs/use-from-another-program.md says how, with examples, and what stays the same between versions:
the names below, their parameters and properties, and the resources in a state.
"""

from longhorn_rancher.hidden_packages import refuse_hidden_packages

# Before anything of them is imported.
refuse_hidden_packages()

from longhorn_rancher.arguments import (  # noqa: E402
    Checks,
    Cluster,
    ControlPlane,
    Disk,
    Frontend,
    Longhorn,
    Node,
    NodeDefaults,
    RancherAgent,
    Ssh,
    Stages,
    StorageSecrets,
    VolumeCheck,
)
from longhorn_rancher.longhorn_storage import LonghornStorage  # noqa: E402
from longhorn_rancher.rancher_import import RancherImport  # noqa: E402

__all__ = [
    "Checks",
    "Cluster",
    "ControlPlane",
    "Disk",
    "Frontend",
    "Longhorn",
    "LonghornStorage",
    "Node",
    "NodeDefaults",
    "RancherAgent",
    "RancherImport",
    "Ssh",
    "Stages",
    "StorageSecrets",
    "VolumeCheck",
]
