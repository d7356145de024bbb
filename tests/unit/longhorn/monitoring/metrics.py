"""What the managers of Longhorn 1.5 and 1.6 tell Prometheus: labels by metric.

Source: longhorn-manager v1.5.3 and v1.6.4, metrics_collector/. Where the real manager runs,
tests/engine/test_longhorn_manager.py compares it with what that answers.
"""

_VOLUME = ("node", "volume", "pvc", "pvc_namespace")
_DISK = ("node", "disk")
_BACKUP = ("volume", "backup")

METRICS: dict[str, tuple[str, ...]] = {
    "longhorn_volume_capacity_bytes": _VOLUME,
    "longhorn_volume_actual_size_bytes": _VOLUME,
    "longhorn_volume_state": _VOLUME,
    "longhorn_volume_robustness": _VOLUME,
    "longhorn_volume_read_throughput": _VOLUME,
    "longhorn_volume_write_throughput": _VOLUME,
    "longhorn_node_status": ("node", "condition", "condition_reason"),
    "longhorn_node_count_total": (),
    "longhorn_disk_capacity_bytes": _DISK,
    "longhorn_disk_usage_bytes": _DISK,
    "longhorn_disk_status": (*_DISK, "condition", "condition_reason"),
    "longhorn_backup_actual_size_bytes": _BACKUP,
    "longhorn_backup_state": _BACKUP,
    # The kubelet's own.
    "kubelet_volume_stats_used_bytes": ("namespace", "persistentvolumeclaim"),
    "kubelet_volume_stats_capacity_bytes": ("namespace", "persistentvolumeclaim"),
}
