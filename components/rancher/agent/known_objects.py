"""The objects that Rancher's import manifest may hold. The one table of them. Pure.

Source: Rancher 2.8.5 and 2.13, pkg/systemtemplate/template.go.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.common.answers import listed, mapped
from components.rancher.api.errors import ManifestMismatchError

NAMESPACE = "cattle-system"
AGENT = "cattle-cluster-agent"
CREDENTIALS = "credentials"
"""Key of the Secret that the agent joins with."""

Document = dict[str, Any]

_PULL_SECRET_LABEL = "management.cattle.io/cattle-cluster-agent-pull-secret"  # noqa: S105  a label
_DOCKER_CONFIG = "kubernetes.io/dockerconfigjson"
_API_PATHS = {
    "Secret": "/api/v1/namespaces/cattle-system/secrets",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/cattle-system/poddisruptionbudgets",
    "DaemonSet": "/apis/apps/v1/namespaces/cattle-system/daemonsets",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
}


def _anything(_document: Document) -> str:
    return ""


def _credentials(document: Document) -> str:
    found, needed = set(mapped(document.get("data"))), {"url", "token"}
    extra = sorted(found - needed - {"namespace"})
    if extra:
        return f"it holds {', '.join(extra)} beside url and token"
    missing = sorted(needed - found)
    return f"its data lack {' and '.join(missing)}, with which the agent joins" if missing else ""


def _pull_secret(document: Document) -> str:
    found, keys = document.get("type"), sorted(document.get("data") or {})
    if found != _DOCKER_CONFIG or keys != [".dockerconfigjson"]:
        return f"it is of type {found or 'Opaque'} with {', '.join(keys) or 'nothing'} in it"
    return ""


def _budget(document: Document) -> str:
    selector = mapped(document.get("spec")).get("selector")
    return "" if selector == {"matchLabels": {"app": AGENT}} else "it is for other pods"


def _agent(document: Document) -> str:
    spec = mapped(document.get("spec"))
    pod = mapped(mapped(spec.get("template")).get("spec"))
    return "" if spec.get("selector") and listed(pod.get("containers")) else "it has no pods"


def _endpoint(document: Document) -> str:
    template = mapped(mapped(document.get("spec")).get("template"))
    wrong = [
        str(each.get("name"))
        for each in listed(mapped(template.get("spec")).get("volumes"))
        if mapped(each.get("hostPath")).get("path") != "/etc/kubernetes"
    ]
    return f"it mounts {', '.join(wrong)} of the host" if wrong else ""


@dataclass(frozen=True, kw_only=True)
class KnownObject:
    """One object of the manifest.

    key: how this program calls it; optional ones have none of their own resources.
    name: a pattern for its whole name.
    feature: which of Rancher's settings it comes with; empty for what every manifest has.
    problem: what is wrong with one of that kind and name; empty if nothing is.
    label: the label that it must have.
    """

    key: str
    kind: str
    name: str
    is_cluster_wide: bool = False
    feature: str = ""
    problem: Callable[[Document], str] = _anything
    label: str = ""

    def is_it(self, document: Document) -> bool:
        """Whether this is the document's entry."""
        metadata: Mapping[str, Any] = document.get("metadata") or {}
        labels: Mapping[str, str] = metadata.get("labels") or {}
        is_place = self.is_cluster_wide or metadata.get("namespace") == NAMESPACE
        is_named = re.fullmatch(self.name, str(metadata.get("name"))) is not None
        is_labelled = not self.label or labels.get(self.label) == "true"
        return document.get("kind") == self.kind and is_named and is_place and is_labelled


def _wide(key: str, kind: str, name: str) -> KnownObject:
    return KnownObject(key=key, kind=kind, name=name, is_cluster_wide=True)


KNOWN: tuple[KnownObject, ...] = (
    _wide("namespace", "Namespace", NAMESPACE),
    _wide("admin-role", "ClusterRole", "cattle-admin"),
    _wide("admin-binding", "ClusterRoleBinding", "cattle-admin-binding"),
    _wide("proxy-role", "ClusterRole", "proxy-clusterrole-kubeapiserver"),
    _wide("proxy-binding", "ClusterRoleBinding", "proxy-role-binding-kubernetes-master"),
    KnownObject(key="service-account", kind="ServiceAccount", name="cattle"),
    KnownObject(key="service", kind="Service", name=AGENT),
    KnownObject(key="deployment", kind="Deployment", name=AGENT, problem=_agent),
    KnownObject(
        key=CREDENTIALS,
        kind="Secret",
        name="cattle-credentials-[a-z0-9]+",
        problem=_credentials,
    ),
    KnownObject(
        key="registry",
        kind="Secret",
        name="cattle-private-registry",
        feature="a private registry",
        problem=_pull_secret,
    ),
    KnownObject(
        key="registry",
        kind="Secret",
        name="[a-z0-9][-.a-z0-9]*",
        label=_PULL_SECRET_LABEL,
        feature="pull secrets of a private registry",
        problem=_pull_secret,
    ),
    KnownObject(
        key="disruption-budget",
        kind="PodDisruptionBudget",
        name="cattle-cluster-agent-pod-disruption-budget",
        feature="scheduling customization of the agent",
        problem=_budget,
    ),
    KnownObject(
        key="priority-class",
        kind="PriorityClass",
        name="cattle-cluster-agent-priority-class",
        is_cluster_wide=True,
        feature="scheduling customization of the agent",
    ),
    KnownObject(
        key="cluster-endpoint",
        kind="DaemonSet",
        name="kube-api-auth",
        feature="the authorized cluster endpoint",
        problem=_endpoint,
    ),
)
REQUIRED: Mapping[str, KnownObject] = {each.key: each for each in KNOWN if not each.feature}


def entry_of(document: Document) -> KnownObject:
    """The table's entry for an object of the manifest.

    Raises ManifestMismatchError for an object that is not in the table, and for one that holds
    what objects of its kind do not.
    """
    metadata: Mapping[str, Any] = document.get("metadata") or {}
    shown = f"{document.get('kind')} {metadata.get('name')}"
    found = next((each for each in KNOWN if each.is_it(document)), None)
    if found is None:
        raise ManifestMismatchError(
            f"the import manifest holds {shown} in namespace "
            f"{metadata.get('namespace') or '(none)'}, which is not known to this program. Nothing "
            "was applied; check with which setting of Rancher it comes, turn that off for this "
            "cluster, or apply the manifest by hand if it is right (stages.rancherImport: false)."
        )
    problem = found.problem(document)
    if problem:
        raise ManifestMismatchError(
            f"the import manifest holds {shown}, and {problem}: that is not known to this "
            "program. Nothing was applied; check who changed the manifest."
        )
    return found


def api_path(document: Document) -> str:
    """Where the API has an optional object of the table."""
    return f"{_API_PATHS[document['kind']]}/{document['metadata']['name']}"
