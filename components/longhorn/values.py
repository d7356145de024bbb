"""The Helm values of Longhorn, computed from the settings. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.nodes.description import Tolerated, taint_toleration, tolerations
from configuration.longhorn import LonghornSettings, replica_count
from configuration.longhorn_rules import value_at

_PARTS = ("longhornManager", "longhornDriver", "longhornUI")


def chart_values(
    longhorn: LonghornSettings,
    *,
    nodes_with_disks: int,
    tolerated: Sequence[Tolerated],
    registry_password: Any = None,
) -> dict[str, Any]:
    """The chart's values: what the program decides, with longhorn.values laid over it.

    Args:
        longhorn: The settings; their rules let nothing pass that would undo what is decided here.
        nodes_with_disks: How many nodes hold replicas.
        tolerated: The taints that Longhorn runs on.
        registry_password: The secret for longhorn.registryUser (an Output), if there is one.
    """
    replicas = replica_count(longhorn.replica_count, nodes_with_disks)
    settings: dict[str, Any] = {
        "createDefaultDiskLabeledNodes": True,
        "defaultReplicaCount": replicas,
        **longhorn.default_settings.model_dump(by_alias=True, exclude_none=True),
    }
    persistence: dict[str, Any] = {
        "defaultClass": longhorn.default_storage_class,
        "defaultClassReplicaCount": replicas,
        "reclaimPolicy": longhorn.reclaim_policy,
    }
    values: dict[str, Any] = {
        "defaultSettings": settings,
        "persistence": persistence,
        "csi": {"kubeletRootDir": longhorn.kubelet_root_dir},
        "service": {"ui": {"type": "ClusterIP"}},
    }
    # The setting is for volumes without a class; the chart's class has its own value.
    locality = longhorn.default_settings.default_data_locality or value_at(
        longhorn.values, "defaultSettings.defaultDataLocality"
    )
    if locality is not None:
        persistence["defaultDataLocality"] = locality
    if tolerated:
        settings["taintToleration"] = taint_toleration(tolerated)
        for part in _PARTS:
            values[part] = {"tolerations": tolerations(tolerated)}
    if longhorn.registry is not None:
        values["global"] = {"cattle": {"systemDefaultRegistry": longhorn.registry}}
    private: dict[str, Any] = {}
    if longhorn.registry_secret is not None:
        private["registrySecret"] = longhorn.registry_secret
    if registry_password is not None:
        private |= {
            "createSecret": True,
            "registryUrl": longhorn.registry,
            "registryUser": longhorn.registry_user,
            "registryPasswd": registry_password,
        }
    if private:
        values["privateRegistry"] = private
    return _laid_over(values, longhorn.values)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merged key by key, lists and tolerations joined; the rest of `above` wins, as in Helm.

    Nothing (null) over something that is decided below says nothing.
    """
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        if lower is None:
            merged[key] = value
        elif isinstance(lower, Mapping) and isinstance(value, Mapping):
            merged[key] = _laid_over(cast(Mapping[str, Any], lower), cast(Mapping[str, Any], value))
        elif isinstance(lower, list) and isinstance(value, list):
            merged[key] = _joined(cast(list[Any], lower), cast(list[Any], value))
        elif key == "taintToleration" and isinstance(value, str):
            merged[key] = ";".join(_joined(cast(str, lower).split(";"), value.split(";")))
        elif value is not None:
            merged[key] = value
    return merged


def _joined(lower: list[Any], upper: list[Any]) -> list[Any]:
    return [*lower, *(item for item in upper if item and item not in lower)]
