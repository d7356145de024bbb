"""What is wrong with volumes and disks in Longhorn that no resource of a stack can put right. Pure.

Source of the words: longhorn-manager v1.5.3, k8s/pkg/apis/longhorn/v1beta2 (volume.go, node.go,
orphan.go).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from components.common.answers import mapped
from components.common.names import some_names
from components.longhorn.capacity import disk_rooms, losses
from components.longhorn.fields import Object, condition, disk_status, spec_of, status_of
from components.longhorn.missing import unready_workloads
from components.longhorn.snapshot import Snapshot
from components.longhorn.storage import Storage
from components.longhorn.volumes import named
from components.preflight.report import CheckResult, of_cluster

_CONDITIONS = ("Ready", "Schedulable")
_ENGINE = "default-engine-image"


def check_storage(storage: Storage, closed: Collection[str] = ()) -> Iterator[CheckResult]:
    """Everything of it, a warning each.

    Args:
        storage: Longhorn.
        closed: Names of the nodes under maintenance, which may be cordoned.
    """
    yield from _volumes(storage.volumes)
    yield from _engines(storage)
    for name, node in sorted(storage.snapshot.nodes.items()):
        yield from _node(name, node, is_closed=name in closed)
    counts = Counter(str(spec_of(orphan).get("nodeID")) for orphan in storage.orphans)
    for name, count in sorted(counts.items()):
        yield _warning(
            name,
            "orphanedReplicas",
            f"{count} folder{'s' if count > 1 else ''} with replica data that no volume has",
            "Look at them under Setting, Orphaned Data in Longhorn's interface, and delete them "
            "there if nothing of them is needed.",
        )


def check_pods(snapshot: Snapshot, closed: Collection[str] = ()) -> Iterator[CheckResult]:
    """Pods of Longhorn's own workloads that do not run, arguments as for check_storage."""
    found = unready_workloads(snapshot, closed)
    if found:
        yield of_cluster(
            "longhornPods",
            "warning",
            f"not all pods of Longhorn run: {some_names(found)}",
            "See why: kubectl -n longhorn-system get pods; describe those that are not Running.",
        )


def check_losses(storage: Storage) -> Iterator[CheckResult]:
    """What the loss of any one node would break, for a stack that asks to survive it."""
    settings = storage.snapshot.settings
    found = losses(
        disk_rooms(storage.snapshot.nodes, settings),
        volumes=storage.volumes,
        replicas=storage.replicas,
        settings=settings,
    )
    for loss in found:
        if loss.lost:
            yield _warning(
                loss.node,
                "capacity",
                f"the loss of this node would lose {some_names(loss.lost)}, which "
                f"{'has' if len(loss.lost) == 1 else 'have'} no intact replica elsewhere that "
                "Longhorn reaches now",
                "Bring nodes and disks back that are away, let Longhorn rebuild, or give these "
                "volumes more replicas.",
            )
        if loss.unplaced:
            yield _warning(
                loss.node,
                "capacity",
                f"after the loss of this node {some_names(loss.unplaced)} would stay degraded, "
                "since no other node has room for another replica",
                "Add disks or nodes, or remove volumes.",
            )


def _volumes(volumes: Iterable[Object]) -> Iterator[CheckResult]:
    ill: dict[str, list[str]] = {"faulted": [], "degraded": []}
    for volume in volumes:
        robustness = str(status_of(volume).get("robustness"))
        if robustness in ill:
            ill[robustness].append(named(volume))
    remedies = {
        "faulted": "No intact replica is left where Longhorn can reach it: bring the disk or node "
        "back that has one, or restore a backup.",
        "degraded": "Longhorn rebuilds them where it finds room; see Volume in its interface for "
        "what keeps it from that.",
    }
    for robustness, names in ill.items():
        if names:
            yield of_cluster(
                "volumeHealth",
                "warning",
                f"{len(names)} {robustness} volume{'s' if len(names) > 1 else ''}: "
                f"{some_names(sorted(names))}",
                remedies[robustness],
            )


def _engines(storage: Storage) -> Iterator[CheckResult]:
    """Volumes that still have the engine of an earlier Longhorn."""
    own = storage.snapshot.settings.get(_ENGINE)
    former: dict[str, list[str]] = {}
    for volume in storage.volumes:
        image = status_of(volume).get("currentImage")
        if own and image and image != own:
            former.setdefault(str(image), []).append(named(volume))
    for image, names in sorted(former.items()):
        yield of_cluster(
            "volumeEngine",
            "warning",
            f"{len(names)} volume{'s' if len(names) > 1 else ''} with the engine {image}, not "
            f"{own}: {some_names(names)}",
            "Later versions of Longhorn refuse engines that are too old: Volume, Upgrade Engine in "
            "its interface, or set longhorn.values.defaultSettings."
            "concurrentAutomaticEngineUpgradePerNodeLimit.",
        )


def _node(name: str, node: Object, *, is_closed: bool) -> Iterator[CheckResult]:
    status, spec = status_of(node), spec_of(node)
    problem = _not_true(status, "Ready")
    if problem:
        yield _warning(
            name,
            "longhornNode",
            f"Longhorn's node is {problem}",
            f"See whether the host runs, and its longhorn-manager (kubectl -n longhorn-system get "
            f"pods -o wide --field-selector spec.nodeName={name}).",
        )
        return
    cordoned = _not_true(status, "Schedulable")
    if cordoned and spec.get("disks") and not is_closed:
        yield _warning(
            name,
            "longhornNode",
            f"Longhorn's node is {cordoned}",
            f"Longhorn puts no replica there until it takes pods again: kubectl uncordon {name} "
            "(a cordon of this stack's own is taken off by `pulumi up`).",
        )
    for disk, entry in sorted(mapped(spec.get("disks")).items()):
        wanted = _CONDITIONS if entry.get("allowScheduling") else _CONDITIONS[:1]
        found = [_not_true(disk_status(node, disk), kind) for kind in wanted]
        for said in [each for each in found if each][:1]:
            yield _warning(
                name,
                "longhornDisk",
                f"Longhorn's disk {entry.get('path')} is {said}",
                "Longhorn puts no replica there until that is put right.",
            )


def _not_true(status: Object, kind: str) -> str | None:
    """Why a condition is not true; None where it is, or Longhorn has not looked yet."""
    found = condition(status, kind)
    if found.get("status") != "False":
        return None
    said = found.get("message") or found.get("reason") or "no reason given"
    return f"not {kind} ({str(said).strip()})"


def _warning(node: str, check: Any, found: str, remedy: str) -> CheckResult:
    return CheckResult(node=node, check=check, severity="warning", found=found, remedy=remedy)
