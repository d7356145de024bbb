"""What else of the cluster a stack counts on: classes, Secrets, no other Longhorn. Pure."""

from collections.abc import Iterator

from components.common.names import some_names
from components.longhorn.missing import STORAGE_CLASS
from components.longhorn.objects import DRIVER, NAMESPACE
from components.nodes.description import CONTROL_PLANE_TAINTS
from components.preflight.cluster_facts import ClusterFacts
from components.preflight.cluster_wanted import ClusterWanted
from components.preflight.report import CheckResult, of_cluster

_RELEASE = f"{NAMESPACE}/longhorn"
_NAMED = 5


def check_objects(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Everything of these that would only show as a wait that never ends."""
    if wanted.longhorn_version is not None:
        yield from _leftovers(facts)
    yield from _default_classes(facts, wanted)
    yield from _classes(facts, wanted)
    for key, name in wanted.secrets:
        if name not in facts.secrets:
            yield of_cluster(
                "referencedSecret",
                "error",
                f"{key} names the Secret {name}, which is not in the namespace {NAMESPACE}",
                f"Make it (kubectl create namespace {NAMESPACE}, if that is not there yet, and "
                f"kubectl -n {NAMESPACE} create secret …); the program takes the namespace over.",
            )
    for key, name in wanted.priority_classes:
        if name not in facts.priority_classes:
            yield of_cluster(
                "priorityClass",
                "error",
                f"{key} names the PriorityClass {name}, which the cluster does not have, so no pod "
                "of that part would be made",
                "Make it, or name one of: "
                f"{', '.join(sorted(facts.priority_classes)) or 'none is there'}.",
            )
    holding = sum(node.has_disks for node in wanted.nodes)
    if wanted.replica_count is not None and 0 < holding < wanted.replica_count:
        yield of_cluster(
            "replicaCount",
            "warning",
            f"longhorn.replicaCount is {wanted.replica_count}, and {holding} "
            f"node{'s have' if holding > 1 else ' has'} disks, so every volume stays degraded",
            "Lower it, or add nodes with disks.",
        )


def _classes(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    for key, name in wanted.own_classes:
        other = facts.classes.get(name)
        if other not in (None, DRIVER):
            yield of_cluster(
                "storageClass",
                "error",
                f"{key} is {name}, and the cluster has a StorageClass of that name, of the "
                f"provisioner {other}, which can't be made one of Longhorn's",
                "Choose another name.",
            )
    for key, name in wanted.classes:
        if name not in facts.classes:
            known = ", ".join(sorted(facts.classes)) or "none"
            yield of_cluster(
                "storageClass",
                "error",
                f"{key} names the StorageClass {name}, which neither the cluster has nor this "
                "stack makes",
                f"Name one of the cluster's ({known}), or of longhorn.storageClasses.",
            )


def _leftovers(facts: ClusterFacts) -> Iterator[CheckResult]:
    found = facts.longhorn
    if found.is_terminating:
        yield of_cluster(
            "longhornLeftovers",
            "error",
            f"the namespace {NAMESPACE} is being deleted",
            f"Wait until it is gone; what keeps it: kubectl get namespace {NAMESPACE} -o yaml.",
        )
    for release in found.releases:
        if release != _RELEASE:
            yield of_cluster(
                "longhornLeftovers",
                "error",
                f"Longhorn's definitions belong to the Helm release {release}, so Helm refuses to "
                f"install {_RELEASE}",
                "Uninstall that release first (its volumes go with it), or set stages.longhorn: "
                "false to leave Longhorn to it.",
            )
    if found.has_unowned and not found.volumes:
        yield of_cluster(
            "longhornLeftovers",
            "error",
            "the cluster has definitions of Longhorn that no Helm release owns, as after `kubectl "
            f"apply`, so Helm refuses to install {_RELEASE}",
            "Leave the Longhorn that runs with them to whoever installed it (stages.longhorn: "
            "false)."
            if found.has_settings
            else "They hold no volume: kubectl get crd -o name | grep longhorn.io | xargs kubectl "
            "delete.",
        )
    if found.volumes and not found.has_settings:
        names = some_names(found.volumes, _NAMED)
        yield of_cluster(
            "longhornLeftovers",
            "error",
            f"volumes of an earlier Longhorn are left without it: {names}",
            "Restore that Longhorn to rescue them, or remove what is left of it (Longhorn's "
            "documentation, Uninstall).",
        )


def _default_classes(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Classes that are the default beside `longhorn`.

    With a Longhorn that runs, LonghornReady shows them and takes the mark off. Before that, whose
    class somebody made the default is asked about; that of K3s came by itself.
    """
    others = [name for name in facts.default_classes if name != STORAGE_CLASS]
    chosen = [name for name in others if name not in facts.k3s_classes]
    if wanted.is_default_class and chosen and not facts.longhorn.has_settings:
        yield of_cluster(
            "defaultStorageClass",
            "error",
            f"StorageClass {', '.join(chosen)} is the default already, and `longhorn` is to be the "
            "one default",
            "Set longhorn.defaultStorageClass: false to leave it so. With this check accepted, "
            f"`up` takes that off it, and destroy makes {chosen[0]} the default again.",
        )
    kept = {node.name for node in wanted.nodes if node.keeps_default_class}
    servers = [
        name
        for name, node in facts.nodes.items()
        if name not in kept and any(key in node.labels for key in CONTROL_PLANE_TAINTS)
    ]
    if wanted.is_default_class and facts.k3s_classes and servers:
        yield of_cluster(
            "defaultStorageClass",
            "warning",
            f"K3s makes StorageClass {', '.join(facts.k3s_classes)} the default at each start of a "
            f"server, and the stack does not keep it from that on {some_names(sorted(servers))}",
            "List these nodes with `controlPlane: true`, or make the file "
            "/var/lib/rancher/k3s/server/manifests/local-storage.yaml.skip there; else every start "
            "shows in the next preview, until `up` has made `longhorn` the one default again.",
        )
