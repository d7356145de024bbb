"""What on a host is no longer, or not yet, as the program leaves it. Pure.

Each finding is one line that names what was found; Pulumi's diff shows it, and the node's
script then repairs it (or refuses, with its own message). Only what a script looks at itself may
be found here: anything else would show at every preview and never be repaired.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from components.hosts.facts import AnswerModel, DiskFacts, HostAnswer, HostFacts, Refusal
from components.nodes.distribution import missing_packages
from components.nodes.verdicts import (
    CONTROL_PLANE,
    DEFAULT_CLASS,
    SCRIPTS,
    ControlPlaneVerdict,
    DefaultClassVerdict,
    ScriptsVerdict,
    Verdict,
)
from configuration.hosts import DiskSettings
from configuration.stages import StageSettings

_SHOWN_HOSTS = 3


@dataclass(frozen=True, kw_only=True)
class NodeFindings:
    """What is wrong on one node right now; empty for a healthy one and for one not read."""

    packages: str | None = None
    """Packages or services that are missing, in one line."""
    disks: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is wrong with a disk, in one line, by its mount point."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where a disk that is to move is mounted now, by its new mount point."""
    control_plane: str | None = None
    """Which health ports are closed again, in one line."""
    default_class: str | None = None
    """That K3s is to make its own class the default again, in one line."""
    scripts: str | None = None
    """Which of the scripts do not lie there as this program puts them, in one line."""
    marks: str | None = None
    """Which label or annotation its Node lacks, in one line."""
    taints: str | None = None
    """Which control-plane taints are back on its Node, in one line."""


def node_findings(
    answer: HostAnswer,
    disks: Sequence[DiskSettings],
    stages: StageSettings,
    moved: Mapping[str, str] | None = None,
) -> NodeFindings:
    """What the scripts of the stages that run would have to do on this host.

    Args:
        answer: What the host said.
        disks: The node's disks.
        stages: Which stages run.
        moved: Where disks that are to move are mounted now, by their new mount points.
    """
    facts = {found.mount_point: found for found in answer.facts.disks}
    lines: dict[str, str] = {}
    for disk in disks if stages.disks else ():
        if disk.mount_point in facts:
            line = disk_finding(
                facts[disk.mount_point], answer.verdicts.get(disk.mount_point), disk
            )
            if line:
                lines[disk.mount_point] = line
    file_systems = [disk.file_system for disk in disks]
    return NodeFindings(
        packages=packages_finding(answer.facts, file_systems) if stages.packages else None,
        disks=lines,
        moved=moved or {},
        control_plane=control_plane_finding(answer.verdicts.get(CONTROL_PLANE)),
        default_class=default_class_finding(answer.verdicts.get(DEFAULT_CLASS)),
        scripts=scripts_finding(answer.verdicts.get(SCRIPTS)),
    )


def control_plane_finding(verdict: AnswerModel | None) -> str | None:
    """Which components are started with --port=0, as after `kubeadm upgrade`, in one line."""
    if not isinstance(verdict, ControlPlaneVerdict) or not verdict.closed:
        return None
    return f"--port=0 is in the manifest of {' and '.join(verdict.closed)}"


def default_class_finding(verdict: AnswerModel | None) -> str | None:
    """That K3s makes its own class the default at its next start, in one line."""
    if not isinstance(verdict, DefaultClassVerdict) or verdict.manifest is None or verdict.skipped:
        return None
    return (
        f"no {verdict.manifest}.skip, so K3s makes local-path the default class at its next start"
    )


def scripts_finding(verdict: AnswerModel | None) -> str | None:
    """What is wrong with the scripts on the host: cleared away, or edited; in one line."""
    if not isinstance(verdict, ScriptsVerdict):
        return None
    problems = [
        *([f"not there: {', '.join(verdict.missing)}"] if verdict.missing else []),
        *([f"changed: {', '.join(verdict.changed)}"] if verdict.changed else []),
        *(["others than root may write there"] if verdict.open else []),
    ]
    return "; ".join(problems) or None


def scripts_line(findings: Mapping[str, NodeFindings]) -> str | None:
    """What is wrong with the scripts on all hosts, in one line that names the first of them."""
    lines = [f"{name}: {each.scripts}" for name, each in findings.items() if each.scripts]
    more = len(lines) - _SHOWN_HOSTS
    return "; ".join([*lines[:_SHOWN_HOSTS], *([f"and {more} more"] if more > 0 else [])]) or None


def packages_finding(facts: HostFacts, file_systems: Iterable[str]) -> str | None:
    """What the node lacks of packages and services, in one line."""
    missing = missing_packages(facts, file_systems)
    if missing:
        return f"not installed: {', '.join(missing)}"
    problems: list[str] = []
    if not facts.iscsiadm:
        problems.append("iscsiadm --version fails")
    if not facts.initiator_name:
        problems.append("no iSCSI initiator name")
    if not facts.iscsid:
        problems.append("iscsid does not run")
    elif not facts.iscsid_enabled:
        problems.append("iscsid does not start at boot")
    return "; ".join(problems) or None


def disk_finding(found: DiskFacts, verdict: AnswerModel | None, disk: DiskSettings) -> str | None:
    """What is not right with the disk, in one line."""
    if isinstance(verdict, Refusal):
        return None if verdict.missing_command else verdict.found
    if not isinstance(verdict, Verdict):
        return None
    problems = (
        [f"a disk that is gone is still mounted on {disk.mount_point}, and a run unmounts it"]
        if verdict.vanished
        else []
    )
    if verdict.content == "blank":
        problems.append(f"{disk.device} is blank")
    elif verdict.content == "unfinished":
        problems.append(f"the formatting of {disk.device} was broken off")
    else:
        problems += _problems_of_ours(found, verdict, disk)
    return "; ".join(problems) or None


def _problems_of_ours(found: DiskFacts, verdict: Verdict, disk: DiskSettings) -> list[str]:
    problems: list[str] = []
    if verdict.mounted_on:
        problems.append(f"{disk.device} is mounted on {verdict.mounted_on}")
    elif not verdict.mounted:
        problems.append(f"{disk.device} is not mounted on {disk.mount_point}")
    elif found.writable is False:
        problems.append(f"{disk.device} is mounted read-only")
    if not verdict.in_fstab:
        problems.append(_fstab_problem(found, disk))
    if found.immutable is False:
        problems.append(
            f"the directory {disk.mount_point} beneath the mount can be written to"
            if verdict.mounted
            else f"the directory {disk.mount_point} can be written to without the disk"
        )
    if verdict.can_grow:
        whole, used = (_gibibytes(each) for each in (verdict.size_bytes, verdict.file_system_bytes))
        problems.append(f"{disk.device} got larger: it has {whole}, and its file system {used}")
    return problems


def _gibibytes(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.4g} GiB"


def _fstab_problem(found: DiskFacts, disk: DiskSettings) -> str:
    if found.fstab_line is None:
        return f"/etc/fstab has no line for {disk.mount_point}"
    lines = " / ".join(" ".join(line.split()) for line in found.fstab_line.splitlines())
    return f"/etc/fstab has `{lines}`, not `{fstab_line(found.uuid or '', disk)}`"


def fstab_line(uuid: str, disk: DiskSettings) -> str:
    """The one line that the disk's script writes for it."""
    check = 2 if disk.file_system == "ext4" else 0
    options = disk.mount_options or "defaults"
    options += "" if "nofail" in options.split(",") else ",nofail"
    return f"UUID={uuid} {disk.mount_point} {disk.file_system} {options} 0 {check}"


def was_prepared(found: DiskFacts, disk: DiskSettings) -> bool:
    """Whether this program had once prepared the mount point, whatever is on the disk now."""
    rest = fstab_line("", disk).removeprefix("UUID=")
    lines = (found.fstab_line or "").splitlines()
    ours = any(line.startswith("UUID=") and line.endswith(rest) for line in lines)
    return ours or found.immutable is True


def dated(findings: Mapping[str, NodeFindings], when: str) -> dict[str, NodeFindings]:
    """The findings with the moment of the reading in each line.

    Pulumi's engine compares a finding with the one that led to the last repair. Without the moment,
    the same thing going wrong a second time would look like no change at all.
    """
    return {
        name: NodeFindings(
            packages=node.packages and f"{node.packages} ({when})",
            disks={mount_point: f"{line} ({when})" for mount_point, line in node.disks.items()},
            moved=node.moved,
            control_plane=node.control_plane and f"{node.control_plane} ({when})",
            default_class=node.default_class and f"{node.default_class} ({when})",
            scripts=node.scripts and f"{node.scripts} ({when})",
        )
        for name, node in findings.items()
    }
