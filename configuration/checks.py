"""What the program looks at before it declares anything: the hosts themselves, and the cluster."""

from typing import Literal, get_args

from pydantic import Field

from configuration.base import Seconds, StackModel

CheckName = Literal[
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
"""Every check that `accept` may name."""
CHECK_NAMES: tuple[CheckName, ...] = get_args(CheckName)


class CheckSettings(StackModel):
    """Reading the hosts and the cluster, in `pulumi preview` too. Nothing is ever changed by it."""

    read_hosts: bool = True
    """Whether every host is read, Rancher's Docker host too, so that a preview shows what is no
    longer as it was."""
    timeout_seconds: Seconds = 30
    """How long reading all hosts may take; a host that has not answered by then is named."""
    read_cluster: bool = True
    """Whether the cluster is asked for what Longhorn and Rancher need of it, before all else."""
    survive: Literal["1 node"] | None = None
    """`1 node`: a preview warns when the loss of any one node would lose a volume, or leave one
    degraded for want of room on the others."""
    accept: tuple[CheckName, ...] = Field(default=(), strict=False)
    """Checks whose errors do not stop the program; they are named apart."""
