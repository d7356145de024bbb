"""Rules between the keys of a stack file: what no single value can break alone. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Generic, TypeVar, cast

from configuration.hosts import DiskSettings, NodeDefaults, NodeSettings, SshSettings
from configuration.problems import Problem
from configuration.stages import StageSettings

T = TypeVar("T")


@dataclass(frozen=True)
class Placed(Generic[T]):
    """A value and the key under which it stands in the file."""

    key: str
    value: T


def repeated_nodes(entries: Iterable[object], key: str, *, default_port: int) -> Iterator[Problem]:
    """Nodes that share a name or an address; looks at entries that have other mistakes too."""
    maps = [(i, cast(Mapping[str, object], e)) for i, e in enumerate(entries) if _is_map(e)]
    yield from _repeated(
        (Placed(f"{key}[{i}].name", str(entry["name"])) for i, entry in maps if "name" in entry),
        "is the name of another node too",
        "Give each node one entry.",
    )
    yield from _repeated(
        (
            Placed(f"{key}[{i}].host", f"{entry['host']}:{entry.get('port') or default_port}")
            for i, entry in maps
            if "host" in entry
        ),
        "is the address of another node too",
        "Two nodes can't share a host: their disks would be prepared twice.",
    )


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


def node_problems(
    nodes: Iterable[Placed[NodeSettings]],
    defaults: NodeDefaults,
    ssh: SshSettings,
    prefix: str,
) -> Iterator[Problem]:
    """What the list of nodes as a whole may not contain."""
    nodes = list(nodes)
    yield from _disk_list_problems(f"{prefix}nodeDefaults.disks", defaults.disks)
    for node in nodes:
        if node.value.disks is not None:
            yield from _disk_list_problems(f"{node.key}.disks", node.value.disks)
        if node.value.host_key is None and not ssh.insecure_ignore_host_keys:
            yield Problem(
                f"{node.key}.hostKey",
                f"node {node.value.name} has no host key, so anybody at its address could "
                "take its place",
                "Read it on the node: cat /etc/ssh/ssh_host_ed25519_key.pub "
                "(or say ssh.insecureIgnoreHostKeys: true).",
            )
    yield from _same_resource_names(nodes, defaults)
    jump = ssh.jump_host
    if jump is not None and jump.host_key is None and not ssh.insecure_ignore_host_keys:
        yield Problem(
            f"{prefix}ssh.jumpHost.hostKey",
            "the jump host has no host key, so anybody at its address could take its place",
            "Read it on the jump host: cat /etc/ssh/ssh_host_ed25519_key.pub.",
        )


def _disk_list_problems(key: str, disks: Iterable[DiskSettings]) -> Iterator[Problem]:
    disks = list(disks)
    yield from _repeated(
        (Placed(f"{key}[{i}].device", disk.device) for i, disk in enumerate(disks)),
        "is listed twice for the same node",
        "List each disk once.",
    )
    yield from _repeated(
        (Placed(f"{key}[{i}].mountPoint", disk.key) for i, disk in enumerate(disks)),
        "is the mount point of another disk of the same node too (/ counts as -)",
        "Give each disk a mount point of its own.",
    )
    for i, disk in enumerate(disks):
        for other in disks:
            outer, inner = PurePosixPath(other.mount_point), PurePosixPath(disk.mount_point)
            if outer != inner and outer in inner.parents:
                yield Problem(
                    f"{key}[{i}].mountPoint",
                    f"lies inside {other.mount_point}, the mount point of another disk",
                    "Mount each disk beside the others.",
                    disk.mount_point,
                    shows_value=True,
                )


def _same_resource_names(
    nodes: Iterable[Placed[NodeSettings]], defaults: NodeDefaults
) -> Iterator[Problem]:
    """Disks of different nodes whose resources would have one name, such as a-b + c and a + b-c."""
    first: dict[str, tuple[str, str]] = {}
    for node in nodes:
        disks = defaults.disks if node.value.disks is None else node.value.disks
        for i, disk in enumerate(disks):
            name, key = f"{node.value.name}-{disk.key}", f"{node.key}.disks[{i}].mountPoint"
            other_node, other_key = first.setdefault(name, (node.value.name, key))
            if other_node != node.value.name:
                yield Problem(
                    key,
                    f"has, with its node's name, the same resource name as {other_key}",
                    "Choose another mount point.",
                    disk.mount_point,
                    shows_value=True,
                )


def stage_problems(
    stages: StageSettings,
    *,
    has_nodes: bool,
    has_control_plane: bool,
    has_credentials: bool,
    has_rancher: bool,
    has_manifest: bool,
    prefix: str,
) -> Iterator[Problem]:
    """What a stage needs from the rest of the file."""
    on_hosts = stages.packages or stages.disks or stages.control_plane_health
    if (on_hosts or stages.labels) and not has_nodes:
        yield Problem(f"{prefix}nodes", "lists no node", "List every node of the cluster.")
    if stages.control_plane_health and has_nodes and not has_control_plane:
        yield Problem(
            f"{prefix}stages.controlPlaneHealth",
            "is on, and no node has controlPlane: true",
            "Mark the control-plane nodes with controlPlane: true, or set "
            "stages.controlPlaneHealth: false.",
        )
    if on_hosts and has_nodes and not has_credentials:
        yield Problem(
            f"{prefix}ssh",
            "says nothing that opens the hosts",
            "Set ssh.privateKeyFile, ssh.useAgent: true, or one of the secrets sshPrivateKey "
            "and sshPassword.",
        )
    if stages.rancher and not has_rancher:
        yield Problem(
            f"{prefix}rancher", "is required", "Add rancher.url, or set stages.rancher: false."
        )
    if stages.rancher_import and not has_manifest and not stages.rancher:
        yield Problem(
            f"{prefix}stages.rancherImport",
            "needs a Rancher server of this stack, or an import manifest",
            "Set stages.rancher: true, or rancherImport.manifestFile, or the secret "
            "rancherManifestUrl: pulumi config set --secret rancherManifestUrl.",
        )


def _repeated(values: Iterable[Placed[str]], text: str, remedy: str) -> Iterator[Problem]:
    first_key: dict[str, str] = {}
    for placed in values:
        if placed.value in first_key:
            yield Problem(
                placed.key,
                f"{text} (see {first_key[placed.value]})",
                remedy,
                placed.value,
                shows_value=True,
            )
        first_key.setdefault(placed.value, placed.key)
