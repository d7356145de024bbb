"""The nodes of the stack beside those of the cluster: names, taints, and who is left out. Pure."""

from collections.abc import Iterator, Mapping

from components.nodes.description import CONTROL_PLANE_TAINTS, is_tolerated
from components.nodes.names import missing_node
from components.preflight.cluster_facts import ClusterFacts, ClusterNode
from components.preflight.cluster_wanted import ClusterWanted, WantedNode
from components.preflight.report import CheckResult

# What Kubernetes puts on and takes off by itself; every DaemonSet tolerates it.
_PASSING = "node.kubernetes.io/"
# What Longhorn's images are built for (longhorn v1.5.3, README, Requirements).
_ARCHITECTURES = ("amd64", "arm64", "s390x")
_KEEPS_PODS_OFF = ("NoSchedule", "NoExecute")


def check_nodes_of_cluster(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Everything about nodes that would only show after the disks are formatted."""
    for node in wanted.nodes:
        found = facts.nodes.get(node.name)
        if found is None:
            yield _missing(node.name, facts)
        elif node.has_disks and wanted.longhorn_version is not None:
            yield from _tainted(node, found, wanted)
            yield from _not_selected(node, found, wanted)
    if wanted.longhorn_version is not None:
        yield from _not_waiting_for_longhorn(facts, wanted)
        if wanted.prepares_nodes:
            yield from _unprepared(facts, wanted)


def _missing(name: str, facts: ClusterFacts) -> CheckResult:
    found, remedy = missing_node(name, facts.nodes)
    return CheckResult(
        node=name,
        check="nodeName",
        severity="error",
        found=found,
        remedy=f"{remedy}; a node whose host is gone for good is marked `lost: true`.",
    )


def _tainted(node: WantedNode, found: ClusterNode, wanted: ClusterWanted) -> Iterator[CheckResult]:
    for taint in found.taints:
        if (node.is_untainted and is_taken_off(taint)) or _is_passing(taint):
            continue
        if is_tolerated(taint, wanted.tolerated):
            yield from _kept_from_parts(taint, node, wanted)
            continue
        yield CheckResult(
            node=node.name,
            check="taints",
            severity="error",
            found=f"taint {_written(taint)} keeps Longhorn off, so its disks would never be ready",
            remedy=_remedy(taint),
        )


def _kept_from_parts(
    taint: Mapping[str, str], node: WantedNode, wanted: ClusterWanted
) -> Iterator[CheckResult]:
    by_parts = wanted.tolerated_by_parts
    if by_parts is not None and not is_tolerated(taint, by_parts):
        yield CheckResult(
            node=node.name,
            check="taints",
            severity="error",
            found=f"taint {_written(taint)} is tolerated by longhorn.values.longhornManager alone, "
            "and keeps the pods off that serve volumes and attach them",
            remedy=f"Set longhorn.tolerations: [{_entry(taint)}], which reaches all of them.",
        )


def _not_selected(
    node: WantedNode, found: ClusterNode, wanted: ClusterWanted
) -> Iterator[CheckResult]:
    managers = ("longhornManager.nodeSelector", wanted.node_selector)
    parts = ("defaultSettings.systemManagedComponentsNodeSelector", wanted.parts_selector)
    for path, selector in (managers, parts):
        missing = _missing_labels(found, selector)
        if missing:
            yield CheckResult(
                node=node.name,
                check="nodeSelector",
                severity="error",
                found=f"longhorn.values.{path} wants the label {missing[0]}, which the node does "
                "not have, so its disks would never be of use",
                remedy=f"kubectl label node {node.name} {missing[0]}, or give the node no disks.",
            )
            return


def _missing_labels(found: ClusterNode, selector: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in selector.items() if found.labels.get(key) != value]


def _keeps_longhorn_off(taint: Mapping[str, str], wanted: ClusterWanted) -> bool:
    return not _is_passing(taint) and not is_tolerated(taint, wanted.tolerated)


def _is_passing(taint: Mapping[str, str]) -> bool:
    """Whether it keeps no pod of Longhorn's off."""
    return taint["effect"] not in _KEEPS_PODS_OFF or taint["key"].startswith(_PASSING)


def is_taken_off(taint: Mapping[str, str]) -> bool:
    """Whether it is one that the program takes off where the stack says `untaint`."""
    return taint["key"] in CONTROL_PLANE_TAINTS and taint["effect"] == "NoSchedule"


def _remedy(taint: Mapping[str, str]) -> str:
    if taint["key"] in CONTROL_PLANE_TAINTS and taint["effect"] == "NoSchedule":
        return (
            "Set controlPlane.scheduling: tolerate (or untaint, with `controlPlane: true` on the "
            "node), or give the node no disks."
        )
    return f"Set longhorn.tolerations: [{_entry(taint)}], or give the node no disks."


def _entry(taint: Mapping[str, str]) -> str:
    value = f', value: "{taint["value"]}"' if taint.get("value") else ""
    return f"{{key: {taint['key']}{value}, effect: {taint['effect']}}}"


def _reached(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[tuple[str, ClusterNode]]:
    """The nodes on which Longhorn's managers are to run: a cordon keeps no DaemonSet off."""
    for name, found in sorted(facts.nodes.items()):
        is_kept_off = any(_keeps_longhorn_off(taint, wanted) for taint in found.taints)
        if not is_kept_off and not _missing_labels(found, wanted.node_selector):
            yield name, found


def _not_waiting_for_longhorn(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    """Nodes without which Longhorn never becomes ready, and that can't become so by waiting.

    Where Longhorn runs already, a node that is down is an ordinary day's trouble.
    """
    for name, found in _reached(facts, wanted):
        system = found.labels.get("kubernetes.io/os", "linux")
        architecture = found.labels.get("kubernetes.io/arch", _ARCHITECTURES[0])
        if system != "linux":
            yield CheckResult(
                node=name,
                check="nodeSystem",
                severity="error",
                found=f"it runs {system}, and Longhorn's managers are to run there too, which they "
                "do on Linux alone; Longhorn would never become ready",
                remedy="Set longhorn.values.global.cattle.windowsCluster.enabled: true, which "
                "keeps Longhorn to the Linux nodes.",
            )
        elif architecture not in _ARCHITECTURES:
            yield CheckResult(
                node=name,
                check="nodeSystem",
                severity="error",
                found=f"its architecture is {architecture}, and Longhorn has images for "
                f"{', '.join(_ARCHITECTURES)}; its managers would never start there",
                remedy="Install a system of 64 bits there, or keep Longhorn off it by a taint.",
            )
        elif found.unready is not None:
            yield CheckResult(
                node=name,
                check="nodeReady",
                severity="warning" if facts.longhorn.has_settings else "error",
                found=f"Kubernetes has it as not Ready ({found.unready}), and Longhorn becomes "
                "ready only with every node that it runs on",
                remedy=f"See `kubectl describe node {name}`; a node that is gone for good is "
                f"deleted: kubectl delete node {name}.",
            )


def _unprepared(facts: ClusterFacts, wanted: ClusterWanted) -> Iterator[CheckResult]:
    named = {node.name for node in wanted.nodes}
    for name, _ in _reached(facts, wanted):
        if name in named:
            continue
        yield CheckResult(
            node=name,
            check="unpreparedNode",
            severity="warning",
            found="Longhorn's managers run on this node too, and the stack does not prepare it; "
            "without iscsiadm there, Longhorn never becomes ready",
            remedy="List it under nodes (with `disks: []` if it is to hold no replicas), install "
            "open-iscsi there, or keep Longhorn off it by a taint.",
        )


def _written(taint: Mapping[str, str]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"
