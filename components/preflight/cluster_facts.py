"""One look at the cluster before anything is declared: what is there. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.cluster.api import ClusterApi, listed_plainly, unless_missing
from components.common.answers import listed, mapped
from components.longhorn.disks.cordon import holds_cordon
from components.longhorn.objects import GROUP, NAMESPACE, read_objects
from components.longhorn.snapshot import DEFAULT_CLASS_KEYS

_RELEASE_NAME = "meta.helm.sh/release-name"
_RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
_DNS_LABEL = "k8s-app=kube-dns"
# What K3s puts on everything that it applies from local-storage.yaml.
_OF_K3S = {
    "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon",
    "objectset.rio.cattle.io/owner-name": "local-storage",
}
_ANSWER: Mapping[str, Any] = {"_request_timeout": 10}


@dataclass(frozen=True, kw_only=True)
class ClusterNode:
    """A Node of Kubernetes."""

    taints: Sequence[Mapping[str, str]] = ()
    """key, effect and, if it has one, value."""
    is_cordoned: bool = False
    cordoned_by: Sequence[str] = ()
    """The field managers that closed it to pods, where it is."""
    unready: str | None = None
    """Why it is not Ready, in the kubelet's words; None if it is."""
    boot_id: str = ""
    """What its kubelet read from /proc/sys/kernel/random/boot_id; empty if it says nothing."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class LonghornLeftovers:
    """What there is of a Longhorn, of this stack or of another."""

    releases: Sequence[str] = ()
    """Which Helm releases own its definitions, as namespace/name."""
    has_unowned: bool = False
    """Whether no release owns one of them, as after `kubectl apply`."""
    volumes: Sequence[str] = ()
    """Names of its volumes; not read where it has settings."""
    has_settings: bool = False
    """Whether it has any setting, as every Longhorn that runs does."""
    is_terminating: bool = False
    """Whether its namespace is being deleted."""


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """The cluster as it is right now."""

    version: str
    """As the API server says it, such as v1.28.4+k3s2."""
    global_priority_class: str | None
    """Name of the PriorityClass that every pod without one gets."""
    priority_classes: Sequence[str] = ()
    """Names of all of them."""
    dns_replicas: int | None
    """How many replicas of CoreDNS there are to be; None when it is not found."""
    dns_name: str = "coredns"
    """The Deployment that has them."""
    nodes: Mapping[str, ClusterNode] = field(default_factory=dict[str, ClusterNode])
    """By name."""
    classes: Mapping[str, str] = field(default_factory=dict[str, str])
    """StorageClasses: the provisioner by name."""
    default_classes: Sequence[str] = ()
    """StorageClasses that are the default."""
    k3s_classes: Sequence[str] = ()
    """Those of them that K3s makes the default again at each of its starts."""
    secrets: Sequence[str] = ()
    """Names of those Secrets in Longhorn's namespace that were asked for and are there."""
    longhorn: LonghornLeftovers = LonghornLeftovers()


def read_cluster(api: ClusterApi, secrets: Iterable[str] = ()) -> ClusterFacts:
    """Ask the cluster.

    Args:
        secrets: Names in Longhorn's namespace to look for.

    Raises whatever the client raises when it does not answer.
    """
    version: Any = api.version.get_code(**_ANSWER)
    priorities: Any = api.custom.list_cluster_custom_object(
        "scheduling.k8s.io", "v1", "priorityclasses", **_ANSWER
    )
    dns: Any = api.apps.list_namespaced_deployment(
        "kube-system", label_selector=_DNS_LABEL, **_ANSWER
    )
    classes: Any = api.storage.list_storage_class(**_ANSWER)
    defaults = [
        c["metadata"]["name"] for c in listed(priorities["items"]) if c.get("globalDefault")
    ]
    default_classes = [item for item in listed(classes.items) if _is_default(item)]
    replicas = {
        str(deployment.metadata.name): int(deployment.spec.replicas or 0)
        for deployment in listed(dns.items)
    }
    dns_name = max(replicas, key=lambda name: replicas[name], default="coredns")
    return ClusterFacts(
        version=str(version.git_version),
        global_priority_class=defaults[0] if defaults else None,
        priority_classes=[str(c["metadata"]["name"]) for c in listed(priorities["items"])],
        dns_replicas=replicas.get(dns_name),
        dns_name=dns_name,
        nodes=read_nodes(api),
        classes={str(item.metadata.name): str(item.provisioner) for item in listed(classes.items)},
        default_classes=sorted(str(item.metadata.name) for item in default_classes),
        k3s_classes=sorted(str(item.metadata.name) for item in default_classes if _is_of_k3s(item)),
        secrets=[
            name
            for name in secrets
            if unless_missing(api.core.read_namespaced_secret, name, NAMESPACE, **_ANSWER)
        ],
        longhorn=_leftovers(api),
    )


def read_nodes(api: ClusterApi) -> dict[str, ClusterNode]:
    """The Nodes of Kubernetes, by name. Raises as read_cluster."""
    nodes = listed_plainly(api.core.list_node, **_ANSWER)
    return {str(node["metadata"]["name"]): _node(node) for node in nodes}


def cordoned_of(nodes: Mapping[str, ClusterNode]) -> list[str]:
    """The names of those that take no pods. Pure."""
    return [name for name, node in nodes.items() if node.is_cordoned]


def cordoned_by(nodes: Mapping[str, ClusterNode], manager: str) -> list[str]:
    """The names of those that take no pods since this field manager closed them. Pure."""
    return [name for name, node in nodes.items() if manager in node.cordoned_by]


def _node(node: Mapping[str, Any]) -> ClusterNode:
    spec, status = mapped(node.get("spec")), mapped(node.get("status"))
    return ClusterNode(
        taints=[
            {key: str(taint[key]) for key in ("key", "effect", "value") if taint.get(key)}
            for taint in listed(spec.get("taints"))
        ],
        is_cordoned=bool(spec.get("unschedulable")),
        cordoned_by=_closers(node) if spec.get("unschedulable") else (),
        unready=_unready(listed(status.get("conditions"))),
        boot_id=str(mapped(status.get("nodeInfo")).get("bootID") or ""),
        labels=mapped(node["metadata"].get("labels")),
        annotations=mapped(node["metadata"].get("annotations")),
    )


def _closers(node: Mapping[str, Any]) -> list[str]:
    return [
        str(entry.get("manager"))
        for entry in listed(node["metadata"].get("managedFields"))
        if holds_cordon(entry.get("fieldsV1"))
    ]


def _unready(conditions: Sequence[Mapping[str, Any]]) -> str | None:
    ready = next((each for each in conditions if each["type"] == "Ready"), None)
    if ready is None:
        return "its kubelet has never reported"
    words = " ".join(str(ready.get("message") or ready.get("reason") or "").split())
    return None if ready["status"] == "True" else words or "no reason is given"


def _is_default(storage_class: Any) -> bool:
    annotations = mapped(storage_class.metadata.annotations)
    return any(annotations.get(key) == "true" for key in DEFAULT_CLASS_KEYS)


def _is_of_k3s(storage_class: Any) -> bool:
    """Whether K3s applied it from its packaged manifest, and will again."""
    annotations = mapped(storage_class.metadata.annotations)
    return all(annotations.get(key) == value for key, value in _OF_K3S.items())


def _leftovers(api: ClusterApi) -> LonghornLeftovers:
    definitions: Any = api.extensions.list_custom_resource_definition(**_ANSWER)
    releases: set[str] = set()
    has_unowned = False
    for definition in listed(definitions.items):
        marks = mapped(definition.metadata.annotations)
        if definition.spec.group != GROUP:
            continue
        if marks.get(_RELEASE_NAME):
            releases.add(f"{marks.get(_RELEASE_NAMESPACE)}/{marks[_RELEASE_NAME]}")
        else:
            has_unowned = True
    namespace: Any = unless_missing(api.core.read_namespace, NAMESPACE, **_ANSWER)
    has_settings = bool(read_objects(api, "settings", everywhere=True, **_ANSWER))
    return LonghornLeftovers(
        releases=sorted(releases),
        has_unowned=has_unowned,
        # A Longhorn that runs has no leftovers, and its volumes are read with the rest of it.
        volumes=[] if has_settings else _volume_names(api),
        has_settings=has_settings,
        is_terminating=namespace is not None and namespace.status.phase == "Terminating",
    )


def _volume_names(api: ClusterApi) -> list[str]:
    found = read_objects(api, "volumes", everywhere=True, **_ANSWER) or []
    return sorted(str(item["metadata"]["name"]) for item in found)
