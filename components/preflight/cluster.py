"""What a stack needs of the cluster itself, before anything is declared. Pure."""

from collections.abc import Iterator

from components.common.versions import version_of
from components.longhorn.versions import minor_of, too_old_kubernetes, untested_kubernetes
from components.preflight.cluster_facts import ClusterFacts
from components.preflight.cluster_nodes import check_nodes_of_cluster
from components.preflight.cluster_objects import check_objects
from components.preflight.cluster_wanted import ClusterWanted
from components.preflight.report import CheckResult, of_cluster

_DNS_REPLICAS = 2
_WITHOUT_POLICIES = (1, 25)


def check_cluster(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Everything that is not as the stack needs it."""
    yield from check_nodes_of_cluster(facts, wanted)
    yield from check_objects(facts, wanted)
    if wanted.longhorn_version is not None:
        yield from _check_for_longhorn(facts, wanted.longhorn_version)
        yield from _check_policies(facts, wanted)


def _check_for_longhorn(facts: ClusterFacts, longhorn_version: str) -> Iterator[CheckResult]:
    too_old = too_old_kubernetes(facts.version, longhorn_version)
    if too_old is not None:
        yield of_cluster("kubernetesVersion", "error", too_old, "Upgrade the cluster.")
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
            _scaled(facts.dns_name),
        )


def _scaled(dns: str) -> str:
    if dns.startswith("rke2-"):
        return (
            "RKE2's own autoscaler says how many: raise `min` in its ConfigMap "
            f"kube-system/{dns}-autoscaler, or in a HelmChartConfig of rke2-coredns."
        )
    return f"kubectl -n kube-system scale deployment {dns} --replicas=2."


def _check_policies(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    found = version_of(facts.version)
    if wanted.has_pod_security_policy and found is not None and found[:2] >= _WITHOUT_POLICIES:
        yield of_cluster(
            "kubernetesVersion",
            "error",
            "longhorn.values.enablePSP asks for a PodSecurityPolicy, and Kubernetes "
            f"{facts.version} has none",
            "Remove it.",
        )
