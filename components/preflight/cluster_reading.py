"""One look at the cluster, begun before the hosts are read, in previews too."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pulumi

from components.cluster.api import ClusterApi
from components.common.owner import field_manager, this_stack
from components.longhorn.findings import NOT_RUNNING, LonghornFindings
from components.longhorn.policies.encryption_key import SECRET_NAME as ENCRYPTION_KEY
from components.longhorn.storage import Storage, read_storage
from components.preflight.agent import (
    AgentFacts,
    agent_finding,
    check_agent,
    check_clean_up,
    read_agent,
    read_clean_up,
)
from components.preflight.cluster import check_cluster
from components.preflight.cluster_facts import (
    ClusterNode,
    cordoned_by,
    cordoned_of,
    read_cluster,
)
from components.preflight.cluster_wanted import cluster_wanted
from components.preflight.deadline import asking
from components.preflight.frontend import (
    check_ingress_class,
    check_middlewares,
    read_has_middlewares,
    read_ingress_classes,
)
from components.preflight.kept_objects import with_kept_objects
from components.preflight.longhorn import longhorn_findings
from components.preflight.longhorn_checks import check_longhorn
from components.preflight.longhorn_disks import KnownDisks, known_disks
from components.preflight.monitoring import check_monitoring, read_prometheus
from components.preflight.rancher_certificate import check_certificate
from components.preflight.release import release_finding
from components.preflight.report import CheckResult, of_cluster
from components.rancher.api.presented import presented_at
from configuration.kubeconfig import loopback_server
from configuration.secrets import Secret
from configuration.settings import Settings

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class ClusterSeen:
    """What the cluster answered; empty where it was not asked, or did not answer."""

    results: list[CheckResult] = field(default_factory=list[CheckResult])
    """What is not as the stack needs it."""
    nodes: Mapping[str, ClusterNode] = field(default_factory=dict[str, ClusterNode])
    """Its nodes, by name; none where nothing of the stack counts on them."""
    known_disks: KnownDisks | None = None
    """What its Longhorn knows of disks; None where it has none."""
    longhorn: LonghornFindings = field(default_factory=LonghornFindings)
    """What is not as the stack file says, for the resources that own it."""
    has_longhorn: bool = False
    """Whether a Longhorn runs in it, of this stack or not."""
    storage: Storage | None = None
    """Longhorn, where it is part of the stack; None where it does not run yet."""
    agent: str | None = None
    """That this stack's agent of Rancher is scaled to 0, or gone."""


def look_at_cluster(settings: Settings) -> Callable[[], ClusterSeen]:
    """Begin to ask; what is returned waits for the answer, and warns when none comes in time.

    Without an answer a password may guard nothing, since the cluster alone says what serves an
    Ingress without a class. A preview goes on, and `up` does not.
    """
    stages = settings.stages
    asks = stages.longhorn or stages.labels or stages.rancher_import or stages.frontend
    if not asks:
        return ClusterSeen
    if not settings.checks.read_cluster:
        return lambda: ClusterSeen(results=list(_unguarded(settings, "checks.readCluster: false")))

    def unanswered(problem: str) -> ClusterSeen:
        pulumi.log.warn(
            f"cluster {settings.cluster.name} could not be asked for what the stack needs of "
            f"it: {problem}{_loopback_hint(settings)}"
        )
        return ClusterSeen(results=list(_unguarded(settings, problem)))

    owner = this_stack()
    return asking(_SECONDS, lambda: _looked(settings, owner), unanswered)


def _unguarded(settings: Settings, reason: str) -> Iterator[CheckResult]:
    frontend = settings.frontend
    has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
    is_open = settings.stages.frontend and has_password and frontend.leaves_controller_open
    if is_open and not pulumi.runtime.is_dry_run():
        yield of_cluster(
            "frontendGuard",
            "error",
            f"could not be asked for its default ingress class ({reason}), so the password in the "
            "secret frontendBasicAuth may guard nothing",
            "Name frontend.ingressClass (see `kubectl get ingressclass`).",
        )


def _looked(settings: Settings, owner: str) -> ClusterSeen:
    api = ClusterApi(settings.cluster.kubeconfig, settings.cluster.context)
    stages = settings.stages
    results: list[CheckResult] = []
    nodes: Mapping[str, ClusterNode] = {}
    lacks_key = False
    storage = None
    if stages.longhorn or stages.labels:
        wanted = cluster_wanted(settings)
        key = [ENCRYPTION_KEY] if settings.has(Secret.LONGHORN_ENCRYPTION_KEY) else []
        facts = read_cluster(api, [*(name for _, name in wanted.secrets), *key])
        nodes, lacks_key = facts.nodes, bool(key) and ENCRYPTION_KEY not in facts.secrets
        results += check_cluster(facts, wanted)
        storage = read_storage(api)
    agent = read_agent(api) if stages.rancher_import else None
    results += _checked(api, settings, owner, agent)
    seen = ClusterSeen(
        results=results,
        nodes=nodes,
        known_disks=known_disks(storage),
        has_longhorn=storage is not None,
        agent=agent_finding(agent, owner),
    )
    if not stages.longhorn:
        return replace(seen, longhorn=with_kept_objects(LonghornFindings(), api, settings))
    release = release_finding(api)
    if storage is None:
        return replace(seen, longhorn=LonghornFindings(release=release, ready=NOT_RUNNING))
    found = longhorn_findings(
        storage,
        settings,
        release,
        cordoned_of(nodes),
        own_cordons=cordoned_by(nodes, field_manager(owner)),
        lacks_encryption_key=lacks_key,
    )
    return replace(
        seen,
        results=[*results, *check_longhorn(storage, settings, datetime.now(UTC))],
        longhorn=with_kept_objects(found, api, settings),
        storage=storage,
    )


def _checked(
    api: ClusterApi, settings: Settings, owner: str, agent: AgentFacts | None
) -> Iterator[CheckResult]:
    stages, frontend = settings.stages, settings.frontend
    if stages.longhorn and settings.longhorn.monitoring is not None:
        yield from check_monitoring(settings.longhorn.monitoring, read_prometheus(api))
    if stages.frontend and frontend.type == "Ingress":
        has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
        yield from check_ingress_class(
            frontend, read_ingress_classes(api), has_password=has_password
        )
        if has_password and frontend.controller == "traefik":
            yield from check_middlewares(has_middlewares=read_has_middlewares(api))
    if stages.rancher_import:
        yield from check_clean_up(read_clean_up(api))
        # A manifest given by hand leads to a Rancher that the stack file does not name.
        yield from check_agent(agent, settings.rancher_url, owner)
    url = settings.rancher_url or (settings.rancher and settings.rancher.url)
    if stages.rancher_import and url is not None:
        yield from check_certificate(url, presented_at(url), datetime.now(UTC))


def _loopback_hint(settings: Settings) -> str:
    server = loopback_server(settings.cluster)
    if server is None:
        return ""
    return (
        f". cluster.kubeconfig {settings.cluster.kubeconfig} names {server}, which is this machine "
        "itself, as in a file copied from a K3s or RKE2 server: write the server's address instead"
    )
