"""What the arguments of the components may hold: the keys of a stack file (docs/stack-file.md).

Made from the program's own settings (`make docs`). These types are for editors and type checkers;
the components check the values themselves, and more than a type can say.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

import pulumi


class Cluster(TypedDict, total=False):
    """The Kubernetes cluster that is already there."""

    name: Required[str]
    """What the cluster is called; also its name in Rancher, where another one renames
    it."""
    kubeconfig: str
    """File with access to the cluster; ~ is your home directory."""
    context: str | None
    """Context in that file; the current one if not given."""
    nodesFile: str | None
    """File with the list of nodes, in place of `nodes`: for some hundred nodes and more,
    which the configuration that Pulumi hands over can't hold."""


class Stages(TypedDict, total=False):
    """Which parts of the program run. Switch off what the cluster already has."""

    packages: bool
    """iSCSI and NFS packages on every node."""
    disks: bool
    """File systems and mounts."""
    labels: bool
    """Node label and annotation that tell Longhorn its disks; control-plane taints."""
    longhorn: bool
    """The Helm release of Longhorn."""
    frontend: bool
    """Longhorn's user interface outside the cluster."""
    volumeCheck: bool
    """The proof that volumes work."""
    controlPlaneHealth: bool
    """Open health ports of scheduler and controller manager; Kubernetes 1.21 and older
    only."""


class JumpHost(TypedDict, total=False):
    """The host through which every node is reached."""

    host: Required[str]
    """Name or address of the jump host."""
    hostKey: str | None
    """Its SSH host key; required unless ssh.insecureIgnoreHostKeys is true."""
    user: str | None
    """User on the jump host; ssh.user if not given."""
    port: int
    """Its SSH port."""


class Ssh(TypedDict, total=False):
    """How hosts are reached. The key or password itself is a secret of its own."""

    user: str
    """User on the hosts; one other than root needs sudo."""
    port: int
    """SSH port of the hosts."""
    privateKeyFile: str | None
    """File with the private key on this machine; ~ is your home directory."""
    useAgent: bool
    """Take keys from the SSH agent at $SSH_AUTH_SOCK."""
    jumpHost: JumpHost | None
    """The host through which the nodes are reached."""
    connectTimeoutSeconds: int
    """How long one attempt to connect may take."""
    connectAttempts: int
    """How often connecting is tried before the host counts as unreachable."""
    insecureIgnoreHostKeys: bool
    """Accept any host key: whoever answers at the address gets root's commands and
    passwords."""


class Disk(TypedDict, total=False):
    """One blank disk of a node that is to hold Longhorn's replicas."""

    device: Required[str]
    """The whole disk: /dev/sdb, or better a stable /dev/disk/by-id/… path."""
    mountPoint: Required[str]
    """Where the disk is mounted; also the path of the disk in Longhorn."""
    fileSystem: Literal["ext4", "xfs"]
    """File system made on a blank disk."""
    mountOptions: str | None
    """Mount options as in /etc/fstab, such as noatime,discard; nofail is added. "defaults"
    if not given."""
    mkfsOptions: str | None
    """More options for mkfs.ext4 or mkfs.xfs, such as -m 1; used once, on a blank disk."""
    adoptUuid: str | None
    """UUID of an existing file system, made by somebody else, to use as it is."""
    allowScheduling: bool
    """Whether Longhorn may put replicas on the disk."""
    storageReserved: str
    """Space that Longhorn leaves free on the disk, such as 10Gi."""
    tags: Sequence[str]
    """Longhorn disk tags, which a StorageClass may select by."""


class NodeDefaults(TypedDict, total=False):
    """What holds for every node that does not say otherwise."""

    disks: Sequence[Disk]
    """The disks of a node that lists none of its own."""


class Node(TypedDict, total=False):
    """One node of the cluster. Every node needs the packages, also one without disks."""

    name: Required[str]
    """The node's name in Kubernetes."""
    host: Required[str]
    """Address or name under which SSH reaches it."""
    hostKey: str | None
    """Its SSH host key; required unless ssh.insecureIgnoreHostKeys is true."""
    user: str | None
    """User on this host; ssh.user if not given."""
    port: int | None
    """SSH port of this host; ssh.port if not given."""
    controlPlane: bool
    """Whether it is a control-plane node (see controlPlane), on K3s a server."""
    disks: Sequence[Disk] | None
    """Its disks; nodeDefaults.disks if not given, none with []."""
    tags: Sequence[str]
    """Longhorn node tags, which a StorageClass may select by."""
    packages: bool
    """Whether the packages stage runs on this node; false where you install them yourself,
    as on an image-based system."""
    maintenance: Literal["cordon"] | bool
    """Whether the host is to go down for a while: closed to replicas in Longhorn, and with
    `cordon` to pods; `up` waits until no volume needs it. Without the line again, `up`
    opens it and waits until every attached volume is healthy."""
    lost: bool
    """Whether the host is gone for good: nothing is read from it or run on it any more."""


class ControlPlane(TypedDict, total=False):
    """Whether Longhorn may use control-plane nodes."""

    scheduling: Literal["leave", "tolerate", "untaint"]
    """leave taints alone; tolerate them in Longhorn's pods; or untaint the nodes for
    everything."""


class Toleration(TypedDict, total=False):
    """One taint, as `kubectl describe node` shows it."""

    key: Required[str]
    """The taint's key, such as dedicated or CriticalAddonsOnly."""
    value: str | None
    """The taint's value; any value if not given."""
    effect: Literal["NoSchedule", "NoExecute"]
    """The taint's effect."""


class LonghornDefault(TypedDict, total=False):
    """Longhorn's own settings (chart values `defaultSettings`), those most often changed.

    The rest goes to longhorn.values.defaultSettings by Longhorn's names.
    """

    defaultDataLocality: Literal["disabled", "best-effort", "strict-local"] | None
    """Whether a replica is kept on the node of the workload; for the class `longhorn`,
    too."""
    replicaSoftAntiAffinity: bool | None
    """Whether two replicas of a volume may share a node."""
    replicaAutoBalance: Literal["disabled", "least-effort", "best-effort"] | None
    """Whether replicas move when nodes come and go."""
    storageOverProvisioningPercentage: int | None
    """How much more than its size may be promised on a disk."""
    storageMinimalAvailablePercentage: int | None
    """Free space below which a disk takes no more replicas; 10 is enough for a disk of its
    own."""
    nodeDownPodDeletionPolicy: (
        Literal[
            "do-nothing",
            "delete-statefulset-pod",
            "delete-deployment-pod",
            "delete-both-statefulset-and-deployment-pod",
        ]
        | None
    )
    """What happens to pods with a volume when their node is down."""
    guaranteedInstanceManagerCPU: int | None
    """Percentage of a node's CPU that is reserved for each instance manager. Never 0:
    without it volumes can stop under load, and managers of later versions do not start."""
    concurrentReplicaRebuildPerNodeLimit: int | None
    """How many replicas may be rebuilt on a node at once."""


class Backup(TypedDict, total=False):
    """Longhorn's backup target. `up` ends only when Longhorn calls it available."""

    target: Required[str]
    """s3://bucket@region/, nfs://server:/path, cifs://server/share or
    azblob://container@endpoint/."""
    user: str | None
    """Who opens the store: access key (s3), account (azblob) or user (cifs); its password
    is the secret longhornBackupPassword."""
    credentialSecret: str | None
    """Name of a Secret in longhorn-system with the credentials, instead of `user`, in the
    form of Longhorn's documentation."""
    endpoint: str | None
    """Address of the object store where it is no Amazon (s3) and no public Azure
    (azblob)."""
    caFile: str | None
    """File with the certificate authority of that address (PEM), where it is a private
    one."""
    virtualHostedStyle: bool
    """Whether the bucket is part of the store's host name (s3)."""
    pollSeconds: int
    """How often Longhorn looks for backups that others made; 0 for never."""
    maximumAgeHours: int | None
    """A preview names every volume without a backup that young; not looked at if not
    given."""
    timeoutSeconds: int
    """How long Longhorn may take to call the target available."""


class RecurringJob(TypedDict, total=False):
    """One recurring job of Longhorn (longhorn-manager v1.5.3,
    datastore.ValidateRecurringJob)."""

    name: Required[str]
    """Its name, 40 characters at most."""
    task: Required[
        Literal[
            "snapshot",
            "snapshot-force-create",
            "snapshot-cleanup",
            "snapshot-delete",
            "backup",
            "backup-force-create",
            "filesystem-trim",
        ]
    ]
    """What is done."""
    cron: Required[str]
    """When, in the time zone of the cluster's controller manager (most often UTC)."""
    retain: int
    """How many snapshots or backups of a volume it keeps; 100 at most for all jobs of a
    volume."""
    concurrency: int
    """How many volumes it works on at once."""
    groups: Sequence[str]
    """Whose volumes it works on: groups of volumes. `default` holds only volumes that name
    no job and no group."""
    labels: Mapping[str, str]
    """Labels of the snapshots and backups that it makes."""


class StorageClass(TypedDict, total=False):
    """One StorageClass.

    What Kubernetes lets nobody change makes it a new class of the same name: new volumes
    get what is written now, volumes that exist keep what they were made with.
    """

    name: Required[str]
    """Its name."""
    replicas: int | None
    """Replicas of each volume; if not given, as in the class `longhorn`."""
    diskTags: Sequence[str]
    """Only disks with all of these tags."""
    nodeTags: Sequence[str]
    """Only nodes with all of these tags."""
    dataLocality: Literal["disabled", "best-effort", "strict-local"]
    """Whether a replica is kept on the node of the workload."""
    reclaimPolicy: Literal["Delete", "Retain"]
    """What happens to a volume when its claim is deleted."""
    bindingMode: Literal["Immediate", "WaitForFirstConsumer"]
    """Whether a volume is made with its claim, or with the first pod that uses it."""
    fileSystem: Literal["ext4", "xfs"]
    """File system of the volumes."""
    encrypted: bool
    """Whether volumes are encrypted with the secret longhornEncryptionKey."""
    nfsOptions: str | None
    """Mount options of volumes that several nodes share by NFS, with commas between
    them."""
    recurringJobs: Sequence[str]
    """Recurring jobs of the volumes, each one of longhorn.recurringJobs."""
    recurringJobGroups: Sequence[str]
    """Groups of recurring jobs that the volumes are in."""


class Monitoring(TypedDict, total=False):
    """Longhorn in a Prometheus that the Prometheus operator runs, and in Grafana."""

    labels: Mapping[str, str]
    """Labels by which that Prometheus finds what it is to read and its rules, such as
    `release: kube-prometheus-stack`."""
    alerts: bool
    """Whether there are alerts; their names and limits stand in docs/monitoring.md."""
    dashboard: bool
    """Whether there is a dashboard for Grafana, in a ConfigMap that its side-car finds."""
    dashboardLabels: Mapping[str, str]
    """Labels by which Grafana's side-car finds it."""
    dashboardNamespace: str
    """Namespace of that ConfigMap, where the side-car looks into one alone; it must be
    there."""


class Longhorn(TypedDict, total=False):
    """The Helm release of Longhorn."""

    version: str
    """Longhorn's version: 1.5.3 to 1.5.5 or 1.6.1 to 1.6.4; an upgrade goes one minor
    version at a time, never back."""
    chartRepository: str
    """Helm repository of the chart. A login in the address is readable in the state; where
    that is not wanted, download the chart and set chartPath."""
    chartPath: str | None
    """Folder or .tgz with the chart instead of a repository, for a network without
    Internet."""
    registry: str | None
    """Registry that holds Longhorn's images, such as registry.example.com:5000."""
    registrySecret: str | None
    """Name of a Secret in longhorn-system with the credentials of that registry."""
    registryUser: str | None
    """User of that registry; with the secret longhornRegistryPassword, Longhorn's chart
    makes registrySecret itself."""
    replicaCount: int | None
    """Replicas of each volume; if not given, the number of nodes with disks, at most 3."""
    defaultStorageClass: bool
    """Whether the class `longhorn` is the cluster's one default StorageClass, others none
    while the stack lives. K3s is kept from making its own the default again on nodes with
    controlPlane."""
    reclaimPolicy: Literal["Delete", "Retain"]
    """What happens to a volume when its claim is deleted."""
    kubeletRootDir: str
    """The kubelet's root directory."""
    timeoutSeconds: int
    """How long installing, upgrading and removing may take each; at least 900."""
    evictionTimeoutSeconds: int
    """How long moving replicas off a removed disk or node may take before `up` gives up for
    now."""
    tolerations: Sequence[Toleration]
    """Taints of nodes that Longhorn and the volume check run on all the same; control-plane
    taints are better given to controlPlane.scheduling. Longhorn takes a change only while
    all volumes are detached."""
    otherDisks: Literal["keep", "evict"]
    """What becomes of disks that Longhorn has on a node with disks and the stack file has
    not, such as /var/lib/longhorn on the root disk: with `evict` their replicas are moved
    away, and then they leave Longhorn. Never unmounted; disks of another stack stay."""
    lostVolumes: Sequence[str]
    """Volumes, by their names in Longhorn, whose last intact replica went with a disk that
    was replaced, and that may stay without one. By name, so that the word for one dead disk
    never speaks for the next; take it out once they are restored or deleted."""
    allowUninstall: bool
    """Whether Longhorn may be removed while it holds volumes, with all their data."""
    defaultSettings: LonghornDefault
    """Longhorn's own settings."""
    backup: Backup | None
    """Where backups go."""
    recurringJobs: Sequence[RecurringJob]
    """What Longhorn does to volumes again and again."""
    storageClasses: Sequence[StorageClass]
    """StorageClasses beside `longhorn`."""
    monitoring: Monitoring | None
    """Metrics, alerts and a dashboard; the cluster has a Prometheus operator already."""
    values: Mapping[str, Any]
    """Further values of the chart. Lists of tolerations are joined with the program's own;
    keys that the chart does not have are refused."""


class Frontend(TypedDict, total=False):
    """How Longhorn's user interface is reached. It has no login of its own."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "Ingress"]
    """ClusterIP keeps it inside the cluster (Rancher and kubectl port-forward still reach
    it)."""
    nodePort: int | None
    """The port on every node, for NodePort; Kubernetes chooses one if not given."""
    nodePortRange: str
    """The API server's --service-node-port-range."""
    sourceRanges: Sequence[str]
    """Networks that may reach a LoadBalancer at its address, such as 10.0.0.0/8."""
    host: str | None
    """Host name of the Ingress."""
    ingressClass: str | None
    """Ingress class, such as nginx."""
    ingressController: Literal["nginx", "traefik"] | None
    """Which controller serves that class, where its name does not say so. Only these two
    ask for the password in the secret frontendBasicAuth."""
    tlsSecret: str | None
    """Name of the TLS Secret in longhorn-system; with an issuer, cert-manager fills it."""
    clusterIssuer: str | None
    """cert-manager ClusterIssuer that makes the certificate."""
    annotations: Mapping[str, str]
    """Further annotations of the Service or Ingress."""


class VolumeCheck(TypedDict, total=False):
    """The proof that volumes work; by default as in the guide, with a small shared
    volume."""

    storageClass: str
    """StorageClass of the claim."""
    accessMode: Literal["ReadWriteOnce", "ReadWriteMany"]
    """Access mode of the claim; ReadWriteMany needs NFS on the nodes."""
    size: str
    """Size of the claim; Longhorn rounds it up to at least 10Mi."""
    image: str
    """Image with a POSIX shell, dd, df and sha256sum."""
    namespace: str
    """Namespace of the check's claim and Jobs."""
    timeoutSeconds: int
    """How long the check may take."""
    run: int
    """Change the number to run the check again."""
    restore: bool
    """Whether the check also backs its volume up, deletes it, restores it from the backup
    and compares what came back. Volume and backup are removed."""
    restoreEveryDays: int | None
    """A restore that was seen longer ago shows in previews, and the next `up` proves it
    again."""


class HostAlias(TypedDict, total=False):
    """One line of a hosts file."""

    ip: Required[str]
    """The address."""
    hostnames: Required[Sequence[str]]
    """The names that have this address."""


class RancherAgent(TypedDict, total=False):
    """Rancher's agent in the cluster, and its import manifest when a person gives it.

    The manifest's address is a secret (it holds the registration token):
    rancherManifestUrl. With url the cluster is imported into a Rancher that is there
    already; the API token for it is the secret rancherToken.
    """

    agentEnvironment: Mapping[str, str]
    """Environment variables for Rancher's agent, such as HTTPS_PROXY with NO_PROXY; no
    secrets, since they are plain text in the state, in Rancher and in the cluster. They are
    all that the cluster's agent environment in Rancher has then."""
    hostAliases: Sequence[HostAlias]
    """Entries for the hosts file of Rancher's agent, such as Rancher's own name."""
    timeoutSeconds: int
    """How long the agent may take to start."""


class Checks(TypedDict, total=False):
    """Reading the hosts and the cluster, in `pulumi preview` too. Nothing is ever changed
    by it."""

    readHosts: bool
    """Whether every host is read, Rancher's Docker host too, so that a preview shows what
    is no longer as it was."""
    timeoutSeconds: int
    """How long reading all hosts may take; a host that has not answered by then is
    named."""
    readCluster: bool
    """Whether the cluster is asked for what Longhorn and Rancher need of it, before all
    else."""
    survive: Literal["1 node"] | None
    """`1 node`: a preview warns when the loss of any one node would lose a volume, or leave
    one degraded for want of room on the others."""
    accept: Sequence[
        Literal[
            "kernelVersion",
            "kernelBug",
            "distribution",
            "packages",
            "initiator",
            "iscsid",
            "iscsiModule",
            "multipathd",
            "nfsKernelSupport",
            "nfsDefaultVersion",
            "mountPropagation",
            "hostnameUnique",
            "tools",
            "encryptionTools",
            "disk",
            "controlPlaneHealth",
            "kubernetesVersion",
            "globalPriorityClass",
            "coreDnsReplicas",
            "nodeName",
            "nodeReady",
            "nodeSystem",
            "wrongHost",
            "taints",
            "nodeSelector",
            "priorityClass",
            "unpreparedNode",
            "defaultStorageClass",
            "storageClass",
            "ingressClass",
            "referencedSecret",
            "replicaCount",
            "longhornLeftovers",
            "otherRancher",
            "frontendGuard",
            "loginShell",
            "sudoPassword",
            "selinux",
            "imageBased",
            "diskOnRoot",
            "engineBinaries",
            "diskKnown",
            "volumeHealth",
            "longhornVersion",
            "longhornNode",
            "longhornPods",
            "longhornDisk",
            "orphanedReplicas",
            "lostVolumes",
            "movedDisks",
            "maintenance",
            "capacity",
            "backupAge",
            "recurringJobs",
            "prometheusOperator",
            "prometheusSelector",
            "rancherCertificate",
            "rancherAgent",
            "rancherCleanUp",
            "volumeEngine",
            "rancherBackup",
        ]
    ]
    """Checks whose errors do not stop the program; they are named apart."""


class StorageSecrets(TypedDict, total=False):
    """Secrets of LonghornStorage. What opens the hosts is text, since they are read before
    any resource is made; all of it is secret in the state."""

    sshPrivateKey: str | None
    """The SSH private key itself, instead of ssh.privateKeyFile."""
    sshPrivateKeyPassphrase: str | None
    """Passphrase of the SSH private key."""
    sshPassword: str | None
    """Password of the SSH user."""
    sudoPassword: str | None
    """Password that sudo asks the SSH user for."""
    frontendBasicAuth: pulumi.Input[str] | None
    """htpasswd lines (user:hash) that guard Longhorn's Ingress, for ingress classes of
    nginx and Traefik."""
    longhornRegistryPassword: pulumi.Input[str] | None
    """Password for longhorn.registry, for the pull Secret that Longhorn's chart makes (see
    longhorn.registryUser)."""
    longhornBackupPassword: pulumi.Input[str] | None
    """What opens the backup target for longhorn.backup.user: secret key (s3), account key
    (azblob) or password (cifs)."""
    longhornEncryptionKey: pulumi.Input[str] | None
    """Passphrase of the volumes of encrypted StorageClasses. Keep a copy: without it their
    data is lost."""
