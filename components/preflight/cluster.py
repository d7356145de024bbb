"""What a stack needs of the cluster itself, before anything is declared. Pure."""

from collections.abc import Iterator

from components.longhorn.versions import minor_of, too_old_kubernetes, untested_kubernetes
from components.preflight.cluster_facts import ClusterFacts
from components.preflight.cluster_nodes import check_nodes_of_cluster
from components.preflight.cluster_objects import check_objects
from components.preflight.cluster_wanted import ClusterWanted
from components.preflight.report import CheckResult, of_cluster

_DNS_REPLICAS = 2


def check_cluster(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Everything that is not as the stack needs it."""
    yield from check_nodes_of_cluster(facts, wanted)
    yield from check_objects(facts, wanted)
    if wanted.longhorn_version is not None:
        yield from _check_for_longhorn(facts, wanted.longhorn_version)


def _check_for_longhorn(facts: ClusterFacts, longhorn_version: str) -> Iterator[CheckResult]:
    too_old = too_old_kubernetes(facts.version, longhorn_version)
    if too_old is not None:
        yield of_cluster(
            "kubernetesVersion",
            "error",
            too_old,
            "Upgrade the cluster.",
        )
    untested = untested_kubernetes(facts.version, longhorn_version)
    if untested is not None:
        yield of_cluster(
            "kubernetesVersion",
            "warning",
            untested,
            "Try volumes before you rely on them (stages.volumeCheck: true).",
        )
    if facts.global_priority_class and not minor_of(longhorn_version).has_priority_class:
        yield of_cluster(
            "globalPriorityClass",
            "warning",
            f"PriorityClass {facts.global_priority_class} is the default of all pods, "
            "which makes Longhorn restart its instance managers again and again",
            "Set longhorn.values.defaultSettings.priorityClass to its name.",
        )
    if facts.dns_replicas is not None and facts.dns_replicas < _DNS_REPLICAS:
        yield of_cluster(
            "coreDnsReplicas",
            "warning",
            f"CoreDNS has {facts.dns_replicas} replica; RWX volumes hang while it is away",
            "kubectl -n kube-system scale deployment coredns --replicas=2.",
        )
