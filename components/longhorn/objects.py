"""The one door to Longhorn's own objects in the cluster: their API group, and how they are read."""

from collections.abc import Callable
from typing import Any

from components.cluster.api import ApiError, ClusterApi, in_pages, unless_missing

NAMESPACE = "longhorn-system"
GROUP, VERSION = "longhorn.io", "v1beta2"
VERSION_SETTING = "current-longhorn-version"
DRIVER = "driver.longhorn.io"
# A manager that starts, another's edit in between, replicas that are still on a disk.
_PASSING = (400, 409, 422, 500, 503)
_FORBIDDEN, _NOT_FOUND, _UNAVAILABLE = 403, 404, 503
# What the API server says of a path, and not of an object.
_NOT_SERVED = "404 page not found"


def read_objects(
    cluster: ClusterApi, plural: str, *, everywhere: bool = False, **options: Any
) -> list[dict[str, Any]] | None:
    """Longhorn's objects of one kind, asked for in pages; None where the kind is not installed.

    Args:
        plural: The kind, such as `volumes`.
        everywhere: Whether to look beyond Longhorn's namespace.
        options: What else the API takes, such as `field_selector`.

    Raises ApiError when the cluster refuses.
    """
    custom = cluster.custom
    if everywhere:
        ask, where = custom.list_cluster_custom_object, [GROUP, VERSION, plural]
    else:
        ask, where = custom.list_namespaced_custom_object, [GROUP, VERSION, NAMESPACE, plural]
    return _unless_missing(cluster, plural, lambda: list(in_pages(ask, *where, **options)))


def read_object(cluster: ClusterApi, plural: str, name: str) -> dict[str, Any] | None:
    """One of Longhorn's objects; None if it is not there. Raises ApiError."""
    get = cluster.custom.get_namespaced_custom_object
    return _unless_missing(cluster, plural, lambda: get(GROUP, VERSION, NAMESPACE, plural, name))


def patch_object(
    cluster: ClusterApi, plural: str, name: str, changes: dict[str, Any], *, namespace: str = ""
) -> None:
    """Merge changes into one of Longhorn's objects. Raises ApiError when it is refused."""
    cluster.custom.patch_namespaced_custom_object(
        GROUP, VERSION, namespace or NAMESPACE, plural, name, changes
    )


def try_patch(cluster: ClusterApi, plural: str, name: str, changes: dict[str, Any]) -> str | None:
    """Merge changes into one of Longhorn's objects; returns why Longhorn does not take them yet.

    Its webhook forbids every edit of a node while the disks' status is behind their spec, which a
    manager brings up to date every 30 s (longhorn-manager 1.5.3, webhook/resources/node/
    validator.go), and of some settings while volumes are attached. What Kubernetes itself forbids,
    to somebody without the right to it, stays forbidden.

    Raises ApiError for a refusal that does not pass by itself.
    """
    what = f"the change of {plural}.longhorn.io {name}"
    return _refusal(what, lambda: patch_object(cluster, plural, name, changes))


def try_create(cluster: ClusterApi, plural: str, body: dict[str, Any]) -> str | None:
    """Make one of Longhorn's objects; returns why Longhorn does not take it yet.

    Raises ApiError for a refusal that does not pass by itself.
    """
    create = cluster.custom.create_namespaced_custom_object
    return _refusal(
        f"the new {plural}.longhorn.io {body['metadata']['name']}",
        lambda: create(GROUP, VERSION, NAMESPACE, plural, body),
    )


def _refusal(what: str, ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except ApiError as error:
        if error.status not in _PASSING and not is_denied_by_longhorn(error):
            raise
        said = (error.body or str(error))[:300]
        return f"Longhorn does not take {what} yet: {said}"
    return None


def is_denied_by_longhorn(error: ApiError) -> bool:
    """Whether Longhorn's webhook forbids a change, and not Kubernetes to who has no right to it."""
    return error.status == _FORBIDDEN and "denied" in (error.body or str(error))


def delete_object(cluster: ClusterApi, plural: str, name: str) -> None:
    """Delete one of Longhorn's objects; one that is gone needs nothing. Raises ApiError."""
    delete = cluster.custom.delete_namespaced_custom_object
    _unless_missing(cluster, plural, lambda: delete(GROUP, VERSION, NAMESPACE, plural, name))


def _unless_missing(cluster: ClusterApi, plural: str, ask: Callable[[], Any]) -> Any:
    """As unless_missing; what is defined and not served yet counts as unavailable, and not as gone.

    An API server before 1.23 answers so for a moment after its start, and a disk that seems not to
    be in Longhorn is one that may be unmounted.
    """
    try:
        return ask()
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        kind = f"{plural}.{GROUP}"
        if error.body.startswith(_NOT_SERVED) and _is_defined(cluster, kind):
            words = f"{kind} is defined and not served yet: the API server has just started"
            raise ApiError(_UNAVAILABLE, words, body=words) from None
        return None


def _is_defined(cluster: ClusterApi, kind: str) -> bool:
    return unless_missing(cluster.extensions.read_custom_resource_definition, kind) is not None
