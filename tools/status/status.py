"""How the storage of a stack is, as plain values: what is wrong first. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from components.common.answers import mapped
from components.longhorn.capacity import (
    DiskRoom,
    Loss,
    disk_rooms,
    largest_volume,
    losses,
    reachable,
)
from components.longhorn.findings import LonghornFindings
from components.longhorn.storage import Storage
from components.longhorn.volumes import claim_text
from components.preflight.longhorn_checks import check_longhorn
from components.preflight.rancher_server import RancherSeen
from components.preflight.report import CLUSTER, CheckResult
from configuration.checks import CheckName
from configuration.longhorn_rules import class_replicas
from configuration.settings import Settings

EXIT_STATUS = {"well": 0, "warning": 1, "critical": 2}
UNREAD = 3
"""Exit status where the cluster did not answer, or has no Longhorn."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    severity: Literal["critical", "warning"]
    where: str
    """The node, or the cluster."""
    found: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume."""

    name: str
    claim: str
    """namespace/name; empty where none is known."""
    size: int
    """Bytes."""
    state: str
    robustness: str
    replicas: int
    """Those that are intact, and that Longhorn reaches now."""
    wanted_replicas: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """The storage of a stack at one moment."""

    stack: str
    version: str
    """Longhorn's."""
    problems: Sequence[Problem]
    """The worst first."""
    disks: Sequence[DiskRoom]
    volumes: Sequence[Volume]
    """Those that are not healthy first."""
    replicas: int
    """How many replicas a volume of the class `longhorn` has."""
    largest_volume: int
    """Bytes of the largest volume with as many replicas that still finds room."""
    losses: Sequence[Loss]
    """Nodes whose loss would lose a volume, or leave one degraded for want of room."""

    @property
    def severity(self) -> Literal["well", "warning", "critical"]:
        """The worst of its problems."""
        found = {problem.severity for problem in self.problems}
        return "critical" if "critical" in found else "warning" if found else "well"


def status_of(
    stack: str,
    settings: Settings,
    storage: Storage,
    findings: LonghornFindings,
    now: datetime,
    rancher: RancherSeen | None = None,
) -> Status:
    """What a person is told.

    Args:
        stack: The stack's name.
        settings: What the stack file says.
        storage: What the cluster said.
        findings: What in Longhorn is not as the stack file says.
        now: The time, with its zone, from which the age of backups counts.
        rancher: What the Docker host said of Rancher's containers, where it was asked.
    """
    rancher = rancher or RancherSeen()
    snapshot = storage.snapshot
    rooms = disk_rooms(snapshot.nodes, snapshot.settings)
    replicas = class_replicas(settings)
    results = [*check_longhorn(storage, settings, now), *rancher.results]
    problems = [*_problems(results, settings.checks.accept), *_drift(findings)]
    if rancher.unread:
        remedy = "Whether Rancher runs is not known: look at rancher.dockerHost."
        problems.append(_warning("Rancher", rancher.unread, remedy))
    if rancher.finding:
        problems.append(_warning("Rancher", rancher.finding, "`pulumi up` starts what is stopped."))
    return Status(
        stack=stack,
        version=str(snapshot.version),
        problems=sorted(problems, key=lambda problem: problem.severity != "critical"),
        disks=rooms,
        volumes=sorted(
            _volumes(storage, rooms), key=lambda each: (each.robustness == "healthy", each.name)
        ),
        replicas=replicas,
        largest_volume=largest_volume(rooms, replicas),
        losses=losses(
            rooms,
            volumes=storage.volumes,
            replicas=storage.replicas,
            settings=snapshot.settings,
        ),
    )


def _problems(results: Iterable[CheckResult], accept: Collection[CheckName]) -> Iterator[Problem]:
    """As in a preview: an accepted warning is silent, and what is worse than one is still told.

    Only a volume that is faulted is critical. An error is what would stop `up`, such as a volume
    that can't leave a node under maintenance: it works.
    """
    for result in results:
        is_faulted = result.check == "volumeHealth" and " faulted " in result.found
        is_accepted = result.check in accept
        if is_faulted or result.severity == "error" or not is_accepted:
            yield Problem(
                severity="critical" if is_faulted and not is_accepted else "warning",
                where=result.node,
                found=result.found,
                remedy=result.remedy,
            )


def _drift(findings: LonghornFindings) -> Iterator[Problem]:
    of_cluster = (
        *(findings.release, findings.settings, findings.backup_settings),
        *(findings.policies, findings.encryption_key, findings.ready, findings.removal),
        *(findings.backup_credentials, findings.frontend, findings.monitoring),
    )
    lines = [(CLUSTER, line) for line in of_cluster if line]
    lines += [*findings.disks.items(), *findings.tags.items()]
    for where, found in lines:
        yield _warning(where, found, "`pulumi up` puts it right.")
    if findings.backup_target:
        yield _warning(
            CLUSTER,
            f"no backup can be made: {findings.backup_target}",
            "See whether longhorn.backup.target answers and takes the login; `pulumi up` then "
            "waits until Longhorn can use it.",
        )


def _warning(where: str, found: str, remedy: str) -> Problem:
    return Problem(severity="warning", where=where, found=found, remedy=remedy)


def _volumes(storage: Storage, rooms: Sequence[DiskRoom]) -> Iterator[Volume]:
    standing: dict[str, int] = {}
    for replica in reachable(storage.replicas, rooms):
        volume = str(mapped(replica.get("spec")).get("volumeName"))
        standing[volume] = standing.get(volume, 0) + 1
    for volume in storage.volumes:
        name = str(mapped(volume.get("metadata")).get("name"))
        spec, said = mapped(volume.get("spec")), mapped(volume.get("status"))
        yield Volume(
            name=name,
            claim=claim_text(volume) or "",
            size=int(spec.get("size") or 0),
            state=str(said.get("state") or "unknown"),
            robustness=str(said.get("robustness") or "unknown"),
            replicas=standing.get(name, 0),
            wanted_replicas=int(spec.get("numberOfReplicas") or 0),
        )
