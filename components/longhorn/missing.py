"""What of Longhorn is missing while it starts or is upgraded. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from components.common.answers import mapped
from components.common.versions import version_of
from components.longhorn.fields import condition, disk_status, is_true, spec_of, status_of
from components.longhorn.objects import DRIVER
from components.longhorn.snapshot import DEFAULT_CLASS_KEYS, Snapshot, Workload

STORAGE_CLASS = "longhorn"
DEPLOYER = "longhorn-driver-deployer"
_MANAGER = "longhorn-manager"
_CSI_PLUGIN = "longhorn-csi-plugin"
_DAEMON_SETS = (_MANAGER, _CSI_PLUGIN)
CSI_DEPLOYMENTS = ("csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter")
_CHART_DEPLOYMENTS = (DEPLOYER, "longhorn-ui")
_DEPLOYMENTS = (*CSI_DEPLOYMENTS, *_CHART_DEPLOYMENTS)
# longhorn-manager v1.5.3, k8s/pkg/apis/longhorn/v1beta2/node.go.
_FULL = "DiskPressure"
_ENGINE_IMAGE_PREFIX = "engine-image-"
_ENGINE_IMAGE_ARGUMENT = "--engine-image"


def missing_parts(
    snapshot: Snapshot,
    *,
    version: str,
    disks_by_node: Mapping[str, Sequence[str]],
    closed: Collection[str] = (),
    wants_default_class: bool,
) -> list[str]:
    """What is not there or not ready yet, one line each; empty when Longhorn is ready. Pure.

    The host of a node under maintenance may be down: then nothing of that node is missing.

    Args:
        snapshot: What the cluster says.
        version: longhorn.version, which must be the one that runs.
        disks_by_node: Paths of the disks that must be ready, by node name.
        closed: Names of the nodes under maintenance.
        wants_default_class: Whether `longhorn` must be the one default StorageClass.
    """
    down = _down(snapshot, closed)
    return [
        *_version_missing(snapshot, version),
        *_workloads_missing("DaemonSet", snapshot.daemon_sets, _DAEMON_SETS, without=len(down)),
        *_workloads_missing("Deployment", snapshot.deployments, _DEPLOYMENTS),
        *_engine_images_missing(snapshot.daemon_sets, without=len(down)),
        *([] if snapshot.has_driver else [f"CSIDriver {DRIVER}"]),
        *_classes_missing(snapshot, wants_default_class),
        *(
            line
            for node, paths in sorted(disks_by_node.items())
            if node not in down
            for line in disks_missing(node, snapshot.nodes.get(node), paths)
        ),
    ]


def gone_parts(snapshot: Snapshot) -> list[str]:
    """What of the CSI driver somebody has taken away, one line each.

    No wait brings it: what makes it does so when it starts, and not again (longhorn-manager v1.5.3,
    app/driver.go).
    """
    plugin = any(workload.name == _CSI_PLUGIN for workload in snapshot.daemon_sets)
    present = {workload.name for workload in snapshot.deployments}
    return [
        *([] if plugin else [f"DaemonSet {_CSI_PLUGIN} is gone"]),
        *(f"Deployment {name} is gone" for name in CSI_DEPLOYMENTS if name not in present),
        *stopped(snapshot, CSI_DEPLOYMENTS),
        *([] if snapshot.has_driver else [f"CSIDriver {DRIVER} is gone"]),
    ]


def stopped(snapshot: Snapshot, names: Collection[str] = _CHART_DEPLOYMENTS) -> list[str]:
    """Which of these Deployments somebody has scaled to 0; by itself the chart's own."""
    return [f"Deployment {name} is scaled to 0" for name in stopped_names(snapshot, names)]


def stopped_names(snapshot: Snapshot, names: Collection[str]) -> list[str]:
    """As `stopped`, by their names alone."""
    found = snapshot.deployments
    return [each.name for each in found if each.name in names and not each.wanted]


def is_newer(snapshot: Snapshot, wanted: str) -> bool:
    """Whether a later Longhorn runs than this, as after somebody else's upgrade."""
    running, asked = version_of(snapshot.version or ""), version_of(wanted)
    return running is not None and asked is not None and running.release > asked.release


def unready_workloads(snapshot: Snapshot, closed: Collection[str] = ()) -> list[str]:
    """The workloads of which pods are not ready, one line each.

    Args:
        snapshot: What the cluster says.
        closed: Names of the nodes under maintenance, whose hosts may be down.
    """
    down = len(_down(snapshot, closed))
    return [
        _pods(kind, workload)
        for kind, found, names, spared in (
            ("DaemonSet", snapshot.daemon_sets, _DAEMON_SETS, down),
            ("Deployment", snapshot.deployments, _DEPLOYMENTS, 0),
        )
        for workload in found
        if workload.name in names or workload.name.startswith(_ENGINE_IMAGE_PREFIX)
        if workload.ready < workload.wanted - spared
    ]


def _pods(kind: str, workload: Workload) -> str:
    return f"{kind} {workload.name} ({workload.ready} of {workload.wanted} pods ready)"


def _down(snapshot: Snapshot, closed: Collection[str]) -> set[str]:
    """Those of the nodes under maintenance that do not run."""
    return {name for name in closed if not _is_up(snapshot.nodes.get(name))}


def _is_up(node: Mapping[str, Any] | None) -> bool:
    return node is not None and is_true(status_of(node), "Ready")


def _workloads_missing(
    kind: str, found: Iterable[Workload], names: Iterable[str], *, without: int = 0
) -> Iterator[str]:
    """Those that lack pods, more of them than there are nodes to do without."""
    by_name = {workload.name: workload for workload in found}
    for name in names:
        workload = by_name.get(name)
        if workload is None:
            yield f"{kind} {name}"
        elif workload.ready < max(workload.wanted - without, 1):
            yield _pods(kind, workload)


def _version_missing(snapshot: Snapshot, wanted: str) -> Iterator[str]:
    """An upgrade that has not arrived yet: managers first, then CSI driver and engine image."""
    running, asked = version_of(snapshot.version or ""), version_of(wanted)
    # A build of one's own may have something behind the hyphen.
    if running is None or asked is None or running.release != asked.release:
        yield f"Longhorn {wanted} (it says that it is {snapshot.version or 'none yet'})"
    by_name = {workload.name: workload for workload in snapshot.daemon_sets}
    manager, plugin = by_name.get(_MANAGER), by_name.get(_CSI_PLUGIN)
    if manager is None:
        return
    if plugin is not None and not set(manager.images) & set(plugin.images):
        yield f"DaemonSet {_CSI_PLUGIN} with the image {', '.join(manager.images)}"
    engine = _engine_image_of(manager)
    if engine is not None and not any(
        engine in workload.images
        for name, workload in by_name.items()
        if name.startswith(_ENGINE_IMAGE_PREFIX)
    ):
        yield f"DaemonSet {_ENGINE_IMAGE_PREFIX}… with the image {engine}"


def _engine_image_of(manager: Workload) -> str | None:
    words = list(manager.arguments)
    if _ENGINE_IMAGE_ARGUMENT not in words[:-1]:
        return None
    return words[words.index(_ENGINE_IMAGE_ARGUMENT) + 1]


def _engine_images_missing(found: Iterable[Workload], *, without: int) -> Iterator[str]:
    images = [workload for workload in found if workload.name.startswith(_ENGINE_IMAGE_PREFIX)]
    if not images:
        yield f"DaemonSet {_ENGINE_IMAGE_PREFIX}…"
    names = [image.name for image in images]
    yield from _workloads_missing("DaemonSet", images, names, without=without)


def _classes_missing(snapshot: Snapshot, wants_default_class: bool) -> Iterator[str]:
    if STORAGE_CLASS not in snapshot.storage_classes:
        yield f"StorageClass {STORAGE_CLASS}"
    elif wants_default_class and list(snapshot.default_classes) != [STORAGE_CLASS]:
        yield (
            f"{STORAGE_CLASS} as the one default StorageClass (default now: "
            f"{', '.join(snapshot.default_classes) or 'none'}; if something puts the annotation "
            f"{DEFAULT_CLASS_KEYS[0]} back on others, end that, or set "
            "longhorn.defaultStorageClass: false)"
        )


def disks_missing(name: str, node: Mapping[str, Any] | None, paths: Iterable[str]) -> Iterator[str]:
    """Which of a node's disks Longhorn does not have, or not Ready and Schedulable, and why.

    Args:
        name: The node's name.
        node: The nodes.longhorn.io object; None where Longhorn does not have it.
        paths: Mount points of the disks.
    """
    if node is None:
        yield f"nodes.longhorn.io {name}"
        return
    status = status_of(node)
    if not is_true(status, "Ready"):
        yield f"node {name}: {_reason(status, 'Ready')}"
    spec = spec_of(node)
    spec_disks = mapped(spec.get("disks"))
    by_path = {disk.get("path", "").rstrip("/"): key for key, disk in spec_disks.items()}
    for path in paths:
        key = by_path.get(path)
        if key is None:
            yield f"disk {path} of node {name} in Longhorn"
            continue
        said = disk_status(node, key)
        wanted = ["Ready"]
        if spec_disks[key].get("allowScheduling"):
            wanted.append("Schedulable")
        for kind in wanted:
            if not is_true(said, kind) and not _is_full(said, kind):
                yield f"disk {path} of node {name}: {_reason(said, kind)}"


def _is_full(status: Mapping[str, Any], kind: str) -> bool:
    """Whether a disk only has no room left, which no wait changes; a preview warns of it."""
    return kind == "Schedulable" and condition(status, kind).get("reason") == _FULL


def _reason(status: Mapping[str, Any], kind: str) -> str:
    found = condition(status, kind)
    if not found:
        return f"not {kind} yet"
    return f"not {kind} ({found.get('message') or found.get('reason') or 'no reason given'})"
