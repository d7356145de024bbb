"""What Rancher's agent lets happen in its cluster: Rancher's own Deployment of it, applied.

Objects are written as `kubectl apply` does on the client's side: a merge by the names in lists,
under kubectl's field manager, with the annotation of what was applied last. Of the fields that an
earlier apply had and this one has no more, variables of a Deployment go; others stay, unlike there.
"""

import copy
import json
from typing import Any

import yaml
from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.client.exceptions import ApiException

MANAGER = "kubectl-client-side-apply"
_LAST = "kubectl.kubernetes.io/last-applied-configuration"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/cattle-system/serviceaccounts",
    "Secret": "/api/v1/namespaces/cattle-system/secrets",
    "Service": "/api/v1/namespaces/cattle-system/services",
    "Deployment": "/apis/apps/v1/namespaces/cattle-system/deployments",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
# What the agent makes for itself once it has features; Rancher's names, nothing in them.
_OWN_SECRETS = ("serving-cert", "stv-aggregation", "tls-rancher", "tls-rancher-internal-ca")
_SCALE = "management.cattle.io/scale-available"


def apply(client: ApiClient, text: str) -> None:
    """Apply a manifest of Rancher's."""
    for document in yaml.safe_load_all(text):
        if document:
            _apply(client, document)


def settle(client: ApiClient, deployment: dict[str, Any]) -> None:
    """What the agent does for itself with features: its Secrets, and as many pods as there may be.

    Args:
        deployment: the agent's own Deployment as it is.
    """
    core = CoreV1Api(client)
    for name in _OWN_SECRETS:
        body = {"metadata": {"name": name}}
        try:
            core.create_namespaced_secret("cattle-system", body, field_manager="agent")
        except ApiException as error:
            if error.status != 409:
                raise
    most = int(deployment["metadata"].get("annotations", {}).get(_SCALE, 1))
    wanted = min(most, max(1, len(core.list_node().items)))
    if deployment["spec"].get("replicas") != wanted:
        path = f"{_PATHS['Deployment']}/{deployment['metadata']['name']}"
        _send(client, "PATCH", path, {"spec": {"replicas": wanted}}, manager="agent")


def read(client: ApiClient, name: str) -> dict[str, Any] | None:
    """A Deployment of Rancher's namespace as the API has it; None where there is none."""
    try:
        return _send(client, "GET", f"{_PATHS['Deployment']}/{name}")
    except ApiException as error:
        if error.status == 404:
            return None
        raise


def _apply(client: ApiClient, document: dict[str, Any]) -> None:
    metadata = document["metadata"]
    plain = json.dumps(document, sort_keys=True)
    annotations = {**(metadata.get("annotations") or {}), _LAST: f"{plain}\n"}
    body = {**document, "metadata": {**metadata, "annotations": annotations}}
    folder = _PATHS[document["kind"]]
    if document["kind"].startswith("ClusterRole"):
        body["metadata"].pop("namespace", None)
    try:
        gone = _variables_gone(client, document) if document["kind"] == "Deployment" else []
        _send(client, "PATCH", f"{folder}/{metadata['name']}", _with_variables(body, gone))
    except ApiException as error:
        if error.status != 404:
            raise
        _send(client, "POST", folder, body)


def _variables_gone(client: ApiClient, document: dict[str, Any]) -> list[dict[str, str]]:
    """What an earlier apply had among the first container's variables, and this one has not."""
    live = read(client, document["metadata"]["name"]) or {}
    last = live.get("metadata", {}).get("annotations", {}).get(_LAST)
    before = _variables(json.loads(last)) if last else set[str]()
    return [{"name": name, "$patch": "delete"} for name in sorted(before - _variables(document))]


def _variables(deployment: dict[str, Any]) -> set[str]:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {each["name"] for each in container["env"]}


def _with_variables(body: dict[str, Any], more: list[dict[str, str]]) -> dict[str, Any]:
    if not more:
        return body
    patch = copy.deepcopy(body)
    patch["spec"]["template"]["spec"]["containers"][0]["env"] += more
    return patch


def _send(
    client: ApiClient,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    manager: str = MANAGER,
) -> dict[str, Any]:
    kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
    answer: Any = client.call_api(
        path,
        method,
        query_params=[] if method == "GET" else [("fieldManager", manager)],
        header_params={"Content-Type": kind, "Accept": "application/json"},
        body=body,
        auth_settings=["BearerToken"],
        response_type="object",
        _return_http_data_only=True,
    )
    return dict(answer)
