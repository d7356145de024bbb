"""The checks of one node: Longhorn 1.5.3's environment_check.sh and what later versions added.

Pure: facts in, results out. Longhorn's own script reports most of this and exits 0 all the same
(longhorn v1.5.3 and v1.5.5, scripts/environment_check.sh; longhornctl).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.hosts.facts import HostAnswer, HostFacts, Refusal
from components.nodes.distribution import family_of, missing_packages
from components.nodes.findings import refusal_parts, was_prepared
from components.preflight.report import CheckResult, Severity
from configuration.checks import CheckName
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings

_MINIMUM_KERNEL = (5, 8)
# First broken and first repaired version; RWX volumes fail to mount in between.
_BROKEN_KERNELS = (((5, 15, 0, 94), (5, 15, 0, 100)), ((6, 5, 6), (6, 5, 7)))
_NEEDED_TOOLS = ("bash", "findmnt", "grep", "awk", "blkid", "lsblk")
# Named by Longhorn's documentation, but nothing in 1.5.3 calls it on a running node.
_ADVISED_TOOLS = ("curl",)
_ENCRYPTION_TOOLS = ("cryptsetup", "dmsetup")


@dataclass(frozen=True, kw_only=True)
class NodeToCheck:
    """A node that was read, and what the stack wants of it."""

    name: str
    answer: HostAnswer
    disks: Sequence[DiskSettings]
    stages: StageSettings

    @property
    def facts(self) -> HostFacts:
        """What the host said about itself."""
        return self.answer.facts

    @property
    def is_for_longhorn(self) -> bool:
        """Whether the stack prepares the node; else only its control plane is looked at."""
        return self.stages.packages or self.stages.disks


_Found = Iterator[tuple[CheckName, Severity, str, str]]


def check_nodes(nodes: Sequence[NodeToCheck]) -> list[CheckResult]:
    """Everything that is not as Longhorn needs it, node by node."""
    results = [
        CheckResult(node=node.name, check=check, severity=severity, found=found, remedy=remedy)
        for node in nodes
        for one_check in (*(_CHECKS if node.is_for_longhorn else ()), _control_plane)
        for check, severity, found, remedy in one_check(node)
    ]
    return [*results, *_repeated_hostnames([node for node in nodes if node.is_for_longhorn])]


def _distribution(node: NodeToCheck) -> _Found:
    if family_of(node.facts) is None and node.stages.packages:
        yield (
            "distribution",
            "error",
            f"the distribution {node.facts.os.id or '(unnamed)'} is not of the Debian, RHEL or "
            "SUSE family",
            "Install the packages by hand and set stages.packages: false.",
        )


def _kernel(node: NodeToCheck) -> _Found:
    version = _version(node.facts.kernel)
    if version and version < _MINIMUM_KERNEL:
        yield (
            "kernelVersion",
            "warning",
            f"kernel {node.facts.kernel} is older than 5.8",
            "Upgrade the kernel.",
        )
    if any(broken <= version < repaired for broken, repaired in _BROKEN_KERNELS):
        yield (
            "kernelBug",
            "warning",
            f"kernel {node.facts.kernel} is known to break RWX volumes",
            "Upgrade to 5.15.0-100, 6.5.7 or later.",
        )


def _packages(node: NodeToCheck) -> _Found:
    """What the packages stage installs and starts is no error while that stage runs."""
    facts = node.facts
    missing = missing_packages(facts, [disk.file_system for disk in node.disks])
    by_hand = not node.stages.packages
    if missing and by_hand:
        yield (
            "packages",
            "error",
            f"not installed: {', '.join(missing)}",
            "Install them, or set stages.packages: true.",
        )
    if not facts.iscsiadm and (by_hand or not missing):
        yield (
            "initiator",
            "error",
            "`iscsiadm --version` fails, on which Longhorn's manager crashes",
            "Install the iSCSI initiator (open-iscsi or iscsi-initiator-utils) anew.",
        )
    if not facts.iscsid and by_hand:
        yield (
            "iscsid",
            "error",
            "neither iscsid.service nor iscsid.socket is active",
            "systemctl enable --now iscsid, or set stages.packages: true.",
        )


def _modules(node: NodeToCheck) -> _Found:
    if node.facts.modules.get("iscsi_tcp") == "missing":
        yield (
            "iscsiModule",
            "error",
            "this kernel has no module iscsi_tcp, without which no volume can be attached",
            "Install the kernel's extra modules (linux-modules-extra, kernel-modules-extra).",
        )
    absent = [tool for tool in _ENCRYPTION_TOOLS if not node.facts.tools.get(tool, True)]
    if node.facts.modules.get("dm_crypt") == "missing":
        absent.append("the module dm_crypt")
    if absent:
        yield (
            "encryptionTools",
            "warning",
            f"encrypted volumes will not work without {', '.join(absent)}",
            "Install cryptsetup and dmsetup if you want encrypted volumes.",
        )


def _multipathd(node: NodeToCheck) -> _Found:
    if node.facts.multipathd:
        yield (
            "multipathd",
            "warning",
            "multipathd runs, and may take Longhorn's devices before they are mounted",
            "Blacklist them in /etc/multipath.conf (devnode `^sd[a-z0-9]+`), or stop multipathd.",
        )


def _nfs(node: NodeToCheck) -> _Found:
    if node.facts.nfs4_loaded:
        pass  # whatever its configuration says, the kernel speaks it
    elif node.facts.nfs4_in_kernel == "n":
        yield (
            "nfsKernelSupport",
            "error",
            "this kernel has no NFS 4 client, so RWX volumes and NFS backups can't be mounted",
            "Use a kernel with CONFIG_NFS_V4.",
        )
    elif node.facts.nfs4_in_kernel is None:
        yield (
            "nfsKernelSupport",
            "warning",
            "nothing on the host tells whether its kernel has an NFS 4 client",
            "Look for CONFIG_NFS_V4 in the kernel's configuration if you want RWX volumes.",
        )
    version = node.facts.nfs_default_version
    if version is not None and not re.fullmatch(r"4(\.[0-9])?", version):
        yield (
            "nfsDefaultVersion",
            "warning",
            f"/etc/nfsmount.conf makes NFS {version} the default",
            "Set Defaultvers to 4, 4.1 or 4.2.",
        )


def _mount_propagation(node: NodeToCheck) -> _Found:
    if node.facts.mount_propagation in ("private", "slave"):
        yield (
            "mountPropagation",
            "error",
            f"the root mount is {node.facts.mount_propagation}, so volumes that Longhorn mounts "
            "would not reach pods",
            "mount --make-rshared / at boot, before the kubelet starts.",
        )


def _tools(node: NodeToCheck) -> _Found:
    levels: tuple[tuple[Severity, tuple[str, ...]], ...] = (
        ("error", _NEEDED_TOOLS),
        ("warning", _ADVISED_TOOLS),
    )
    for severity, names in levels:
        absent = [name for name in names if not node.facts.tools.get(name, True)]
        if absent:
            yield ("tools", severity, f"not there: {', '.join(absent)}", "Install them.")


def _disks(node: NodeToCheck) -> _Found:
    """The refusals of disk.sh. A disk that was fine before stops nobody but its own node."""
    if not node.stages.disks:
        return
    by_mount_point: Mapping[str, DiskSettings] = {disk.mount_point: disk for disk in node.disks}
    for found in node.facts.disks:
        disk = by_mount_point.get(found.mount_point)
        verdict = node.answer.verdicts.get(found.mount_point)
        if disk is not None and isinstance(verdict, Refusal):
            if verdict.lacks_a_command and node.stages.packages:
                continue  # the packages stage installs it before any disk is touched
            what, remedy = refusal_parts(verdict.message)
            severity: Severity = "warning" if was_prepared(found, disk) else "error"
            yield ("disk", severity, what, remedy)


def _control_plane(node: NodeToCheck) -> _Found:
    """The refusal of control-plane-health.sh, such as for Kubernetes 1.22 and later."""
    verdict = node.answer.control_plane
    if isinstance(verdict, Refusal):
        what, remedy = refusal_parts(verdict.message)
        yield ("controlPlaneHealth", "error", what, f"{remedy}.")


def _repeated_hostnames(nodes: Iterable[NodeToCheck]) -> Iterator[CheckResult]:
    by_hostname: dict[str, list[str]] = {}
    for node in nodes:
        by_hostname.setdefault(node.facts.hostname, []).append(node.name)
    for hostname, names in by_hostname.items():
        for name in names if len(names) > 1 else ():
            yield CheckResult(
                node=name,
                check="hostnameUnique",
                severity="error",
                found=f"several nodes call themselves {hostname}: {', '.join(names)}",
                remedy="Give each its own: hostnamectl set-hostname.",
            )


_CHECKS: Sequence[Callable[[NodeToCheck], _Found]] = (
    _distribution,
    _kernel,
    _packages,
    _modules,
    _multipathd,
    _nfs,
    _mount_propagation,
    _tools,
    _disks,
)


def _version(kernel: str) -> tuple[int, ...]:
    """The leading numbers of `uname -r`, such as (5, 15, 0, 94) for 5.15.0-94-generic."""
    match = re.match(r"[0-9]+(?:[.-][0-9]+)*", kernel)
    return tuple(int(part) for part in re.split(r"[.-]", match.group())) if match else ()
