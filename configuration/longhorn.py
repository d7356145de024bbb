"""Longhorn itself: release, user interface, volume check."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from configuration.backup import BackupSettings
from configuration.base import (
    AbsolutePath,
    DnsLabel,
    Image,
    Network,
    ObjectName,
    Port,
    Registry,
    Seconds,
    Size,
    StackModel,
    form,
    is_subdomain,
    pattern,
)
from configuration.monitoring import MonitoringSettings
from configuration.problems import rule
from configuration.recurring_jobs import RecurringJobSettings
from configuration.storage_classes import StorageClassSettings
from configuration.tolerations import TolerationSettings

# 1.6.0 is left out: its instance manager can deadlock, and volumes hang with it until its pod is
# restarted (Longhorn's changelog of 1.6.1).
SUPPORTED_VERSIONS = ("1.5.3", "1.5.4", "1.5.5", "1.6.1", "1.6.2", "1.6.3", "1.6.4")
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]
MAXIMUM_REPLICAS = 3
"""Replicas of a volume where the stack does not say how many, if there are enough nodes."""


def _supported(value: str) -> str:
    if value.removeprefix("v") not in SUPPORTED_VERSIONS:
        raise rule(
            "is not a chart version that this program supports",
            f"Supported: {', '.join(SUPPORTED_VERSIONS)}.",
        )
    return value.removeprefix("v")


def _ingress_host(value: str) -> str:
    if value.startswith("*."):
        raise rule("is a wildcard, and the interface has one address", "Write one host name.")
    if not is_subdomain(value) or value.rsplit(".", 1)[-1].isdigit():
        raise rule(
            "must be a host name in lower case, without scheme, port and path",
            "For example longhorn.example.com.",
        )
    return value


def _port_range(value: str) -> str:
    low, separator, high = value.partition("-")
    bounds = [int(part) for part in (low, high) if part.isascii() and part.isdigit()]
    if not separator or len(bounds) != 2 or not 1 <= bounds[0] <= bounds[1] <= 65535:
        raise rule(
            "must be the lowest and the highest port with a hyphen between them",
            "For example 30000-32767.",
        )
    return value


_HelmRepository = Annotated[
    str,
    pattern(
        "address of a Helm repository",
        r"https?://\S+",
        "must be the http:// or https:// address of a Helm repository",
        "For a chart in a folder or archive, set longhorn.chartPath instead.",
    ),
]


def _map(value: object) -> object:
    """A map that is left empty (`values:` and nothing below it) says nothing."""
    return {} if value is None else value


def replica_count(wanted: int | None, nodes_with_disks: int) -> int:
    """Replicas of a volume: as wanted, else one per node with disks, at most three.

    Three, too, where the stack lists no disks: then it does not know how many nodes have some.
    """
    if wanted is not None:
        return wanted
    return min(MAXIMUM_REPLICAS, nodes_with_disks or MAXIMUM_REPLICAS)


class LonghornDefaultSettings(StackModel):
    """Longhorn's own settings (chart values `defaultSettings`), those most often changed.

    The rest goes to longhorn.values.defaultSettings by Longhorn's names.
    """

    default_data_locality: Literal["disabled", "best-effort", "strict-local"] | None = None
    """Whether a replica is kept on the node of the workload; for the class `longhorn`, too."""
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
        default=None, ge=1, le=40, alias="guaranteedInstanceManagerCPU"
    )
    """Percentage of a node's CPU that is reserved for each instance manager. Never 0: without it
    volumes can stop under load, and managers of later versions do not start."""
    concurrent_replica_rebuild_per_node_limit: int | None = Field(default=None, ge=0)
    """How many replicas may be rebuilt on a node at once."""


class LonghornSettings(StackModel):
    """The Helm release of Longhorn."""

    version: Annotated[
        str,
        form(
            "supported version", _supported, f"v?({'|'.join(map(re.escape, SUPPORTED_VERSIONS))})"
        ),
    ] = DEFAULT_VERSION
    """Longhorn's version: 1.5.3 to 1.5.5 or 1.6.1 to 1.6.4; an upgrade goes one minor version at a
    time, never back."""
    chart_repository: _HelmRepository = "https://charts.longhorn.io"
    """Helm repository of the chart. A login in the address is readable in the state; where that is
    not wanted, download the chart and set chartPath."""
    chart_path: str | None = None
    """Folder or .tgz with the chart instead of a repository, for a network without Internet."""
    registry: Registry | None = None
    """Registry that holds Longhorn's images, such as registry.example.com:5000."""
    registry_secret: ObjectName | None = None
    """Name of a Secret in longhorn-system with the credentials of that registry."""
    registry_user: str | None = Field(default=None, min_length=1)
    """User of that registry; with the secret longhornRegistryPassword, Longhorn's chart makes
    registrySecret itself."""
    replica_count: int | None = Field(default=None, ge=1, le=20)
    """Replicas of each volume; if not given, the number of nodes with disks, at most 3."""
    default_storage_class: bool = True
    """Whether the class `longhorn` is the cluster's one default StorageClass, others none while the
    stack lives. K3s is kept from making its own the default again on nodes with controlPlane."""
    reclaim_policy: Literal["Delete", "Retain"] = "Delete"
    """What happens to a volume when its claim is deleted."""
    kubelet_root_dir: AbsolutePath = "/var/lib/kubelet"
    """The kubelet's root directory."""
    timeout_seconds: int = Field(default=1800, ge=900, le=86400)
    """How long installing, upgrading and removing may take each; at least 900."""
    eviction_timeout_seconds: Seconds = 3600
    """How long moving replicas off a removed disk or node may take before `up` gives up for now."""
    tolerations: tuple[TolerationSettings, ...] = Field(default=(), strict=False)
    """Taints of nodes that Longhorn and the volume check run on all the same; control-plane taints
    are better given to controlPlane.scheduling. Longhorn takes a change only while all volumes are
    detached."""
    other_disks: Literal["keep", "evict"] = "keep"
    """What becomes of disks that Longhorn has on a node with disks and the stack file has not, such
    as /var/lib/longhorn on the root disk: with `evict` their replicas are moved away, and then they
    leave Longhorn. Never unmounted; disks of another stack stay."""
    lost_volumes: tuple[ObjectName, ...] = Field(default=(), strict=False)
    """Volumes, by their names in Longhorn, whose last intact replica went with a disk that was
    replaced, and that may stay without one. By name, so that the word for one dead disk never
    speaks for the next; take it out once they are restored or deleted."""
    allow_uninstall: bool = False
    """Whether Longhorn may be removed while it holds volumes, with all their data."""
    default_settings: Annotated[
        LonghornDefaultSettings,
        BeforeValidator(_map, json_schema_input_type=LonghornDefaultSettings | None),
    ] = LonghornDefaultSettings()
    """Longhorn's own settings."""
    backup: BackupSettings | None = None
    """Where backups go."""
    recurring_jobs: tuple[RecurringJobSettings, ...] = Field(default=(), strict=False)
    """What Longhorn does to volumes again and again."""
    storage_classes: tuple[StorageClassSettings, ...] = Field(default=(), strict=False)
    """StorageClasses beside `longhorn`."""
    monitoring: MonitoringSettings | None = None
    """Metrics, alerts and a dashboard; the cluster has a Prometheus operator already."""
    values: Annotated[
        dict[str, Any], BeforeValidator(_map, json_schema_input_type=dict[str, Any] | None)
    ] = Field(default_factory=dict)
    """Further values of the chart. Lists of tolerations are joined with the program's own; keys
    that the chart does not have are refused."""


class FrontendSettings(StackModel):
    """How Longhorn's user interface is reached. It has no login of its own."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "Ingress"] = "ClusterIP"
    """ClusterIP keeps it inside the cluster (Rancher and kubectl port-forward still reach it)."""
    node_port: Port | None = None
    """The port on every node, for NodePort; Kubernetes chooses one if not given."""
    node_port_range: Annotated[str, form("range of ports", _port_range, "[0-9]+-[0-9]+")] = (
        "30000-32767"
    )
    """The API server's --service-node-port-range."""
    source_ranges: tuple[Network, ...] = Field(default=(), strict=False)
    """Networks that may reach a LoadBalancer at its address, such as 10.0.0.0/8."""
    host: Annotated[str, form("host name", _ingress_host, "[a-z0-9][-a-z0-9.]*")] | None = None
    """Host name of the Ingress."""
    ingress_class: ObjectName | None = None
    """Ingress class, such as nginx."""
    ingress_controller: Literal["nginx", "traefik"] | None = None
    """Which controller serves that class, where its name does not say so. Only these two ask for
    the password in the secret frontendBasicAuth."""
    tls_secret: ObjectName | None = None
    """Name of the TLS Secret in longhorn-system; with an issuer, cert-manager fills it."""
    cluster_issuer: ObjectName | None = None
    """cert-manager ClusterIssuer that makes the certificate."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Further annotations of the Service or Ingress."""

    @property
    def leaves_controller_open(self) -> bool:
        """Whether it is an Ingress of which the cluster alone says what serves it."""
        named = self.ingress_class or self.ingress_controller
        return self.type == "Ingress" and named is None

    @property
    def controller(self) -> Literal["nginx", "traefik"] | None:
        """Which controller serves the Ingress, as far as the stack file says so."""
        if self.ingress_controller is not None or self.ingress_class is None:
            return self.ingress_controller or "nginx"
        named: tuple[Literal["nginx", "traefik"], ...] = ("nginx", "traefik")
        return next((one for one in named if one in self.ingress_class.lower()), None)


class VolumeCheckSettings(StackModel):
    """The proof that volumes work; by default as in the guide, with a small shared volume."""

    storage_class: ObjectName = "longhorn"
    """StorageClass of the claim."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteMany"
    """Access mode of the claim; ReadWriteMany needs NFS on the nodes."""
    size: Size = "10Mi"
    """Size of the claim; Longhorn rounds it up to at least 10Mi."""
    image: Image = "busybox:1.36.1"
    """Image with a POSIX shell, dd, df and sha256sum."""
    namespace: DnsLabel = "longhorn-system"
    """Namespace of the check's claim and Jobs."""
    timeout_seconds: Seconds = 600
    """How long the check may take."""
    run: int = 1
    """Change the number to run the check again."""
    restore: bool = False
    """Whether the check also backs its volume up, deletes it, restores it from the backup and
    compares what came back. Volume and backup are removed."""
    restore_every_days: int | None = Field(default=None, ge=1, le=366)
    """A restore that was seen longer ago shows in previews, and the next `up` proves it again."""


class ControlPlaneSettings(StackModel):
    """Whether Longhorn may use control-plane nodes."""

    scheduling: Literal["leave", "tolerate", "untaint"] = "leave"
    """leave taints alone; tolerate them in Longhorn's pods; or untaint the nodes for everything."""
