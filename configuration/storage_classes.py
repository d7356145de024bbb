"""StorageClasses beside Longhorn's own."""

from typing import Literal

from pydantic import Field

from configuration.base import DnsLabel, ObjectName, StackModel, Tag

OWN_CLASSES = frozenset({"longhorn", "longhorn-static"})
"""The classes that Longhorn makes itself."""


class StorageClassSettings(StackModel):
    """One StorageClass.

    What Kubernetes lets nobody change makes it a new class of the same name: new volumes get what
    is written now, volumes that exist keep what they were made with.
    """

    name: ObjectName
    """Its name."""
    replicas: int | None = Field(default=None, ge=1, le=20)
    """Replicas of each volume; if not given, as in the class `longhorn`."""
    disk_tags: tuple[Tag, ...] = Field(default=(), strict=False)
    """Only disks with all of these tags."""
    node_tags: tuple[Tag, ...] = Field(default=(), strict=False)
    """Only nodes with all of these tags."""
    data_locality: Literal["disabled", "best-effort", "strict-local"] = "disabled"
    """Whether a replica is kept on the node of the workload."""
    reclaim_policy: Literal["Delete", "Retain"] = "Delete"
    """What happens to a volume when its claim is deleted."""
    binding_mode: Literal["Immediate", "WaitForFirstConsumer"] = "Immediate"
    """Whether a volume is made with its claim, or with the first pod that uses it."""
    file_system: Literal["ext4", "xfs"] = "ext4"
    """File system of the volumes."""
    encrypted: bool = False
    """Whether volumes are encrypted with the secret longhornEncryptionKey."""
    nfs_options: str | None = Field(default=None, min_length=1)
    """Mount options of volumes that several nodes share by NFS, with commas between them."""
    recurring_jobs: tuple[DnsLabel, ...] = Field(default=(), strict=False)
    """Recurring jobs of the volumes, each one of longhorn.recurringJobs."""
    recurring_job_groups: tuple[DnsLabel, ...] = Field(default=(), strict=False)
    """Groups of recurring jobs that the volumes are in."""
