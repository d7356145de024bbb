"""What a stack wants of its cluster, as far as one look at the cluster can tell. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from components.longhorn.versions import minor_of
from components.nodes.description import Tolerated, read_taint_toleration, tolerated_taints
from configuration.longhorn import FrontendSettings, LonghornSettings
from configuration.settings import Settings

_TAINTS, _SELECTOR = "taintToleration", "systemManagedComponentsNodeSelector"
_PARTS = ("longhornManager", "longhornDriver", "longhornUI")
# By these cert-manager makes the Secret that the Ingress names.
_ISSUERS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme")


@dataclass(frozen=True, kw_only=True)
class WantedNode:
    """A node of the stack that is not lost."""

    name: str
    """nodes[].name."""
    has_disks: bool
    """Whether Longhorn is to hold replicas there."""
    is_untainted: bool = False
    """Whether the program takes the control-plane taints off."""
    keeps_default_class: bool = False
    """Whether the program keeps K3s from making its own class the default there."""


@dataclass(frozen=True, kw_only=True)
class ClusterWanted:
    """What the stack counts on."""

    longhorn_version: str | None
    """longhorn.version; None where the stack installs no Longhorn."""
    nodes: Sequence[WantedNode] = ()
    prepares_nodes: bool = False
    """Whether the stack installs packages on its nodes, so that others are left without."""
    tolerated: Sequence[Tolerated] = field(default_factory=tuple)
    """The taints that Longhorn's managers tolerate."""
    tolerated_by_parts: Sequence[Tolerated] | None = None
    """Those that the pods that they start tolerate; None for the same."""
    is_default_class: bool = False
    """Whether `longhorn` is to be the one default StorageClass."""
    own_classes: Sequence[tuple[str, str]] = ()
    """StorageClasses that the stack makes: stack key and name."""
    classes: Sequence[tuple[str, str]] = ()
    """StorageClasses that must be there: stack key and name."""
    secrets: Sequence[tuple[str, str]] = ()
    """Secrets in Longhorn's namespace that must be there: stack key and name."""
    replica_count: int | None = None
    """longhorn.replicaCount."""
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that longhorn.values keeps Longhorn's managers to."""
    parts_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that it keeps the pods to that they start."""
    priority_classes: Sequence[tuple[str, str]] = ()
    """PriorityClasses that must be there: stack key and name."""
    has_pod_security_policy: bool = False
    """Whether longhorn.values asks for one."""


def cluster_wanted(settings: Settings) -> ClusterWanted:
    """What this stack wants."""
    stages, longhorn, frontend = settings.stages, settings.longhorn, settings.frontend
    untaints = stages.labels and settings.control_plane.scheduling == "untaint"
    is_ingress = stages.frontend and frontend.type == "Ingress"
    secrets = [
        (
            "longhorn.registrySecret",
            longhorn.registry_secret if stages.longhorn and not _makes_secret(longhorn) else None,
        ),
        (
            "frontend.tlsSecret",
            frontend.tls_secret if is_ingress and not _fills_secret(frontend) else None,
        ),
        (
            "longhorn.backup.credentialSecret",
            longhorn.backup.credential_secret if stages.longhorn and longhorn.backup else None,
        ),
    ]
    tolerated = tolerated_taints(longhorn.tolerations, settings.control_plane.scheduling)
    own_classes = [
        (f"longhorn.storageClasses[{number}].name", each.name)
        for number, each in enumerate(longhorn.storage_classes)
    ]
    checked = settings.volume_check.storage_class
    is_made = stages.longhorn and checked in {"longhorn", *(name for _, name in own_classes)}
    return ClusterWanted(
        longhorn_version=longhorn.version if stages.longhorn else None,
        nodes=[
            WantedNode(
                name=node.name,
                has_disks=bool(settings.disks_of(node)),
                is_untainted=untaints and node.control_plane,
                keeps_default_class=settings.keeps_default_class_on(node),
            )
            for node in settings.present_nodes
        ],
        prepares_nodes=stages.packages,
        tolerated=[*tolerated, *_in_values(longhorn.values)],
        tolerated_by_parts=[*tolerated, *read_taint_toleration(_default(longhorn, _TAINTS))],
        is_default_class=stages.longhorn and longhorn.default_storage_class,
        own_classes=own_classes if stages.longhorn else [],
        classes=[("volumeCheck.storageClass", checked)]
        if stages.volume_check and not is_made
        else [],
        secrets=[(key, name) for key, name in secrets if name is not None],
        replica_count=longhorn.replica_count if stages.longhorn else None,
        node_selector=_node_selector(longhorn.values),
        parts_selector=dict(
            each.strip().split(":", 1)
            for each in _default(longhorn, _SELECTOR).split(";")
            if ":" in each
        ),
        priority_classes=list(_priority_classes(longhorn)) if stages.longhorn else [],
        has_pod_security_policy=stages.longhorn and str(longhorn.values.get("enablePSP")) == "True",
    )


def _fills_secret(frontend: FrontendSettings) -> bool:
    """Whether cert-manager makes the Ingress's Secret, once the Ingress is there."""
    return frontend.cluster_issuer is not None or any(
        name in frontend.annotations for name in _ISSUERS
    )


def _priority_classes(longhorn: LonghornSettings) -> Iterator[tuple[str, str]]:
    has_own = minor_of(longhorn.version).has_priority_class
    for part in ("defaultSettings", *_PARTS):
        name = _map_in(longhorn.values, part).get("priorityClass")
        if name and not (has_own and name == "longhorn-critical"):
            yield f"longhorn.values.{part}.priorityClass", str(name)


def _default(longhorn: LonghornSettings, name: str) -> str:
    """One of the default settings that longhorn.values gives; empty where it is not given."""
    return str(_map_in(longhorn.values, "defaultSettings").get(name) or "")


def _node_selector(values: Mapping[str, Any]) -> dict[str, str]:
    """Labels of the nodes that Longhorn's managers are kept to, as the chart joins them."""
    windows = _map_in(_map_in(_map_in(values, "global"), "cattle"), "windowsCluster")
    given = _map_in(windows, "nodeSelector") or {"kubernetes.io/os": "linux"}
    return {
        **(_texts(given) if windows.get("enabled") is True else {}),
        **_texts(_map_in(_map_in(values, "longhornManager"), "nodeSelector")),
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in values.items() if value is not None}


def _makes_secret(longhorn: LonghornSettings) -> bool:
    """Whether the chart itself makes the Secret of the registry."""
    given = _map_in(longhorn.values, "privateRegistry")
    return longhorn.registry_user is not None or bool(given.get("createSecret"))


def _in_values(values: Mapping[str, Any]) -> list[Tolerated]:
    """What longhorn.values lets Longhorn's managers onto; an empty key or effect is any."""
    given = _map_in(values, "longhornManager").get("tolerations")
    entries = cast(list[Any], given) if isinstance(given, list) else []
    found: list[Tolerated] = []
    for entry in entries:
        if isinstance(entry, dict):
            each = cast(dict[str, Any], entry)
            value = each.get("value", "") if each.get("operator") != "Exists" else None
            found.append(
                Tolerated(
                    key=str(each.get("key") or ""),
                    effect=str(each.get("effect") or ""),
                    value=None if value is None else str(value),
                )
            )
    return found


def _map_in(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}
