"""The few ways in which the stand-in reads and writes the Kubernetes API."""

from collections.abc import Mapping
from typing import Any

from kubernetes.client import ApiClient, CustomObjectsApi
from kubernetes.client.exceptions import ApiException

LONGHORN = "longhorn.io"
VERSION = "v1beta2"
# Longhorn's own finalizer has the name of its API group.
FINALIZER = LONGHORN
MANAGED_BY = {f"{LONGHORN}/managed-by": "longhorn-manager"}

Object = dict[str, Any]


class LonghornApi:
    """Longhorn's custom resources in one namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._objects = CustomObjectsApi(client)

    def has(self, plural: str) -> bool:
        """Whether the kind is installed."""
        try:
            self._objects.list_namespaced_custom_object(
                LONGHORN, VERSION, self.namespace, plural, limit=1
            )
        except ApiException as error:
            if error.status == 404:
                return False
            raise
        return True

    def by_name(self, plural: str) -> dict[str, Object]:
        """Every object of a kind, by name; none where the kind itself is not installed."""
        try:
            listed = self._objects.list_namespaced_custom_object(
                LONGHORN, VERSION, self.namespace, plural
            )
        except ApiException as error:
            if error.status == 404:
                return {}
            raise
        return {item["metadata"]["name"]: item for item in listed["items"]}

    def create(self, plural: str, kind: str, name: str, content: Mapping[str, Any]) -> Object:
        """Create an object with Longhorn's finalizer and the server's defaults."""
        metadata = {"name": name, "finalizers": [FINALIZER], **content.get("metadata", {})}
        body = {
            "apiVersion": f"{LONGHORN}/{VERSION}",
            "kind": kind,
            **content,
            "metadata": metadata,
        }
        return self._objects.create_namespaced_custom_object(
            LONGHORN, VERSION, self.namespace, plural, body
        )

    def replace(self, plural: str, item: Object) -> Object:
        """Write an object back; fails with 409 when it has changed since it was read."""
        return self._objects.replace_namespaced_custom_object(
            LONGHORN, VERSION, self.namespace, plural, item["metadata"]["name"], item
        )

    def replace_status(self, plural: str, item: Object) -> Object:
        """Write an object's status back; fails with 409 when it has changed since it was read."""
        return self._objects.replace_namespaced_custom_object_status(
            LONGHORN, VERSION, self.namespace, plural, item["metadata"]["name"], item
        )

    def delete(self, plural: str, item: Object) -> None:
        """Delete an object, finalizers and all."""
        metadata = item["metadata"]
        if metadata.get("finalizers"):
            self.replace(plural, {**item, "metadata": {**metadata, "finalizers": []}})
        try:
            self._objects.delete_namespaced_custom_object(
                LONGHORN, VERSION, self.namespace, plural, metadata["name"]
            )
        except ApiException as error:
            if error.status != 404:
                raise
