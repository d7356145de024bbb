"""What a stack wants of its cluster, as far as one look at the cluster can tell. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from components.nodes.description import Tolerated, tolerated_taints
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class WantedNode:
    """A node of the stack that is not lost."""

    name: str
    """nodes[].name."""
    has_disks: bool
    """Whether Longhorn is to hold replicas there."""
    is_untainted: bool = False
    """Whether the program takes the control-plane taints off."""


@dataclass(frozen=True, kw_only=True)
class ClusterWanted:
    """What the stack counts on."""

    longhorn_version: str | None
    """longhorn.version; None where the stack installs no Longhorn."""
    nodes: Sequence[WantedNode] = ()
    prepares_nodes: bool = False
    """Whether the stack installs packages on its nodes, so that others are left without."""
    tolerated: Sequence[Tolerated] = field(default_factory=tuple)
    """The taints that Longhorn is told to tolerate."""
    is_default_class: bool = False
    """Whether `longhorn` is to be the one default StorageClass."""
    ingress_class: str | None = None
    """IngressClass of the interface."""
    secrets: Sequence[tuple[str, str]] = ()
    """Secrets in Longhorn's namespace that must be there: stack key and name."""
    replica_count: int | None = None
    """longhorn.replicaCount."""


def cluster_wanted(settings: Settings) -> ClusterWanted:
    """What this stack wants."""
    stages, longhorn, frontend = settings.stages, settings.longhorn, settings.frontend
    untaints = stages.labels and settings.control_plane.scheduling == "untaint"
    is_ingress = stages.frontend and frontend.type == "Ingress"
    secrets = [
        ("longhorn.registrySecret", longhorn.registry_secret if stages.longhorn else None),
        (
            "frontend.tlsSecret",
            frontend.tls_secret if is_ingress and frontend.cluster_issuer is None else None,
        ),
        (
            "longhorn.defaultSettings.backupTargetCredentialSecret",
            longhorn.default_settings.backup_target_credential_secret if stages.longhorn else None,
        ),
    ]
    return ClusterWanted(
        longhorn_version=longhorn.version if stages.longhorn else None,
        nodes=[
            WantedNode(
                name=node.name,
                has_disks=bool(settings.disks_of(node)),
                is_untainted=untaints and node.control_plane,
            )
            for node in settings.present_nodes
        ],
        prepares_nodes=stages.packages,
        tolerated=tolerated_taints(
            longhorn.tolerations,
            control_plane=settings.control_plane.scheduling == "tolerate",
        ),
        is_default_class=stages.longhorn and longhorn.default_storage_class,
        ingress_class=frontend.ingress_class if is_ingress else None,
        secrets=[(key, name) for key, name in secrets if name is not None],
        replica_count=longhorn.replica_count if stages.longhorn else None,
    )
