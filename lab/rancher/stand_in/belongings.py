"""What Rancher's agent brings into its cluster, and the Job that clears up after it.

Through its agent Rancher puts a finalizer on every namespace, and takes it off one that is deleted;
without Rancher and agent it stays.

As with Rancher 2.8.5, the Job default/cattle-cleanup-… is made through the agent while Rancher
still has the cluster, sleeps first, and then removes the namespaces cattle-…, what is labelled
cattle.io/creator=norman, its finalizers, and itself. Definitions, the namespace `local`, and roles
without that label stay. The Job here is suspended: nothing runs its pod, and this module does its
work.
"""

import time
from collections.abc import Callable
from typing import Any

from kubernetes.client import (
    ApiClient,
    ApiextensionsV1Api,
    BatchV1Api,
    CoreV1Api,
    CustomObjectsApi,
    RbacAuthorizationV1Api,
)
from kubernetes.client.exceptions import ApiException

_SLEEPS_SECONDS = 5.0
_IMAGE = "rancher/rancher-agent"
_OWN_LABEL = {"cattle.io/creator": "norman"}
_SELECTOR = "cattle.io/creator=norman"
_BROUGHT_NAMESPACES = ("cattle-impersonation-system", "local")
_REMOVED_NAMESPACES = ("cattle-system", "cattle-fleet-system", "cattle-impersonation-system")
_DEFINITIONS = (
    ("settings", "Setting", "management.cattle.io", "v3"),
    ("preferences", "Preference", "management.cattle.io", "v3"),
    ("apps", "App", "catalog.cattle.io", "v1"),
    ("clusterauthtokens", "ClusterAuthToken", "cluster.cattle.io", "v3"),
    ("navlinks", "NavLink", "ui.cattle.io", "v1"),
)
_UNAUTHENTICATED = "cattle-unauthenticated"
_FINALIZER = "controller.cattle.io/namespace-auth"


def bring(client: ApiClient) -> None:
    """Make what the agent makes once it is connected; what is there stays."""
    core, rbac = CoreV1Api(client), RbacAuthorizationV1Api(client)
    for name in _BROUGHT_NAMESPACES:
        _unless_there(core.create_namespace, {"metadata": {"name": name}})
    _attend_namespaces(core, lambda namespace: not namespace.metadata.deletion_timestamp)
    for definition in _DEFINITIONS:
        _unless_there(
            ApiextensionsV1Api(client).create_custom_resource_definition, _definition(*definition)
        )
    rules = [{"nonResourceURLs": ["/"], "verbs": ["get"]}]
    role = {"metadata": {"name": _UNAUTHENTICATED}, "rules": rules}
    _unless_there(rbac.create_cluster_role, role)
    _unless_there(
        rbac.create_cluster_role_binding,
        _binding(
            _UNAUTHENTICATED, {"kind": "Group", "name": "system:unauthenticated"}, _UNAUTHENTICATED
        ),
    )
    impersonated = {"name": "cattle-impersonation-user-lab", "labels": _OWN_LABEL}
    _unless_there(rbac.create_cluster_role, {"metadata": impersonated, "rules": []})
    setting = {
        "apiVersion": "management.cattle.io/v3",
        "kind": "Setting",
        "metadata": {"name": "agent-version", "finalizers": ["controller.cattle.io/lab-setting"]},
    }
    try:
        CustomObjectsApi(client).create_cluster_custom_object(
            "management.cattle.io", "v3", "settings", setting
        )
    except ApiException as error:
        # 404: the definition is not served yet, and the next look makes it.
        if error.status not in (404, 409):
            raise


def order_clean_up(client: ApiClient) -> None:
    """Make the clean-up Job with its account, role and binding, unless there is one."""
    batch, core, rbac = BatchV1Api(client), CoreV1Api(client), RbacAuthorizationV1Api(client)
    if _jobs(client):
        return
    named = {"metadata": {"generateName": "cattle-cleanup-"}}
    account: Any = core.create_namespaced_service_account("default", named)
    role: Any = rbac.create_cluster_role({**named, "rules": []})
    subject = {"kind": "ServiceAccount", "name": account.metadata.name, "namespace": "default"}
    rbac.create_cluster_role_binding({**_binding("", subject, role.metadata.name), **named})
    container = {"name": "cleanup-agent", "image": _IMAGE}
    pod = {
        "serviceAccountName": account.metadata.name,
        "containers": [container],
        "restartPolicy": "OnFailure",
    }
    metadata = {"generateName": "cattle-cleanup-", "labels": _OWN_LABEL}
    spec = {"suspend": True, "template": {"spec": pod}}
    batch.create_namespaced_job("default", {"metadata": metadata, "spec": spec})


def play_clean_up(client: ApiClient) -> bool:
    """Do the Job's work once it has slept; whether it was done now."""
    due = [
        job
        for job in _jobs(client)
        if time.time() - job.metadata.creation_timestamp.timestamp() >= _SLEEPS_SECONDS
    ]
    if not due:
        return False
    core, rbac = CoreV1Api(client), RbacAuthorizationV1Api(client)
    _attend_namespaces(core, lambda _: False)
    for name in _REMOVED_NAMESPACES:
        _if_there(lambda name=name: core.delete_namespace(name))
    bindings: Any = rbac.list_cluster_role_binding(label_selector=_SELECTOR)
    for each in bindings.items:
        _if_there(lambda each=each: rbac.delete_cluster_role_binding(each.metadata.name))
    roles: Any = rbac.list_cluster_role(label_selector=_SELECTOR)
    for each in roles.items:
        _if_there(lambda each=each: rbac.delete_cluster_role(each.metadata.name))
    for job in due:
        _if_there(
            lambda job=job: BatchV1Api(client).delete_namespaced_job(
                job.metadata.name, "default", propagation_policy="Background"
            )
        )
    return True


def _attend_namespaces(core: CoreV1Api, is_kept: Callable[[Any], bool]) -> None:
    """See to it that the finalizer is on the namespaces that are kept, and on no other."""
    found: Any = core.list_namespace()
    for namespace in found.items:
        had = namespace.metadata.finalizers or []
        others = [each for each in had if each != _FINALIZER]
        wanted = [*others, _FINALIZER] if is_kept(namespace) else others
        if wanted != had:
            namespace.metadata.finalizers = wanted
            _if_there(lambda each=namespace: core.replace_namespace(each.metadata.name, each))


def _jobs(client: ApiClient) -> list[Any]:
    found: Any = BatchV1Api(client).list_namespaced_job("default", label_selector=_SELECTOR)
    return [job for job in found.items if job.metadata.name.startswith("cattle-cleanup-")]


def _definition(plural: str, kind: str, group: str, version: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Cluster",
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


def _binding(name: str, subject: dict[str, str], role: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    if subject["kind"] == "Group":
        subject = {**subject, "apiGroup": group}
    return {
        "metadata": {"name": name},
        "subjects": [subject],
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
    }


def _unless_there(create: Callable[[Any], object], body: dict[str, Any]) -> None:
    try:
        create(body)
    except ApiException as error:
        if error.status != 409:
            raise


def _if_there(call: Callable[[], object]) -> None:
    try:
        call()
    except ApiException as error:
        if error.status not in (404, 409):
            raise
