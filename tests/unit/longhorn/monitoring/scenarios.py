"""What fires each alert, and what does not: series as the manager of Longhorn 1.5.3 names them.

In the notation of promtool (`test rules`): `0+10x5` is six samples that grow by ten, `_` none.
"""

from dataclasses import dataclass, field

HOURS = 24
_TARGET = 'namespace="longhorn-system",job="longhorn-backend",pod="longhorn-manager-{}"'


@dataclass(frozen=True)
class Scenario:
    """Series, a sample a minute, and the one alert that they fire."""

    alert: str
    series: dict[str, str]
    at: str
    """When it is looked at, such as 30m."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """The labels of the alert that fires, beside its name and severity."""
    fires: bool = True


def _of(metric: str, labels: str, manager: str = "a") -> str:
    target = _TARGET.format(manager)
    return f"{metric}{{{target}{',' if labels else ''}{labels}}}"


def _volume(metric: str, name: str = "pvc-1", manager: str = "a") -> str:
    labels = f'node="node-{manager}",volume="{name}",pvc="data",pvc_namespace="shop"'
    return _of(f"longhorn_volume_{metric}", labels, manager)


def _node(condition: str, reason: str, manager: str = "a") -> str:
    labels = f'node="node-{manager}",condition="{condition}",condition_reason="{reason}"'
    return _of("longhorn_node_status", labels, manager)


def _disk(condition: str, reason: str) -> str:
    labels = f'node="node-a",disk="d1",condition="{condition}",condition_reason="{reason}"'
    return _of("longhorn_disk_status", labels)


def _size(metric: str) -> str:
    return _of(f"longhorn_disk_{metric}_bytes", 'node="node-a",disk="d1"')


def _backup(name: str, manager: str = "a") -> str:
    return _of("longhorn_backup_state", f'volume="pvc-1",backup="{name}"', manager)


def _kubelet(metric: str, claim: str = "data") -> str:
    return (
        f"kubelet_volume_stats_{metric}_bytes"
        f'{{namespace="shop",persistentvolumeclaim="{claim}",node="node-a",job="kubelet"}}'
    )


_COUNT = _of("longhorn_node_count_total", "")
_COUNT_OF_B = _of("longhorn_node_count_total", "", "b")
_CLAIM = {"volume": "pvc-1", "pvc": "data", "pvc_namespace": "shop"}
_OF_CLAIM = {"namespace": "shop", "persistentvolumeclaim": "data"}
_DAY = 60 * HOURS
_LONG = f"{2 * _DAY}m"
_OLD_AT = {_volume("capacity_bytes"): f"1x{2 * _DAY}"}

SCENARIOS = (
    Scenario("LonghornMetricsAbsent", {}, "10m"),
    Scenario("LonghornMetricsAbsent", {_COUNT: "3x20"}, "20m", fires=False),
    Scenario("LonghornVolumeFaulted", {_volume("robustness"): "3x20"}, "10m", _CLAIM),
    Scenario("LonghornVolumeFaulted", {_volume("robustness"): "0x20"}, "10m", fires=False),
    Scenario("LonghornVolumeDegraded", {_volume("robustness"): "2x60"}, "40m", _CLAIM),
    # Another manager owns the volume from then on.
    Scenario(
        "LonghornVolumeDegraded",
        {
            _volume("robustness"): "2x20 stale",
            _volume("robustness", manager="b"): "_x20 2x40",
        },
        "40m",
        _CLAIM,
    ),
    # A rebuild that goes well.
    Scenario("LonghornVolumeDegraded", {_volume("robustness"): "2x20 1x40"}, "40m", fires=False),
    # The manager of node-a is gone with its node.
    Scenario(
        "LonghornNodesAway",
        {
            _COUNT: "2x5 stale",
            _COUNT_OF_B: "2x30",
            _node("ready", ""): "1x5 stale",
            _node("ready", "", "b"): "1x30",
        },
        "20m",
    ),
    Scenario("LonghornNodesAway", {_COUNT: "1x30", _node("ready", "Down"): "0x30"}, "20m"),
    Scenario(
        "LonghornNodesAway",
        {
            _COUNT: "2x30",
            _COUNT_OF_B: "2x30",
            _node("ready", ""): "1x30",
            _node("ready", "", "b"): "1x30",
        },
        "20m",
        fires=False,
    ),
    Scenario(
        "LonghornNodeNotReady",
        {_node("ready", "ManagerPodDown"): "0x30"},
        "10m",
        {"node": "node-a", "condition_reason": "ManagerPodDown"},
    ),
    Scenario(
        "LonghornNodeNotReady", {_node("schedulable", "Cordoned"): "0x30"}, "10m", fires=False
    ),
    Scenario(
        "LonghornDiskNotReady",
        {_disk("ready", "DiskFilesystemChanged"): "0x30"},
        "10m",
        {"node": "node-a", "disk": "d1", "condition_reason": "DiskFilesystemChanged"},
    ),
    Scenario("LonghornDiskNotReady", {_disk("ready", ""): "1x30"}, "10m", fires=False),
    Scenario(
        "LonghornDiskNotSchedulable",
        {_disk("schedulable", "DiskPressure"): "0x30"},
        "20m",
        {"node": "node-a", "disk": "d1", "condition_reason": "DiskPressure"},
    ),
    Scenario("LonghornDiskNotSchedulable", {_disk("schedulable", ""): "1x30"}, "20m", fires=False),
    Scenario(
        "LonghornDiskAlmostFull",
        {_size("usage"): "91x20", _size("capacity"): "100x20"},
        "10m",
        {"node": "node-a", "disk": "d1"},
    ),
    # A disk that is not Ready has no size.
    Scenario(
        "LonghornDiskAlmostFull",
        {_size("usage"): "0x20", _size("capacity"): "0x20"},
        "10m",
        fires=False,
    ),
    Scenario(
        "LonghornVolumeAlmostFull",
        {
            _kubelet("used"): "91x20",
            _kubelet("capacity"): "100x20",
            _volume("capacity_bytes"): "100x20",
        },
        "10m",
        _OF_CLAIM,
    ),
    # A claim of another storage.
    Scenario(
        "LonghornVolumeAlmostFull",
        {
            _kubelet("used", "other"): "91x20",
            _kubelet("capacity", "other"): "100x20",
            _volume("capacity_bytes"): "100x20",
        },
        "10m",
        fires=False,
    ),
    Scenario(
        "LonghornBackupFailed",
        {_backup("b-1"): "2x2 4x20"},
        "10m",
        {"volume": "pvc-1", "backup": "b-1"},
    ),
    Scenario("LonghornBackupFailed", {_backup("b-1"): "2x2 3x20"}, "10m", fires=False),
    # Its one backup was complete a day ago.
    Scenario("LonghornBackupOld", {**_OLD_AT, _backup("b-1"): f"3x{2 * _DAY}"}, _LONG, _CLAIM),
    # It never had one.
    Scenario("LonghornBackupOld", _OLD_AT, _LONG, _CLAIM),
    # A failed one is none.
    Scenario(
        "LonghornBackupOld", {**_OLD_AT, _backup("b-1"): f"_x{_DAY + 60} 4x{_DAY}"}, _LONG, _CLAIM
    ),
    Scenario(
        "LonghornBackupOld",
        {**_OLD_AT, _backup("b-1"): f"_x{_DAY + 60} 3x{_DAY}"},
        _LONG,
        fires=False,
    ),
    # Another manager owns the old backup, which makes it no young one.
    Scenario(
        "LonghornBackupOld",
        {
            **_OLD_AT,
            _backup("b-1"): f"3x{_DAY} stale",
            _backup("b-1", "b"): f"_x{_DAY} 3x{_DAY}",
        },
        _LONG,
        _CLAIM,
    ),
    # A volume that is younger than that.
    Scenario(
        "LonghornBackupOld",
        {_volume("capacity_bytes"): f"_x{_DAY + 60} 1x{_DAY}"},
        _LONG,
        fires=False,
    ),
)
