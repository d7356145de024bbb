"""What Longhorn needs of the cluster itself, asked through its API before anything is declared.

`check_cluster` is pure; `read_cluster` is the only look at the API, and reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import listed
from components.longhorn.versions import minor_of, too_old_kubernetes, untested_kubernetes
from components.preflight.report import CLUSTER, CheckResult

_DNS_LABEL = "k8s-app=kube-dns"
_DNS_REPLICAS = 2
_ANSWER_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """The cluster as it is right now."""

    version: str
    """As the API server says it, such as v1.28.4+k3s2."""
    global_priority_class: str | None
    """Name of the PriorityClass that every pod without one gets."""
    dns_replicas: int | None
    """How many replicas of CoreDNS there are to be; None when it is not found."""


def read_cluster(api: ClusterApi) -> ClusterFacts:
    """Ask the cluster. Raises whatever the client raises when it does not answer."""
    version: Any = api.version.get_code(_request_timeout=_ANSWER_SECONDS)
    classes: Any = api.custom.list_cluster_custom_object(
        "scheduling.k8s.io", "v1", "priorityclasses", _request_timeout=_ANSWER_SECONDS
    )
    dns: Any = api.apps.list_namespaced_deployment(
        "kube-system", label_selector=_DNS_LABEL, _request_timeout=_ANSWER_SECONDS
    )
    defaults = [c["metadata"]["name"] for c in listed(classes["items"]) if c.get("globalDefault")]
    replicas = [int(deployment.spec.replicas or 0) for deployment in listed(dns.items)]
    return ClusterFacts(
        version=str(version.git_version),
        global_priority_class=defaults[0] if defaults else None,
        dns_replicas=max(replicas, default=None),
    )


def check_cluster(facts: ClusterFacts, longhorn_version: str) -> Iterator[CheckResult]:
    """Everything that is not as this version of Longhorn needs it."""
    too_old = too_old_kubernetes(facts.version, longhorn_version)
    if too_old is not None:
        yield CheckResult(
            node=CLUSTER,
            check="kubernetesVersion",
            severity="error",
            found=too_old,
            remedy="Upgrade the cluster.",
        )
    untested = untested_kubernetes(facts.version, longhorn_version)
    if untested is not None:
        yield CheckResult(
            node=CLUSTER,
            check="kubernetesVersion",
            severity="warning",
            found=untested,
            remedy="Try volumes before you rely on them (stages.volumeCheck: true).",
        )
    if facts.global_priority_class and not minor_of(longhorn_version).has_priority_class:
        yield CheckResult(
            node=CLUSTER,
            check="globalPriorityClass",
            severity="warning",
            found=f"PriorityClass {facts.global_priority_class} is the default of all pods, "
            "which makes Longhorn restart its instance managers again and again",
            remedy="Set longhorn.values.defaultSettings.priorityClass to its name.",
        )
    if facts.dns_replicas is not None and facts.dns_replicas < _DNS_REPLICAS:
        yield CheckResult(
            node=CLUSTER,
            check="coreDnsReplicas",
            severity="warning",
            found=f"CoreDNS has {facts.dns_replicas} replica; RWX volumes hang while it is away",
            remedy="kubectl -n kube-system scale deployment coredns --replicas=2.",
        )
