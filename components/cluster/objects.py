"""Reading, applying and patching objects by their path in the cluster's API."""

from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.common.answers import listed, mapped

MANAGER = "longhorn-rancher"
"""Whose the fields are that this program writes."""
_ANSWER_SECONDS = 30.0
_JSON = "application/json"
_NAMES = f"{_JSON};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_APPLY, _MERGE = "application/apply-patch+yaml", "application/strategic-merge-patch+json"

Document = dict[str, Any]


def read_object(cluster: ClusterApi, path: str) -> Document | None:
    """The object at this path; None where there is none."""
    return unless_missing(_call, cluster, "GET", path)


def list_objects(cluster: ClusterApi, path: str, labels: str) -> list[Document]:
    """The objects at this path that have these labels."""
    return listed(_call(cluster, "GET", path, query=[("labelSelector", labels)]).get("items"))


def list_names(cluster: ClusterApi, path: str) -> set[str]:
    """Names of the objects at this path, without what is in them."""
    found = _call(cluster, "GET", path, accept=_NAMES)
    return {str(mapped(each.get("metadata")).get("name")) for each in listed(found.get("items"))}


def apply_object(cluster: ClusterApi, path: str, document: Document) -> Document:
    """Make the object, or bring it to what the document says; returns what it is then."""
    query = [("fieldManager", MANAGER), ("force", "true")]
    return _call(cluster, "PATCH", path, document, kind=_APPLY, query=query)


def make_object(cluster: ClusterApi, path: str, document: Document) -> Document:
    """Make the object among those at this path. Raises ApiError: 409 where it is there."""
    return _call(cluster, "POST", path, document, query=[("fieldManager", MANAGER)])


def replace_object(cluster: ClusterApi, path: str, document: Document) -> Document:
    """Put the document in the object's place, if it is as it was when it was read (its
    resourceVersion). Raises ApiError."""
    return _call(cluster, "PUT", path, document, query=[("fieldManager", MANAGER)])


def merge_object(cluster: ClusterApi, path: str, patch: Document) -> Document:
    """Merge a patch into the object, lists by the names in them; what it doesn't name stays."""
    return _call(cluster, "PATCH", path, patch, kind=_MERGE, query=[("fieldManager", MANAGER)])


def delete_object(cluster: ClusterApi, path: str) -> None:
    """Delete the object; one that is gone already is no error."""
    unless_missing(_call, cluster, "DELETE", path)


def _call(
    cluster: ClusterApi,
    method: str,
    path: str,
    body: Document | None = None,
    *,
    kind: str = _JSON,
    accept: str = _JSON,
    query: list[tuple[str, str]] | None = None,
) -> Document:
    answer: Any = cluster.any.call_api(
        path,
        method,
        query_params=query or [],
        header_params={"Content-Type": kind, "Accept": accept},
        body=body,
        auth_settings=["BearerToken"],
        response_type="object",
        _return_http_data_only=True,
        _request_timeout=_ANSWER_SECONDS,
    )
    return dict(answer or {})
