"""The Helm values of Longhorn, computed from the settings. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.nodes.description import Tolerated, taint_toleration, tolerations
from configuration.longhorn import LonghornSettings, replica_count


def chart_values(
    longhorn: LonghornSettings, *, nodes_with_disks: int, tolerated: Sequence[Tolerated]
) -> dict[str, Any]:
    """The chart's values: what the program decides, with longhorn.values laid over it.

    Args:
        longhorn: The settings.
        nodes_with_disks: How many nodes hold replicas.
        tolerated: The taints that Longhorn runs on.
    """
    replicas = replica_count(longhorn.replica_count, nodes_with_disks)
    settings: dict[str, Any] = {
        "createDefaultDiskLabeledNodes": True,
        "defaultReplicaCount": replicas,
        **longhorn.default_settings.model_dump(by_alias=True, exclude_none=True),
    }
    values: dict[str, Any] = {
        "defaultSettings": settings,
        "persistence": {
            "defaultClass": longhorn.default_storage_class,
            "defaultClassReplicaCount": replicas,
            "reclaimPolicy": longhorn.reclaim_policy,
        },
        "csi": {"kubeletRootDir": longhorn.kubelet_root_dir},
        "service": {"ui": {"type": "ClusterIP"}},
    }
    if tolerated:
        settings["taintToleration"] = taint_toleration(tolerated)
        for part in ("longhornManager", "longhornDriver", "longhornUI"):
            values[part] = {"tolerations": tolerations(tolerated)}
    if longhorn.registry is not None:
        values["global"] = {"cattle": {"systemDefaultRegistry": longhorn.registry}}
    if longhorn.registry_secret is not None:
        values["privateRegistry"] = {"registrySecret": longhorn.registry_secret}
    return _laid_over(values, longhorn.values)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merged key by key; everything else of `above` replaces what is below, as Helm does."""
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        if isinstance(lower, Mapping) and isinstance(value, Mapping):
            merged[key] = _laid_over(cast(Mapping[str, Any], lower), cast(Mapping[str, Any], value))
        else:
            merged[key] = value
    return merged
