"""Looking at the hosts and the cluster before anything is declared, in previews too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pulumi

from components.common.owner import this_stack
from components.hosts.address import jump_address, node_address
from components.hosts.asking import ReadingPlan
from components.hosts.connection import HostCredentials, agent_path
from components.hosts.facts import HostAnswer
from components.hosts.reading import Question, Reading, read_hosts, unread
from components.longhorn.findings import LonghornFindings
from components.nodes.findings import NodeFindings, dated, node_findings
from components.nodes.moves import moved_disks
from components.nodes.script_parts import questions as node_questions
from components.preflight.cluster_reading import look_at_cluster
from components.preflight.frontend import check_guard
from components.preflight.known_disks import check_known_disks
from components.preflight.longhorn import with_absent_disks
from components.preflight.lost_volumes import check_lost_volumes
from components.preflight.moved_disks import check_moved_disks
from components.preflight.node_marks import with_node_marks
from components.preflight.nodes import (
    NodeToCheck,
    check_login_shell,
    check_nodes,
    check_sudo_password,
)
from components.preflight.rancher_server import look_at_rancher
from components.preflight.report import CheckResult, PreflightError, report
from components.preflight.wrong_host import check_hosts
from configuration.secrets import Secret
from configuration.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is not as the stack file says right now, for the resources that own it."""

    nodes: Mapping[str, NodeFindings] = field(default_factory=dict[str, NodeFindings])
    """On the hosts, by node."""
    longhorn: LonghornFindings = field(default_factory=LonghornFindings)
    """In Longhorn."""
    rancher: str | None = None
    """Which of Rancher's containers do not run, in one line."""
    agent: str | None = None
    """Of Rancher's agent in the cluster."""


def read_findings(settings: Settings) -> Findings:
    """Read every host and the cluster once; empty where the stack switches it off.

    A host or cluster that can't be read is a warning with its name, and nothing is concluded
    about it. Raises pulumi.RunError with a report over all nodes when a check fails that the
    stack file does not accept.
    """
    look, look_at_server = look_at_cluster(settings), look_at_rancher(settings, this_stack())
    stages, checks = settings.stages, settings.checks
    results: list[CheckResult] = []
    nodes: list[NodeToCheck] = []
    has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
    if stages.frontend:
        results.extend(check_guard(settings.frontend, has_password=has_password))
    if checks.read_hosts and _asks_hosts(settings):
        nodes = _nodes_to_check(settings, _answers(settings, results))
        results.extend(check_nodes(nodes))
    elif _asks_hosts(settings) and not pulumi.runtime.is_dry_run():
        results.extend(_mute_hosts(settings))
    seen = look()
    results.extend(check_hosts(nodes, seen.nodes))
    results.extend(check_known_disks(nodes, seen.known_disks))
    results.extend(check_lost_volumes(nodes, seen.storage, settings.longhorn.lost_volumes))
    results.extend(check_moved_disks(nodes, seen.storage))
    server = look_at_server()
    _report(settings, [*seen.results, *results, *server.results])
    now = datetime.now(UTC)
    found = {
        node.name: node_findings(node.answer, node.disks, node.stages, node.moved) for node in nodes
    }
    dated_nodes = dated(found, f"{now:%Y-%m-%d %H:%M:%S} UTC")
    longhorn = seen.longhorn
    sure = [
        node.name
        for node in nodes
        if node.name in seen.nodes and _has_its_disks(node, found[node.name])
    ]
    if seen.has_longhorn:
        dated_nodes = with_node_marks(dated_nodes, seen.nodes, settings, sure)
    if seen.storage is not None:
        longhorn = with_absent_disks(longhorn, seen.storage, settings, sure)
    return Findings(nodes=dated_nodes, longhorn=longhorn, rancher=server.finding, agent=seen.agent)


def _nodes_to_check(settings: Settings, answers: Mapping[str, HostAnswer]) -> list[NodeToCheck]:
    """The nodes that were read; disks move in one run where the stack has Longhorn, too."""
    owner = this_stack()
    return [
        NodeToCheck(
            name=node.name,
            answer=answers[node.name],
            disks=settings.disks_of(node),
            stages=settings.stages_of(node),
            moved=moved_disks(answers[node.name], settings.disks_of(node), owner)
            if settings.stages.longhorn
            else {},
        )
        for node in settings.nodes
        if node.name in answers
    ]


def _has_its_disks(node: NodeToCheck, found: NodeFindings) -> bool:
    """Whether each disk is mounted, or shows a finding, so that its script runs before the rest."""
    mounted = {fact.mount_point for fact in node.facts.disks if fact.mounted and not fact.on_root}
    return bool(node.disks) and all(
        disk.mount_point in mounted or disk.mount_point in found.disks for disk in node.disks
    )


def _report(settings: Settings, results: list[CheckResult]) -> None:
    sorted_results = report(results, settings.checks.accept)
    if sorted_results.errors:
        raise pulumi.RunError(str(PreflightError(sorted_results)))
    if sorted_results.remarks:
        pulumi.log.warn(f"preflight:\n{sorted_results.remarks}")


def _asks_hosts(settings: Settings) -> bool:
    """Whether a stage works on the hosts, or gives Longhorn disks that somebody else mounted."""
    return settings.works_on_hosts or (settings.stages.labels and settings.opens_hosts)


def _answers(settings: Settings, results: list[CheckResult]) -> dict[str, HostAnswer]:
    """What the hosts said; adds to the results what none of them could say."""
    questions = [
        Question(
            address=node_address(node, settings.ssh),
            disks=settings.disks_of(node),
            parts=node_questions(
                settings.disks_of(node) if settings.stages.disks else (),
                control_plane=settings.stages.control_plane_health and node.control_plane,
                default_class=settings.keeps_default_class_on(node),
                stack=this_stack() if settings.runs_scripts_on(node) else None,
            ),
        )
        for node in settings.present_nodes
    ]
    readings = read_hosts(questions, _reading_plan(settings))
    useless = list(_useless_logins(settings, readings))
    results.extend(useless)
    told = {result.node for result in useless}
    for name, problem in unread(readings).items():
        if name in told:
            continue
        pulumi.log.warn(
            f"node {name} could not be read, so nothing is known about its packages and disks: "
            f"{problem}"
        )
    return {name: reading.answer for name, reading in readings.items() if reading.answer}


def _mute_hosts(settings: Settings) -> list[CheckResult]:
    """The hosts on which a run would do nothing, and then count as done: they are asked a word.

    For a run whose stack file keeps the hosts from being read; nothing else is concluded. Where it
    accepts such a host, none is asked.
    """
    if "loginShell" in settings.checks.accept:
        return []
    questions = [
        Question(address=node_address(node, settings.ssh)) for node in settings.present_nodes
    ]
    return list(_useless_logins(settings, read_hosts(questions, _reading_plan(settings))))


def _useless_logins(settings: Settings, readings: Mapping[str, Reading]) -> Iterator[CheckResult]:
    """The hosts that let the stack's user in, and on which no command of a run would work."""
    for node in settings.present_nodes:
        reading, user = readings[node.name], node_address(node, settings.ssh).user
        if reading.nothing_ran:
            yield check_login_shell(node.name, user)
        elif reading.lacks == Secret.SUDO_PASSWORD and settings.runs_scripts_on(node):
            is_given = settings.has(Secret.SUDO_PASSWORD)
            yield check_sudo_password(node.name, user, is_given=is_given)


def _reading_plan(settings: Settings) -> ReadingPlan:
    return ReadingPlan(
        credentials=_credentials(settings),
        jump=jump_address(settings.ssh),
        connect_seconds=settings.ssh.connect_timeout_seconds,
        deadline_seconds=settings.checks.timeout_seconds,
    )


def _credentials(settings: Settings) -> HostCredentials:
    """The one place where the secrets that open hosts are plain text."""
    key = settings.plain_secret(Secret.SSH_PRIVATE_KEY)
    if key is None and settings.ssh.private_key_file is not None:
        key = Path(settings.ssh.private_key_file).expanduser().read_text()
    return HostCredentials(
        private_key=key,
        private_key_passphrase=settings.plain_secret(Secret.SSH_PRIVATE_KEY_PASSPHRASE),
        password=settings.plain_secret(Secret.SSH_PASSWORD),
        sudo_password=settings.plain_secret(Secret.SUDO_PASSWORD),
        agent_path=agent_path(),
    )
