"""Rules between the keys of a stack file: what no single value can break alone. Pure.

A rule takes the file and yields problems, keys without the project's name in front. It is written
as if every field were right; where one is not, found_by leaves the rule out. So each rule asks for
as little as it can, node by node and disk by disk (`knows`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from configuration.backup_rules import BACKUP_RULES
from configuration.frontend_rules import FRONTEND_RULES
from configuration.hosts import ENGINE_BINARIES, DiskSettings, NodeSettings
from configuration.longhorn_rules import LONGHORN_RULES
from configuration.partial import knows
from configuration.problems import Problem
from configuration.rancher_rules import RANCHER_RULES
from configuration.stack_file import StackFile
from configuration.storage_class_rules import STORAGE_CLASS_RULES

# An option as each mkfs takes it, and what those are.
_OF_MKFS = {
    "ext4": (
        r"(-[bCgGiIN] ?[0-9]+[kKmMgG]?|-m ?[0-9.]+|-[EJOT] ?[^ ]+)",
        "-b, -C, -g, -G, -i, -I, -m and -N with a number, and -E, -J, -O and -T",
    ),
    "xfs": (r"-[bdilmns] ?[a-z0-9_]+=[^ ]+", "-b, -d, -i, -l, -m, -n and -s with name=value"),
}
# Options of mount that the other file system's driver refuses (mount(8), ext4(5), xfs(5)).
_ONLY_MOUNTS = {
    "ext4": {"auto_da_alloc", "barrier", "commit", "data", "delalloc", "errors", "journal_checksum"}
    | {"nobarrier", "noauto_da_alloc", "nodelalloc", "stripe", "user_xattr", "acl", "noacl"},
    "xfs": {"allocsize", "filestreams", "ikeep", "inode32", "inode64", "largeio", "logbsize"}
    | {"logbufs", "noikeep", "nolargeio", "noalign", "nouuid", "sunit", "swalloc", "swidth"},
}
_OF_WHAT_IS_ON_IT = re.compile(r"/dev/disk/by-(uuid|label|partuuid|partlabel)/.*")
_PARTITION = re.compile(
    r"/dev/((s|v|xv|h)d[a-z]+[0-9]+|(nvme[0-9]+n|mmcblk)[0-9]+p[0-9]+|disk/by-.*-part[0-9]+)"
)
_EXECUTION = ("exec", "noexec")


def _repeated_names(file: StackFile) -> Iterator[Problem]:
    yield from _repeated(
        (
            (f"nodes[{i}].name", node.name)
            for i, node in enumerate(file.nodes)
            if knows(node, "name")
        ),
        "is the name of another node too",
        "Give each node one entry.",
    )


def _is_there(node: NodeSettings) -> bool:
    """Whether the node is not lost, as far as is known: its address and disks may live on."""
    return not (knows(node, "lost") and node.lost)


def _repeated_hosts(file: StackFile) -> Iterator[Problem]:
    default_port = file.ssh.port if knows(file.ssh, "port") else None
    yield from _repeated(
        (
            (f"nodes[{i}].host", f"{node.host}:{node.port or default_port}")
            for i, node in enumerate(file.nodes)
            if knows(node, "host", "port") and _is_there(node)
        ),
        "is the address of another node too",
        "Two nodes can't share a host: their disks would be prepared twice.",
    )


def _tags_without_disks(file: StackFile) -> Iterator[Problem]:
    for i, node in enumerate(file.nodes):
        if knows(node, "tags", "disks") and node.tags and not file.disks_of(node):
            yield Problem(
                f"nodes[{i}].tags",
                "are for a node that holds replicas, and this one has no disks",
                "Remove them, or give the node disks.",
            )


def _maintenance(file: StackFile) -> Iterator[Problem]:
    for i, node in enumerate(file.nodes):
        if not knows(node, "maintenance", "disks", "lost") or not node.maintenance:
            continue
        key = f"nodes[{i}].maintenance"
        if node.lost:
            yield Problem(
                key, "is for a host that comes back, and this one is `lost`", "Remove it."
            )
        elif not file.disks_of(node) or not file.stages.longhorn:
            yield Problem(
                key,
                "closes a node to replicas, and this program gives it none",
                "Remove it, and use kubectl drain alone.",
            )


def _default_disks(file: StackFile) -> Iterator[Problem]:
    yield from _disks(file, "nodeDefaults.disks", file.node_defaults.disks)


def _own_disks(file: StackFile) -> Iterator[Problem]:
    for i, node in enumerate(file.nodes):
        if knows(node, "disks") and node.disks is not None:
            yield from _disks(file, f"nodes[{i}].disks", node.disks)


def _disks(file: StackFile, key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    for check in (_disk_list, _mkfs_options, _engine_binaries, _mount_options):
        yield from check(key, disks)
    # Last, since the stages may be what is not well formed.
    if file.stages.disks:
        yield from _whole_disks(key, disks)


def _host_keys(file: StackFile) -> Iterator[Problem]:
    if file.ssh.insecure_ignore_host_keys:
        return
    for i, node in enumerate(file.nodes):
        if knows(node, "host_key") and node.host_key is None:
            name = f"node {node.name}" if knows(node, "name") else "the node"
            yield Problem(
                f"nodes[{i}].hostKey",
                f"{name} has no host key, so anybody at its address could take its place",
                "Read it on the node: cat /etc/ssh/ssh_host_ed25519_key.pub "
                "(or say ssh.insecureIgnoreHostKeys: true).",
            )


def _jump_host_key(file: StackFile) -> Iterator[Problem]:
    jump = file.ssh.jump_host
    if jump is not None and jump.host_key is None and not file.ssh.insecure_ignore_host_keys:
        yield Problem(
            "ssh.jumpHost.hostKey",
            "the jump host has no host key, so anybody at its address could take its place",
            "Read it on the jump host: cat /etc/ssh/ssh_host_ed25519_key.pub.",
        )


def _host_key_kinds(file: StackFile) -> Iterator[Problem]:
    """The command plugin asks for the kind that the line names, and that of RSA is SHA-1 then.

    pulumi-command 1.2.1, provider/pkg/provider/remote/connection.go (HostKeyAlgorithms). A Docker
    host is opened by ssh, which asks for other signatures of the same key.
    """
    jump = file.ssh.jump_host
    hosts = [
        *((f"nodes[{i}]", node) for i, node in enumerate(file.nodes)),
        *([("ssh.jumpHost", jump)] if jump is not None else []),
    ]
    for key, host in hosts:
        if knows(host, "host_key") and (host.host_key or "").startswith("ssh-rsa "):
            yield Problem(
                f"{key}.hostKey",
                "is of type ssh-rsa, which Pulumi's commands can only check by a signature with "
                "SHA-1, and hosts no longer give that",
                "Give its ed25519 or ecdsa line: ssh-keyscan -t ed25519,ecdsa HOST, or on the host "
                "itself: cat /etc/ssh/ssh_host_ed25519_key.pub.",
            )


def _repeated_adoptions(file: StackFile) -> Iterator[Problem]:
    """One file system is on one disk of one host."""
    for i, disk in enumerate(file.node_defaults.disks):
        users = [
            node
            for node in file.nodes
            if knows(node, "disks") and node.disks is None and _is_there(node)
        ]
        if knows(disk, "adopt_uuid") and disk.adopt_uuid is not None and len(users) > 1:
            yield Problem(
                f"nodeDefaults.disks[{i}].adoptUuid",
                f"would be looked for on {len(users)} nodes, and a file system is on one disk",
                "Write the disks of these nodes under nodes[].disks, each with its own UUID.",
                disk.adopt_uuid,
            )
    yield from _repeated(
        (
            (f"nodes[{i}].disks[{j}].adoptUuid", disk.adopt_uuid)
            for i, node in enumerate(file.nodes)
            for j, disk in enumerate(_known_disks(node) if _is_there(node) else ())
            if knows(disk, "adopt_uuid") and disk.adopt_uuid is not None
        ),
        "is the UUID of another disk too",
        "Read each disk's own: blkid -s UUID -o value DEVICE.",
    )


def _known_disks(node: NodeSettings) -> Sequence[DiskSettings]:
    return node.disks or () if knows(node, "disks") else ()


def _disk_list(key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    yield from _repeated(
        (
            (f"{key}[{i}].device", disk.device)
            for i, disk in enumerate(disks)
            if knows(disk, "device")
        ),
        "is listed twice for the same node",
        "List each disk once.",
    )
    mounted = [(i, disk) for i, disk in enumerate(disks) if knows(disk, "mount_point")]
    yield from _repeated(
        ((f"{key}[{i}].mountPoint", disk.key) for i, disk in mounted),
        "is the mount point of another disk of the same node too (/ counts as -)",
        "Give each disk a mount point of its own.",
    )
    for i, disk in mounted:
        for _, other in mounted:
            outer, inner = PurePosixPath(other.mount_point), PurePosixPath(disk.mount_point)
            if outer != inner and outer in inner.parents:
                yield Problem(
                    f"{key}[{i}].mountPoint",
                    f"lies inside {other.mount_point}, the mount point of another disk",
                    "Mount each disk beside the others.",
                    disk.mount_point,
                )


def _mkfs_options(key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    """What the other file system's mkfs takes would fail after the first disks are formatted."""
    for i, disk in enumerate(disks):
        if not knows(disk, "mkfs_options", "file_system") or disk.mkfs_options is None:
            continue
        option, letters = _OF_MKFS[disk.file_system]
        if not re.fullmatch(f"{option}( {option})*", disk.mkfs_options):
            yield Problem(
                f"{key}[{i}].mkfsOptions",
                f"has an option that mkfs.{disk.file_system} does not take in this form",
                f"It takes {letters}.",
                disk.mkfs_options,
            )


def _whole_disks(key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    """What the disk's script would refuse by its name alone. A disk mounted by hand may be any."""
    for i, disk in enumerate(disks):
        if not knows(disk, "device", "adopt_uuid"):
            continue
        if _PARTITION.fullmatch(disk.device):
            yield Problem(
                f"{key}[{i}].device",
                "is a partition, and only whole disks can be prepared",
                "Name a whole disk, or mount the partition yourself by a line in /etc/fstab and "
                "set stages.disks: false, which is for a stack that has prepared no disks yet.",
                disk.device,
            )
        elif disk.adopt_uuid is None and _OF_WHAT_IS_ON_IT.fullmatch(disk.device):
            yield Problem(
                f"{key}[{i}].device",
                "is a name of what is on a disk, which formatting changes",
                "Name the disk itself, best by its link below /dev/disk/by-id; for a file system "
                "that is to be used as it is, give adoptUuid, too.",
                disk.device,
            )


def _mount_options(key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    """What another file system's mount takes would fail after the disk is formatted."""
    for i, disk in enumerate(disks):
        if not knows(disk, "mount_options", "file_system") or disk.mount_options is None:
            continue
        names = {option.partition("=")[0] for option in disk.mount_options.split(",")}
        for other, only in _ONLY_MOUNTS.items():
            if other != disk.file_system and names & only:
                yield Problem(
                    f"{key}[{i}].mountOptions",
                    f"has {', '.join(sorted(names & only))}, which {other} knows and "
                    f"{disk.file_system} does not",
                    "Leave it out.",
                    disk.mount_options,
                )


def _engine_binaries(key: str, disks: Sequence[DiskSettings]) -> Iterator[Problem]:
    """Longhorn starts its engines from a folder of the host, whatever its disks are."""
    engines = PurePosixPath(ENGINE_BINARIES)
    for i, disk in enumerate(disks):
        if not knows(disk, "mount_point", "mount_options") or not disk.mount_options:
            continue
        folder = PurePosixPath(disk.mount_point)
        said = [option for option in disk.mount_options.split(",") if option in _EXECUTION]
        # As mount has it: the last of them counts.
        if said[-1:] == ["noexec"] and folder in (engines, *engines.parents):
            yield Problem(
                f"{key}[{i}].mountOptions",
                f"has noexec, and Longhorn runs its engines from {ENGINE_BINARIES}, which would "
                "lie on this disk",
                "Leave noexec out, or give the disk another mount point, such as "
                "/mnt/longhorn-sdb.",
                disk.mount_options,
            )


def _same_resource_names(file: StackFile) -> Iterator[Problem]:
    """Disks of different nodes whose resources would have one name, such as a-b + c and a + b-c."""
    first: dict[str, tuple[str, str]] = {}
    defaults = file.node_defaults.disks if knows(file.node_defaults, "disks") else ()
    for n, node in enumerate(file.nodes):
        if not knows(node, "name", "disks"):
            continue
        for i, disk in enumerate(defaults if node.disks is None else node.disks):
            if not knows(disk, "mount_point"):
                continue
            name, key = f"{node.name}-{disk.key}", f"nodes[{n}].disks[{i}].mountPoint"
            other_node, other_key = first.setdefault(name, (node.name, key))
            if other_node != node.name:
                yield Problem(
                    key,
                    f"has, with its node's name, the same resource name as {other_key}",
                    "Choose another mount point.",
                    disk.mount_point,
                )


def _no_nodes(file: StackFile) -> Iterator[Problem]:
    if (file.works_on_hosts or file.stages.labels) and not file.nodes:
        yield Problem("nodes", "lists no node", "List every node of the cluster.")


def _no_control_plane(file: StackFile) -> Iterator[Problem]:
    if not file.stages.control_plane_health or not file.nodes:
        return
    # A node whose own controlPlane is neither true nor false may be the one.
    if not any(not knows(node, "control_plane") or node.control_plane for node in file.nodes):
        yield Problem(
            "stages.controlPlaneHealth",
            "is on, and no node has controlPlane: true",
            "Mark the control-plane nodes with controlPlane: true, or set "
            "stages.controlPlaneHealth: false.",
        )


def _no_credentials(file: StackFile) -> Iterator[Problem]:
    if file.works_on_hosts and file.nodes and not file.opens_hosts:
        yield Problem(
            "ssh",
            "says nothing that opens the hosts",
            "Set ssh.privateKeyFile, ssh.useAgent: true, or one of the secrets sshPrivateKey "
            "and sshPassword.",
        )


def _no_rancher(file: StackFile) -> Iterator[Problem]:
    if file.stages.rancher and file.rancher is None:
        yield Problem("rancher", "is required", "Add rancher.url, or set stages.rancher: false.")


def _no_manifest(file: StackFile) -> Iterator[Problem]:
    stages = file.stages
    if not stages.rancher_import or stages.rancher or file.has_given_manifest:
        return
    if file.rancher_import.url is None:
        yield Problem(
            "stages.rancherImport",
            "needs a Rancher server of this stack or one that is there already, or an import "
            "manifest",
            "Set stages.rancher: true, or rancherImport.url with the secret rancherToken, or "
            "rancherImport.manifestFile, or the secret rancherManifestUrl: pulumi config set "
            "--secret rancherManifestUrl.",
        )


def _repeated(values: Iterable[tuple[str, str]], text: str, remedy: str) -> Iterator[Problem]:
    """The values that stand in more than one place, each with the key of its place."""
    first_key: dict[str, str] = {}
    for key, value in values:
        if value in first_key:
            yield Problem(key, f"{text} (see {first_key[value]})", remedy, value)
        first_key.setdefault(value, key)


RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _repeated_names,
    _repeated_hosts,
    _tags_without_disks,
    _maintenance,
    _default_disks,
    _own_disks,
    _host_keys,
    _jump_host_key,
    _host_key_kinds,
    _repeated_adoptions,
    _same_resource_names,
    _no_nodes,
    _no_control_plane,
    _no_credentials,
    _no_rancher,
    _no_manifest,
    *LONGHORN_RULES,
    *BACKUP_RULES,
    *STORAGE_CLASS_RULES,
    *FRONTEND_RULES,
    *RANCHER_RULES,
)
