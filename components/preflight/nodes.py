"""The checks of one node: Longhorn 1.5.3's environment_check.sh and what later versions added.

Pure: facts in, results out. Longhorn's own script reports most of this and exits 0 all the same
(longhorn v1.5.3 and v1.5.5, scripts/environment_check.sh; longhornctl).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.hosts.facts import HostAnswer, HostFacts, Refusal
from components.nodes.distribution import family_of, missing_packages
from components.nodes.findings import was_prepared
from components.nodes.moves import mounted_by, mounted_elsewhere
from components.nodes.verdicts import CONTROL_PLANE, Verdict
from components.preflight.report import CheckResult, Severity
from configuration.checks import CheckName
from configuration.hosts import ENGINE_BINARIES, DiskSettings
from configuration.stages import StageSettings

_MINIMUM_KERNEL = (5, 8)
# First broken and first repaired version; RWX volumes fail to mount in between.
_BROKEN_KERNELS = (((5, 15, 0, 94), (5, 15, 0, 100)), ((6, 5, 6), (6, 5, 7)))
_NEEDED_TOOLS = ("bash", "findmnt", "grep", "awk", "blkid", "lsblk")
# Named by Longhorn's documentation, but nothing in 1.5.3 calls it on a running node.
_ADVISED_TOOLS = ("curl",)
# longhorn/longhorn#5627: with later ones iscsid needs dac_override, which older policies deny it.
_LAST_GOOD_CONTAINER_SELINUX = (2, 189, 0)
_SELINUX_REMEDY = (
    "Upgrade iscsi-initiator-utils. If `ausearch -m AVC` still shows denials of iscsid_t, allow "
    "it: echo '(allow iscsid_t self (capability (dac_override)))' > longhorn.cil && semodule -i "
    "longhorn.cil."
)
_IMAGE_REMEDIES: Mapping[str, str] = {
    "rpm-ostree": "On the node: rpm-ostree install {packages} && systemctl reboot.",
    "bootc": "Build them into its image (dnf install {packages}), then bootc upgrade and reboot.",
    "transactional-update": "On the node: transactional-update pkg install {packages} && reboot.",
    "image": "Its /usr is read-only: put {packages} into the image that it starts from.",
}
_ENGINE_FOLDERS = ("/var/lib/longhorn", ENGINE_BINARIES)
_ENCRYPTION_TOOLS = ("cryptsetup", "dmsetup")


@dataclass(frozen=True, kw_only=True)
class NodeToCheck:
    """A node that was read, and what the stack wants of it."""

    name: str
    answer: HostAnswer
    disks: Sequence[DiskSettings]
    stages: StageSettings
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where disks that a run moves are mounted now, by their new mount points."""

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
        for one_check in (
            *(_CHECKS if node.is_for_longhorn else ()),
            _disks_by_hand,
            _control_plane,
        )
        for check, severity, found, remedy in one_check(node)
    ]
    prepared = [node for node in nodes if node.is_for_longhorn]
    return [*results, *_repeated_hostnames(prepared)]


def check_login_shell(name: str, user: str) -> CheckResult:
    """A host that let the stack's user in and then ran nothing: a run would do nothing too."""
    return CheckResult(
        node=name,
        check="loginShell",
        severity="error",
        found=f"{user} can log in, but nothing runs there and nothing is printed",
        remedy=f"Give {user} a login shell that runs commands: chsh -s /bin/sh {user}.",
    )


def check_sudo_password(name: str, user: str, *, is_given: bool) -> CheckResult:
    """A host whose sudo takes no password of the stack's: no command of a run would work there.

    Args:
        name: The node.
        user: Who logs in.
        is_given: Whether the stack has a password for sudo.
    """
    given = "the secret sudoPassword is not the password of" if is_given else "sudo wants that of"
    return CheckResult(
        node=name,
        check="sudoPassword",
        severity="error",
        found=f"{given} {user} there",
        remedy="Set it: pulumi config set --secret longhorn-rancher:sudoPassword. Or let sudo not "
        f"ask: a line `{user} ALL=(ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d. Each wrong try "
        "counts, and many hosts lock an account after three.",
    )


def _distribution(node: NodeToCheck) -> _Found:
    if family_of(node.facts) is None and node.stages.packages:
        yield (
            "distribution",
            "error",
            f"the distribution {node.facts.os.id or '(unnamed)'} is not of the Debian, RHEL or "
            "SUSE family",
            "Install the packages by hand and set packages: false for the node.",
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
    manager = facts.image_manager
    if missing and manager and not by_hand:
        yield (
            "imageBased",
            "error",
            f"not installed: {', '.join(missing)}, and its /usr is part of an image",
            _IMAGE_REMEDIES[manager].format(packages=" ".join(missing)),
        )
    if missing and by_hand:
        yield (
            "packages",
            "error",
            f"not installed: {', '.join(missing)}",
            "Install them, or let the packages stage do it (packages: true).",
        )
    if not facts.iscsiadm and (by_hand or not missing):
        yield (
            "initiator",
            "error",
            "`iscsiadm --version` fails, on which Longhorn's manager crashes",
            "Install the iSCSI initiator (open-iscsi or iscsi-initiator-utils) again.",
        )
    if not facts.iscsid and by_hand:
        yield (
            "iscsid",
            "error",
            "neither iscsid.service nor iscsid.socket is active",
            "systemctl enable --now iscsid, or let the packages stage do it (packages: true).",
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
    """The refusals of the disk's script. One that was fine before stops only its node.

    What the stack file asks for, as another file system on a disk in use, is never a fault there.
    """
    if not node.stages.disks:
        return
    by_mount_point: Mapping[str, DiskSettings] = {disk.mount_point: disk for disk in node.disks}
    for found in node.facts.disks:
        disk = by_mount_point.get(found.mount_point)
        verdict = node.answer.verdicts.get(found.mount_point)
        if disk is not None and isinstance(verdict, Refusal):
            if verdict.missing_command and node.stages.packages:
                continue  # the packages stage installs it before any disk is touched
            is_fault = was_prepared(found, disk) and not verdict.is_asked
            severity: Severity = "warning" if is_fault else "error"
            yield ("disk", severity, verdict.found, verdict.remedy)


def _moved_disks(node: NodeToCheck) -> _Found:
    """A disk that this program has mounted elsewhere: one run moves it, or the way is told."""
    for path, former in mounted_elsewhere(node.answer).items():
        if path in node.moved:
            yield (
                "disk",
                "warning",
                f"the disk for {path} is mounted on {former}",
                "The next run has Longhorn move its replicas to other disks, unmounts it there, "
                f"and gives it back to Longhorn on {path}.",
            )
        else:
            by = mounted_by(node.answer, path)
            yield (
                "disk",
                "error",
                f"the disk for {path} is mounted on {former} by {by}",
                "Take it out of the stack file that names it there and run `pulumi up`, then add "
                "it with its new mount point and run `pulumi up` again. To exchange mount points, "
                "take out all the disks concerned first. Its data stays.",
            )
    for path, verdict in node.answer.verdicts.items():
        if isinstance(verdict, Verdict) and verdict.exchanged:
            yield (
                "disk",
                "warning",
                f"the disk for {path} is now {verdict.exchanged}, and the named one is another "
                "mount point's; each stays where it is",
                "Name disks by /dev/disk/by-id, which a restart does not change; mount points of "
                "disks that are named so can be exchanged.",
            )


def _one_disk_twice(node: NodeToCheck) -> _Found:
    """One disk by several names, or by several paths to it: it would be formatted for each."""
    devices = {disk.mount_point: disk.device for disk in node.disks}
    by_identity: dict[str, list[str]] = {}
    for path, verdict in node.answer.verdicts.items():
        if isinstance(verdict, Verdict) and (verdict.world_wide_name or verdict.number):
            identity = verdict.world_wide_name or verdict.number or ""
            by_identity.setdefault(identity, []).append(path)
    for paths in by_identity.values():
        if len(paths) > 1:
            named = " and ".join(f"{devices[path]} ({path})" for path in paths)
            yield (
                "disk",
                "error",
                f"{named} are one disk",
                "Take out all entries but one; a multipath disk is named by its path below "
                "/dev/mapper.",
            )


def _disks_by_hand(node: NodeToCheck) -> _Found:
    """With the disks stage off somebody else has mounted them, or Longhorn fills the root disk."""
    if node.stages.disks or not node.stages.labels:
        return
    for found in node.facts.disks:
        if found.on_root:
            yield (
                "diskOnRoot",
                "error",
                f"nothing is mounted on {found.mount_point}, so Longhorn would fill the root file "
                "system",
                "Mount the disk there by a line in /etc/fstab, or set stages.disks: true.",
            )


def _engine_binaries(node: NodeToCheck) -> _Found:
    """A disk that is still to be mounted over that folder brings options of its own."""
    coming = any(
        not found.mounted and found.mount_point in _ENGINE_FOLDERS for found in node.facts.disks
    )
    if node.facts.engines_noexec and not (coming and node.stages.disks):
        yield (
            "engineBinaries",
            "error",
            f"{ENGINE_BINARIES} lies on a file system that is mounted with noexec, and Longhorn "
            "runs its engines from there",
            "Take noexec out of its line in /etc/fstab and `mount -o remount,exec` it (`findmnt -T "
            "/var/lib` names it), or mount a disk on /var/lib/longhorn without it.",
        )


def _selinux(node: NodeToCheck) -> _Found:
    version = _version(node.facts.packages.get("container-selinux", ""))
    enforcing = node.facts.selinux == "enforcing" and family_of(node.facts) == "rhel"
    # rke2-selinux allows it by itself.
    allowed = "rke2-selinux" in node.facts.packages
    if enforcing and not allowed and version[:3] > _LAST_GOOD_CONTAINER_SELINUX:
        yield (
            "selinux",
            "warning",
            "SELinux is enforcing, and with this container-selinux iscsid may be kept from its own "
            "files, so that volumes attach and detach without end",
            _SELINUX_REMEDY,
        )


def _control_plane(node: NodeToCheck) -> _Found:
    """The refusal of control-plane-health.sh, such as for Kubernetes 1.22 and later."""
    verdict = node.answer.verdicts.get(CONTROL_PLANE)
    if isinstance(verdict, Refusal):
        yield ("controlPlaneHealth", "error", verdict.found, f"{verdict.remedy}.")


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
    _moved_disks,
    _one_disk_twice,
    _engine_binaries,
    _selinux,
)


def _version(kernel: str) -> tuple[int, ...]:
    """The leading numbers of `uname -r`, such as (5, 15, 0, 94) for 5.15.0-94-generic."""
    match = re.match(r"[0-9]+(?:[.-][0-9]+)*", kernel)
    return tuple(int(part) for part in re.split(r"[.-]", match.group())) if match else ()
