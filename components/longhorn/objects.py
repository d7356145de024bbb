"""The one door to Longhorn's own objects in the cluster: their API group, and how they are read."""

from typing import Any

from components.cluster.api import ApiError, ClusterApi, in_pages, status_of, unless_missing

NAMESPACE = "longhorn-system"
GROUP, VERSION = "longhorn.io", "v1beta2"
VERSION_SETTING = "current-longhorn-version"
DRIVER = "driver.longhorn.io"
# A manager that starts, somebody else's edit in between, replicas that are still on a disk.
_PASSING = (400, 409, 422, 500, 503)
_FORBIDDEN = 403


def read_objects(
    cluster: ClusterApi, plural: str, *, everywhere: bool = False, **options: Any
) -> list[dict[str, Any]] | None:
    """Longhorn's objects of one kind, asked for in pages; None where the kind is not installed.

    Args:
        cluster: The cluster.
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
    return unless_missing(lambda: list(in_pages(ask, *where, **options)))


def read_object(cluster: ClusterApi, plural: str, name: str) -> dict[str, Any] | None:
    """One of Longhorn's objects; None if it is not there. Raises ApiError."""
    get = cluster.custom.get_namespaced_custom_object
    return unless_missing(get, GROUP, VERSION, NAMESPACE, plural, name)


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
    try:
        patch_object(cluster, plural, name, changes)
    except ApiError as error:
        if status_of(error) not in _PASSING and not is_denied_by_longhorn(error):
            raise
        said = (error.body or str(error))[:300]
        return f"Longhorn does not take the change of {plural}.longhorn.io {name} yet: {said}"
    return None


def is_denied_by_longhorn(error: ApiError) -> bool:
    """Whether Longhorn's webhook forbids a change, and not Kubernetes to who has no right to it."""
    return status_of(error) == _FORBIDDEN and "denied" in (error.body or str(error))


def delete_object(cluster: ClusterApi, plural: str, name: str) -> None:
    """Delete one of Longhorn's objects; one that is gone needs nothing. Raises ApiError."""
    delete = cluster.custom.delete_namespaced_custom_object
    unless_missing(delete, GROUP, VERSION, NAMESPACE, plural, name)
