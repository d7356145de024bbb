"""Longhorn itself: release, user interface, volume check."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from configuration.base import AbsolutePath, DnsLabel, Port, Seconds, Size, StackModel
from configuration.problems import rule

# 1.6.0 is left out: its instance manager can deadlock, and volumes hang with it until its pod is
# restarted (Longhorn's changelog of 1.6.1).
SUPPORTED_VERSIONS = ("1.5.3", "1.5.4", "1.5.5", "1.6.1", "1.6.2", "1.6.3", "1.6.4")
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]


class LonghornDefaultSettings(StackModel):
    """Longhorn's own settings (chart values `defaultSettings`), those most often changed.

    The rest goes to longhorn.values.defaultSettings by Longhorn's names.
    """

    backup_target: str | None = None
    """Where backups go, such as s3://bucket@region/ or nfs://server:/path."""
    backup_target_credential_secret: DnsLabel | None = None
    """Name of a Secret in longhorn-system with the credentials of the backup target."""
    default_data_locality: Literal["disabled", "best-effort", "strict-local"] | None = None
    """Whether a replica is kept on the node of the workload."""
    replica_soft_anti_affinity: bool | None = None
    """Whether two replicas of a volume may share a node."""
    replica_auto_balance: Literal["disabled", "least-effort", "best-effort"] | None = None
    """Whether replicas move when nodes come and go."""
    storage_over_provisioning_percentage: int | None = Field(default=None, ge=0)
    """How much more than its size may be promised on a disk."""
    storage_minimal_available_percentage: int | None = Field(default=None, ge=0, le=100)
    """Free space below which a disk takes no more replicas; 10 is enough for a disk of its own."""
    node_down_pod_deletion_policy: (
        Literal[
            "do-nothing",
            "delete-statefulset-pod",
            "delete-deployment-pod",
            "delete-both-statefulset-and-deployment-pod",
        ]
        | None
    ) = None
    """What happens to pods with a volume when their node is down."""
    guaranteed_instance_manager_cpu: int | None = Field(
        default=None, ge=0, le=40, alias="guaranteedInstanceManagerCPU"
    )
    """Percentage of a node's CPU that is reserved for each instance manager."""
    concurrent_replica_rebuild_per_node_limit: int | None = Field(default=None, ge=0)
    """How many replicas may be rebuilt on a node at once."""


class LonghornSettings(StackModel):
    """The Helm release of Longhorn."""

    version: str = DEFAULT_VERSION
    """Longhorn's version: 1.5.3 to 1.5.5 or 1.6.1 to 1.6.4; an upgrade goes one minor version at a
    time, never back."""
    chart_repository: str = Field(default="https://charts.longhorn.io", pattern=r"^https?://\S+$")
    """Helm repository of the chart."""
    chart_path: str | None = None
    """Folder or .tgz with the chart instead of a repository, for a network without Internet."""
    registry: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?(/\S+)?$")
    """Registry that holds Longhorn's images, such as registry.example.com:5000."""
    registry_secret: DnsLabel | None = None
    """Name of a Secret in longhorn-system with the credentials of that registry."""
    replica_count: int | None = Field(default=None, ge=1, le=20)
    """Replicas of each volume; if not given, the number of nodes with disks, at most 3."""
    default_storage_class: bool = True
    """Whether the class `longhorn` is the cluster's default StorageClass."""
    reclaim_policy: Literal["Delete", "Retain"] = "Delete"
    """What happens to a volume when its claim is deleted."""
    kubelet_root_dir: AbsolutePath = "/var/lib/kubelet"
    """The kubelet's root directory."""
    timeout_seconds: int = Field(default=1800, ge=900, le=86400)
    """How long installing, upgrading and removing may take each; at least 900."""
    eviction_timeout_seconds: Seconds = 3600
    """How long moving replicas off a removed disk or node may take before `up` gives up for now."""
    allow_uninstall: bool = False
    """Whether Longhorn may be removed while it holds volumes, with all their data."""
    default_settings: LonghornDefaultSettings = LonghornDefaultSettings()
    """Longhorn's own settings."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Further values of the chart, passed through as they are."""

    @field_validator("version")
    @classmethod
    def _supported(cls, value: str) -> str:
        if value.removeprefix("v") not in SUPPORTED_VERSIONS:
            raise rule(
                "is not a chart version that this program supports",
                f"Supported: {', '.join(SUPPORTED_VERSIONS)}.",
            )
        return value.removeprefix("v")

    @field_validator("values")
    @classmethod
    def _leaves_what_the_program_decides(cls, value: dict[str, Any]) -> dict[str, Any]:
        settings = value.get("defaultSettings") or {}
        taken = [
            name
            for name in ("createDefaultDiskLabeledNodes", "deletingConfirmationFlag")
            if isinstance(settings, dict) and name in settings
        ]
        if taken:
            raise rule(
                f"may not set defaultSettings.{taken[0]}, which this program decides",
                "Remove it; disks are listed under nodes, removal is longhorn.allowUninstall.",
            )
        return value


class FrontendSettings(StackModel):
    """How Longhorn's user interface is reached. It has no login of its own."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "Ingress"] = "ClusterIP"
    """ClusterIP keeps it inside the cluster (Rancher and kubectl port-forward still reach it)."""
    node_port: Port | None = None
    """The port on every node, for NodePort; Kubernetes chooses one if not given."""
    node_port_range: str = Field(default="30000-32767", pattern=r"^[0-9]{1,5}-[0-9]{1,5}$")
    """The API server's --service-node-port-range."""
    source_ranges: tuple[str, ...] = Field(default=(), strict=False)
    """Networks that may reach a LoadBalancer, such as 10.0.0.0/8."""
    host: str | None = Field(default=None, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    """Host name of the Ingress."""
    ingress_class: DnsLabel | None = None
    """Ingress class, such as nginx."""
    tls_secret: DnsLabel | None = None
    """Name of the TLS Secret in longhorn-system; with an issuer, cert-manager fills it."""
    cluster_issuer: DnsLabel | None = None
    """cert-manager ClusterIssuer that makes the certificate."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Further annotations of the Service or Ingress."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> "FrontendSettings":
        if self.type == "Ingress" and (self.host is None or self.tls_secret is None):
            raise rule(
                "an Ingress needs host and tlsSecret", "Add both; without TLS nothing is exposed."
            )
        if self.type != "Ingress" and (self.host or self.tls_secret or self.cluster_issuer):
            raise rule("host, tlsSecret and clusterIssuer go with type Ingress", "Set the type.")
        if self.node_port is not None and self.type != "NodePort":
            raise rule("nodePort goes with type NodePort", "Set the type or remove nodePort.")
        low, high = (int(bound) for bound in self.node_port_range.split("-"))
        if self.node_port is not None and not low <= self.node_port <= high:
            raise rule(
                f"nodePort {self.node_port} is outside the allowed range {self.node_port_range}",
                "Choose a port within it; nodePortRange says what the API server allows.",
            )
        return self


class VolumeCheckSettings(StackModel):
    """The proof that volumes work; by default as in the guide, with a small shared volume."""

    storage_class: DnsLabel = "longhorn"
    """StorageClass of the claim."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteMany"
    """Access mode of the claim; ReadWriteMany needs NFS on the nodes."""
    size: Size = "10Mi"
    """Size of the claim; Longhorn rounds it up to at least 10Mi."""
    image: str = Field(default="busybox:1.36.1", pattern=r"^\S+$")
    """Image with a POSIX shell, dd and df."""
    namespace: DnsLabel = "longhorn-system"
    """Namespace of the check's claim and Jobs."""
    timeout_seconds: Seconds = 600
    """How long the check may take."""
    run: int = 1
    """Change the number to run the check again."""


class ControlPlaneSettings(StackModel):
    """Whether Longhorn may use control-plane nodes."""

    scheduling: Literal["leave", "tolerate", "untaint"] = "leave"
    """leave taints alone; tolerate them in Longhorn's pods; or untaint the nodes for everything."""
