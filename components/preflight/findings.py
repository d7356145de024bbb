"""Looking at the hosts and the cluster before anything is declared, in previews too."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pulumi

from components.cluster.api import ClusterApi
from components.common.owner import this_stack
from components.hosts.address import jump_address, node_address
from components.hosts.connection import HostCredentials, agent_path
from components.hosts.facts import HostAnswer
from components.hosts.reading import Question, Reading, ReadingPlan, read_hosts, unread
from components.nodes.findings import NodeFindings, dated, node_findings
from components.nodes.moves import moved_disks
from components.nodes.script_parts import questions as node_questions
from components.preflight.agent import check_agent, read_agent
from components.preflight.cluster import check_cluster
from components.preflight.cluster_facts import read_cluster
from components.preflight.cluster_wanted import cluster_wanted
from components.preflight.deadline import answer_within
from components.preflight.frontend import (
    check_guard,
    check_ingress_class,
    read_ingress_classes,
)
from components.preflight.nodes import NodeToCheck, check_login_shell, check_nodes
from components.preflight.report import CheckResult, PreflightError, report
from configuration.kubeconfig import loopback_server
from configuration.secrets import Secret
from settings import Settings

_CLUSTER_SECONDS = 30.0


def read_findings(settings: Settings) -> Mapping[str, NodeFindings]:
    """Read every host once and say what is wrong there; empty where the stack switches it off.

    A host or cluster that can't be read is a warning with its name, and nothing is concluded
    about it. Raises pulumi.RunError with a report over all nodes when a check fails that the
    stack file does not accept.
    """
    stages, checks = settings.stages, settings.checks
    results: list[CheckResult] = []
    answers: dict[str, HostAnswer] = {}
    moved: Mapping[str, Mapping[str, str]] = {}
    has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
    if stages.frontend:
        results.extend(check_guard(settings.frontend, has_password=has_password))
    asks_cluster = stages.longhorn or stages.labels or stages.rancher_import or stages.frontend
    if checks.read_cluster and asks_cluster:
        results.extend(_cluster_results(settings))
    if checks.read_hosts and _asks_hosts(settings):
        answers = _answers(settings, results)
        moved = _moved(settings, answers)
        results.extend(
            check_nodes(
                [
                    NodeToCheck(
                        name=node.name,
                        answer=answers[node.name],
                        disks=settings.disks_of(node),
                        stages=settings.stages_of(node),
                        moved=moved[node.name],
                    )
                    for node in settings.nodes
                    if node.name in answers
                ]
            )
        )
    elif _asks_hosts(settings) and not pulumi.runtime.is_dry_run():
        results.extend(_mute_hosts(settings))
    _report(settings, results)
    now = datetime.now(UTC)
    found = {
        node.name: node_findings(
            answers[node.name],
            settings.disks_of(node),
            settings.stages_of(node),
            moved[node.name],
        )
        for node in settings.nodes
        if node.name in answers
    }
    return dated(found, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _moved(settings: Settings, answers: Mapping[str, HostAnswer]) -> dict[str, Mapping[str, str]]:
    """The disks that one run moves, by node: only this stack's own Longhorn can let go of them."""
    owner, has_longhorn = this_stack(), settings.stages.longhorn
    return {
        node.name: moved_disks(answers[node.name], settings.disks_of(node), owner)
        if has_longhorn
        else {}
        for node in settings.nodes
        if node.name in answers
    }


def _report(settings: Settings, results: list[CheckResult]) -> None:
    sorted_results = report(results, settings.checks.accept)
    if sorted_results.errors:
        raise pulumi.RunError(str(PreflightError(sorted_results)))
    if sorted_results.remarks:
        pulumi.log.warn(f"preflight:\n{sorted_results.remarks}")


def _asks_hosts(settings: Settings) -> bool:
    """Whether a stage works on the hosts, or gives Longhorn disks that somebody else mounted."""
    stages = settings.stages
    on_hosts = stages.packages or stages.disks or stages.control_plane_health
    return on_hosts or (stages.labels and settings.opens_hosts)


def _answers(settings: Settings, results: list[CheckResult]) -> dict[str, HostAnswer]:
    """What the hosts said; adds to the results what none of them could say."""
    questions = [
        Question(
            address=node_address(node, settings.ssh),
            disks=settings.disks_of(node),
            parts=node_questions(
                settings.disks_of(node) if settings.stages.disks else (),
                control_plane=settings.stages.control_plane_health and node.control_plane,
            ),
        )
        for node in settings.present_nodes
    ]
    readings = read_hosts(questions, _reading_plan(settings))
    results.extend(_nothing_ran(questions, readings))
    for name, problem in unread(readings).items():
        if readings[name].nothing_ran:
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
    return _nothing_ran(questions, read_hosts(questions, _reading_plan(settings)))


def _nothing_ran(
    questions: Sequence[Question], readings: Mapping[str, Reading]
) -> list[CheckResult]:
    users = {question.address.name: question.address.user for question in questions}
    return [
        check_login_shell(name, users[name])
        for name, reading in readings.items()
        if reading.nothing_ran
    ]


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


def _cluster_results(settings: Settings) -> list[CheckResult]:
    """What is wrong with the cluster; nothing, and a warning, when it does not answer in time."""
    try:
        return answer_within(_CLUSTER_SECONDS, lambda: list(_checked_cluster(settings)))
    except Exception as error:  # whatever a cluster answers, the preview goes on
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
        pulumi.log.warn(
            f"cluster {settings.cluster.name} could not be asked for what the stack needs of it: "
            f"{problem}{_loopback_hint(settings)}"
        )
        return []


def _checked_cluster(settings: Settings) -> Iterator[CheckResult]:
    stages, frontend = settings.stages, settings.frontend
    api = ClusterApi(settings.cluster.kubeconfig, settings.cluster.context)
    if stages.longhorn or stages.labels:
        wanted = cluster_wanted(settings)
        yield from check_cluster(read_cluster(api, [name for _, name in wanted.secrets]), wanted)
    if stages.frontend and frontend.type == "Ingress":
        has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
        yield from check_ingress_class(
            frontend, read_ingress_classes(api), has_password=has_password
        )
    # A manifest given by hand leads to a Rancher that the stack file does not name.
    if stages.rancher_import and not settings.has_given_manifest and settings.rancher is not None:
        yield from check_agent(read_agent(api), settings.rancher.url)


def _loopback_hint(settings: Settings) -> str:
    server = loopback_server(settings.cluster)
    if server is None:
        return ""
    return (
        f". cluster.kubeconfig {settings.cluster.kubeconfig} names {server}, which is this machine "
        "itself, as in a file copied from a K3s or RKE2 server: write the server's address instead"
    )
