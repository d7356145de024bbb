"""The nodes of the cluster, their disks, and how they are reached over SSH."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from configuration.base import (
    AbsolutePath,
    FileSystemUuid,
    Host,
    HostKey,
    NodeName,
    Port,
    Quantity,
    Seconds,
    StackModel,
    Tag,
    User,
    form,
)
from configuration.problems import rule

# A disk mounted on one of these, or a Longhorn disk inside one, would take the system's own place.
_SYSTEM_PATHS = ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root")
_SYSTEM_PATHS += ("/run", "/sbin", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/mnt")  # noqa: S108
_SYSTEM_PATHS += ("/var/lib/kubelet", "/var/lib/rancher", "/var/lib/etcd", "/var/lib/containerd")
# The last is where the scripts keep their records.
_SYSTEM_PATHS += ("/var/log", "/var/tmp", "/usr/local", "/var/lib/longhorn-rancher")  # noqa: S108
_SYSTEM_PATHS += ("/opt", "/var/lib/docker", "/var/lib/containers", "/var/run")
# Nothing of Longhorn's belongs anywhere inside these.
_SYSTEM_TREES = ("/bin/", "/boot/", "/etc/", "/lib/", "/lib64/", "/sbin/", "/usr/", "/var/run/")
_SYSTEM_TREES += tuple(
    f"/var/lib/{name}/" for name in ("kubelet", "rancher", "etcd", "containerd", "docker")
)
ENGINE_BINARIES = "/var/lib/longhorn/engine-binaries"
"""Where Longhorn puts its engines on a host (longhorn-manager v1.5.3, types/types.go,
EngineBinaryDirectoryOnHost)."""
_PASSING = ("/dev/", "/proc/", "/sys/", "/run/", "/tmp/")  # noqa: S108
# The same characters as nodes/scripts/disk-look.sh allows: more would need quoting in /etc/fstab.
_MOUNT_POINT = re.compile(r"[A-Za-z0-9._@+/-]+")

_MOUNT_OPTIONS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=,:+-]*")
_UNFIT_MOUNT_OPTIONS = {"ro", "noauto", "user", "users", "bind", "rbind", "remount"}
_UNFIT_MOUNT_OPTIONS |= {"loop", "noload", "norecovery", "x-systemd.automount", "fail"}
_PATTERN = re.compile(r"[*?]|\[.+\]|\{.*,.*\}")
_LINK_FOLDERS = re.compile(r"/dev/(disk|mapper)(/by-[a-z]+)?")
# Never a force, a label or a path: an option letter with its value, again and again.
_MKFS_OPTION = r"-[bCEgGiIjmNOTdlns] ?(?!offset)[A-Za-z0-9^](?:(?!offset)[A-Za-z0-9^._=,:-])*"
_MKFS_OPTIONS = re.compile(f"{_MKFS_OPTION}(?: {_MKFS_OPTION})*")


def _below_dev(value: str) -> str:
    if not value.startswith("/dev/"):
        raise rule("must be a path below /dev", "For example /dev/sdb.")
    if _PATTERN.search(value):
        raise rule("is a pattern, and names no single disk", "Write one entry for each disk.")
    if _LINK_FOLDERS.fullmatch(value):
        raise rule("is a folder of links", "Name one of the disks in it (ls -l DEVICE).")
    return value


class JumpHostSettings(StackModel):
    """The host through which every node is reached."""

    host: Host
    """Name or address of the jump host."""
    host_key: HostKey | None = None
    """Its SSH host key; required unless ssh.insecureIgnoreHostKeys is true."""
    user: User | None = None
    """User on the jump host; ssh.user if not given."""
    port: Port = 22
    """Its SSH port."""


class SshSettings(StackModel):
    """How hosts are reached. The key or password itself is a secret of its own."""

    user: User = "root"
    """User on the hosts; one other than root needs sudo."""
    port: Port = 22
    """SSH port of the hosts."""
    private_key_file: str | None = None
    """File with the private key on this machine; ~ is your home directory."""
    use_agent: bool = False
    """Take keys from the SSH agent at $SSH_AUTH_SOCK."""
    jump_host: JumpHostSettings | None = None
    """The host through which the nodes are reached."""
    connect_timeout_seconds: Seconds = 15
    """How long one attempt to connect may take."""
    connect_attempts: int = Field(default=5, ge=1, le=100)
    """How often connecting is tried before the host counts as unreachable."""
    insecure_ignore_host_keys: bool = False
    """Accept any host key: whoever answers at the address gets root's commands and passwords."""


class DiskSettings(StackModel):
    """One blank disk of a node that is to hold Longhorn's replicas."""

    device: Annotated[AbsolutePath, form("path below /dev", _below_dev, "/dev/.*")]
    """The whole disk: /dev/sdb, or better a stable /dev/disk/by-id/… path."""
    mount_point: AbsolutePath
    """Where the disk is mounted; also the path of the disk in Longhorn."""
    file_system: Literal["ext4", "xfs"] = "ext4"
    """File system made on a blank disk."""
    mount_options: str | None = None
    """Mount options as in /etc/fstab, such as noatime,discard; nofail is added. "defaults" if not
    given."""
    mkfs_options: str | None = None
    """More options for mkfs.ext4 or mkfs.xfs, such as -m 1; used once, on a blank disk."""
    adopt_uuid: FileSystemUuid | None = None
    """UUID of an existing file system, made by somebody else, to use as it is."""
    allow_scheduling: bool = True
    """Whether Longhorn may put replicas on the disk."""
    storage_reserved: Quantity = "0"
    """Space that Longhorn leaves free on the disk, such as 10Gi."""
    tags: tuple[Tag, ...] = Field(default=(), strict=False)
    """Longhorn disk tags, which a StorageClass may select by."""

    @field_validator("mount_point")
    @classmethod
    def _own_directory(cls, value: str) -> str:
        if value in _SYSTEM_PATHS or value.startswith(_PASSING + _SYSTEM_TREES):
            raise rule(
                "must be a directory of the disk's own, not one of the system's",
                "For example /mnt/longhorn-sdb.",
            )
        if _MOUNT_POINT.fullmatch(value) is None:
            raise rule(
                "has a character that a mount point can't have here",
                "Use letters, digits and . _ @ + - between the slashes.",
            )
        return value

    @field_validator("mount_options")
    @classmethod
    def _mountable(cls, value: str | None) -> str | None:
        if value is not None and not _MOUNT_OPTIONS.fullmatch(value):
            raise rule(
                "must be options as /etc/fstab has them, with commas between",
                "For example noatime,discard.",
            )
        unfit = sorted(_UNFIT_MOUNT_OPTIONS & set((value or "").lower().split(",")))
        if unfit:
            raise rule(
                f"has {', '.join(unfit)}, with which Longhorn could not use the disk",
                "Leave it out.",
            )
        return value

    @field_validator("mkfs_options")
    @classmethod
    def _harmless(cls, value: str | None) -> str | None:
        if value is not None and not _MKFS_OPTIONS.fullmatch(value):
            raise rule(
                "may only have options about the form of the file system, each with its value",
                "For example -m 1 or -E lazy_itable_init=0 for ext4, -m crc=1 for xfs.",
            )
        return value

    @property
    def key(self) -> str:
        """The disk's name within its node, for as long as the disk lives."""
        return self.mount_point.strip("/").replace("/", "-")


class NodeDefaults(StackModel):
    """What holds for every node that does not say otherwise."""

    disks: tuple[DiskSettings, ...] = Field(default=(), strict=False)
    """The disks of a node that lists none of its own."""


class NodeSettings(StackModel):
    """One node of the cluster. Every node needs the packages, also one without disks."""

    name: NodeName
    """The node's name in Kubernetes."""
    host: Host
    """Address or name under which SSH reaches it."""
    host_key: HostKey | None = None
    """Its SSH host key; required unless ssh.insecureIgnoreHostKeys is true."""
    user: User | None = None
    """User on this host; ssh.user if not given."""
    port: Port | None = None
    """SSH port of this host; ssh.port if not given."""
    control_plane: bool = False
    """Whether it is a control-plane node (see controlPlane), on K3s a server."""
    disks: tuple[DiskSettings, ...] | None = Field(default=None, strict=False)
    """Its disks; nodeDefaults.disks if not given, none with []."""
    tags: tuple[Tag, ...] = Field(default=(), strict=False)
    """Longhorn node tags, which a StorageClass may select by."""
    packages: bool = True
    """Whether the packages stage runs on this node; false where you install them yourself, as on an
    image-based system."""
    maintenance: Literal["cordon"] | bool = False
    """Whether the host is to go down for a while: closed to replicas in Longhorn, and with `cordon`
    to pods; `up` waits until no volume needs it. Without the line again, `up` opens it and waits
    until every attached volume is healthy."""
    lost: bool = False
    """Whether the host is gone for good: nothing is read from it or run on it any more."""

    @property
    def maintained(self) -> Literal["closed", "cordon"] | None:
        """How the node is closed; None while it is in use."""
        return ("closed" if self.maintenance is True else self.maintenance) or None
