"""What Rancher brings into a cluster that is imported, and its own clean-up leaves there.

Rancher's agent makes definitions, namespaces and roles of its own beside the import manifest's
objects; the clean-up Job removes part of them. Each is known by a name that is Rancher's alone.
Definitions of K3s and RKE2 (helm.cattle.io, k3s.cattle.io), of the system upgrade controller
(upgrade.cattle.io) and of Fleet (fleet.cattle.io) are in none of these groups: they belong to
others, who may have them without Rancher.
Source: Rancher 2.8.5, pkg/agent/clean/cluster.go, pkg/crds/dashboard/crds.go,
pkg/data/dashboard/rbac.go, pkg/controllers/management/usercontrollers/controller.go; and what a
cluster was seen to hold after its removal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ApiError, ClusterApi
from components.common.answers import listed, mapped
from components.rancher.agent.namespaces import free_namespace

JOB_NAMESPACE, JOB_PREFIX = "default", "cattle-cleanup-"
_GROUPS = (
    "catalog.cattle.io",
    "cluster.cattle.io",
    "management.cattle.io",
    "project.cattle.io",
    "ui.cattle.io",
)
_NAMESPACES = ("cattle-fleet-system", "cattle-impersonation-system", "cattle-system", "local")
_ROLES = ("cattle-admin", "cattle-unauthenticated", "proxy-clusterrole-kubeapiserver")
_BINDINGS = (
    "cattle-admin-binding",
    "cattle-unauthenticated",
    "proxy-role-binding-kubernetes-master",
)
_OWN_FINALIZERS = "cattle.io/"
_CREATOR = ("cattle.io/creator", "norman")
"""What Rancher marks its roles with; its own clean-up goes by it."""


@dataclass(frozen=True, order=True)
class Belonging:
    """One thing of Rancher's in the cluster."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def clean_up_jobs(cluster: ClusterApi) -> list[str]:
    """Names of Rancher's clean-up Jobs that are at work: each removes itself when it is done.

    So one that counts as complete and is still there is not done; one that failed never will be.
    """
    return _jobs(cluster, ["Failed"])


def working_jobs(cluster: ClusterApi, answer_seconds: float) -> list[str]:
    """Names of those that still delete what an import makes now: neither failed nor complete."""
    return _jobs(cluster, ["Failed", "Complete"], _request_timeout=answer_seconds)


def belongings(cluster: ClusterApi) -> list[Belonging]:
    """Everything in the cluster that has one of Rancher's names."""
    return sorted(
        [
            *_named("ClusterRole", cluster.rbac.list_cluster_role, _ROLES),
            *_named("ClusterRoleBinding", cluster.rbac.list_cluster_role_binding, _BINDINGS),
            *_named("Namespace", cluster.core.list_namespace, _NAMESPACES),
            *(
                Belonging("CustomResourceDefinition", each.metadata.name)
                for each in listed(cluster.extensions.list_custom_resource_definition().items)
                if each.spec.group in _GROUPS
            ),
        ]
    )


def holds_data(cluster: ClusterApi, belonging: Belonging) -> bool:
    """Whether it is a namespace with somebody's volumes in it."""
    if belonging.kind != "Namespace":
        return False
    claims = cluster.core.list_namespaced_persistent_volume_claim(belonging.name)
    return bool(listed(claims.items))


def remove(cluster: ClusterApi, belonging: Belonging) -> None:
    """Delete it; one that is gone, or going, is no error. Only Rancher's finalizers are dropped."""
    calls: dict[str, Callable[[str], Any]] = {
        "ClusterRole": cluster.rbac.delete_cluster_role,
        "ClusterRoleBinding": cluster.rbac.delete_cluster_role_binding,
        "Namespace": cluster.core.delete_namespace,
        "CustomResourceDefinition": cluster.extensions.delete_custom_resource_definition,
    }
    if belonging.kind == "CustomResourceDefinition":
        _tolerant(lambda: _free_objects(cluster, belonging.name))
    elif belonging.kind == "Namespace":
        free_namespace(cluster, belonging.name)
    _tolerant(lambda: calls[belonging.kind](belonging.name))


def remove_job(cluster: ClusterApi, name: str) -> None:
    """Delete a clean-up Job that does not end, with its pods."""
    _tolerant(
        lambda: cluster.batch.delete_namespaced_job(
            name, JOB_NAMESPACE, propagation_policy="Background"
        )
    )


def _tolerant(call: Callable[[], Any]) -> None:
    """What is gone needs nothing; what somebody else changed meanwhile is looked at again."""
    try:
        call()
    except ApiError as error:
        if error.status not in (404, 409):
            raise


def _named(kind: str, list_all: Callable[[], Any], names: tuple[str, ...]) -> Iterator[Belonging]:
    for each in listed(list_all().items):
        name = each.metadata.name
        is_role = kind != "Namespace" and (name.startswith(JOB_PREFIX) or _is_marked(each))
        if name in names or is_role:
            yield Belonging(kind, name)


def _is_marked(item: Any) -> bool:
    label, value = _CREATOR
    return mapped(item.metadata.labels).get(label) == value


def _jobs(cluster: ClusterApi, ends: list[str], **options: Any) -> list[str]:
    """Names of the clean-up Jobs that have none of these conditions."""
    return [
        job.metadata.name
        for job in listed(cluster.batch.list_namespaced_job(JOB_NAMESPACE, **options).items)
        if job.metadata.name.startswith(JOB_PREFIX)
        and not any(
            condition.type in ends and condition.status == "True"
            for condition in listed(job.status.conditions)
        )
    ]


def _free_objects(cluster: ClusterApi, definition: str) -> None:
    """Nobody is left who would do what Rancher's finalizers wait for."""
    read = cluster.extensions.read_custom_resource_definition(definition)
    version = next(each.name for each in read.spec.versions if each.storage)
    group, plural = read.spec.group, read.spec.names.plural
    items = cluster.custom.list_cluster_custom_object(group, version, plural)["items"]
    for metadata in (item["metadata"] for item in items):
        kept = _others(metadata.get("finalizers"))
        if kept is None:
            continue
        patch = {"metadata": {"finalizers": kept}}
        where = metadata.get("namespace")
        if where:
            cluster.custom.patch_namespaced_custom_object(
                group, version, where, plural, metadata["name"], patch
            )
        else:
            cluster.custom.patch_cluster_custom_object(
                group, version, plural, metadata["name"], patch
            )


def _others(finalizers: list[str] | None) -> list[str] | None:
    """The finalizers without Rancher's; None when none is Rancher's."""
    kept = [each for each in finalizers or [] if _OWN_FINALIZERS not in each]
    return None if len(kept) == len(finalizers or []) else kept
