"""A cluster in memory, with the few calls that the removal of Longhorn's parts makes."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from components.cluster.api import ApiError

NAMESPACE = "longhorn-system"
Object = dict[str, Any]


def api_error(status: int, body: str = "") -> Exception:
    """What the cluster answers when it refuses."""
    return ApiError(status, f"({status})\n{body}", body=body)


def persistent_volume(
    name: str, claim: str | None = None, driver: str = "driver.longhorn.io", **metadata: Any
) -> Any:
    """A PersistentVolume as the client gives it; claim is namespace/name."""
    namespace, _, claim_name = (claim or "").partition("/")
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, deletion_timestamp=metadata.get("deleted")),
        status=SimpleNamespace(phase="Bound" if claim else "Available"),
        spec=SimpleNamespace(
            csi=SimpleNamespace(driver=driver, volume_handle=name),
            claim_ref=SimpleNamespace(namespace=namespace, name=claim_name) if claim else None,
        ),
    )


def volume(name: str, size_bytes: int = 10 * 2**20, **metadata: Any) -> Object:
    """An object of volumes.longhorn.io, attached and healthy."""
    return {
        "metadata": {"name": name, **metadata},
        "spec": {"size": str(size_bytes)},
        "status": {"state": "attached", "robustness": "healthy"},
    }


def storage_class(provisioner: str, metadata: Object, **parts: Any) -> Any:
    """A StorageClass as the client gives it, by the fields of its manifest."""
    marks = {"labels": None, "annotations": None, **metadata}
    return SimpleNamespace(
        provisioner=provisioner,
        metadata=SimpleNamespace(**marks),
        parameters=parts.get("parameters"),
        reclaim_policy=parts.get("reclaimPolicy", "Delete"),
        volume_binding_mode=parts.get("volumeBindingMode", "Immediate"),
        allow_volume_expansion=parts.get("allowVolumeExpansion"),
    )


class ACluster:
    """Longhorn's objects by plural and name, and what else a test puts there.

    Attributes:
        objects: a plural that is absent is a kind that is not installed.
        classes: StorageClasses by name (storage_class).
        refusals: errors that the next writes are answered with.
        deleted: names of what was deleted.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Object]] = {
            "settings": {"deleting-confirmation-flag": {"value": "false"}},
            "volumes": {},
            "replicas": {},
            "nodes": {},
        }
        self.classes: dict[str, Any] = {}
        self.persistent_volumes: list[Any] = []
        self.node_labels: dict[str, dict[str, str]] = {}
        self.definitions: list[Any] = []
        self.managers: list[str] = []
        self.jobs: list[Any] = []
        self.cluster_wide: set[str] = set()
        self.namespaces: dict[str, Any] = {}
        self.refusals: list[Exception] = []
        self.deleted: list[str] = []
        self.after_write: Callable[[], None] = lambda: None
        self.custom = self
        self.core = self.apps = self.batch = self.storage = self
        self.admission = self.extensions = self.version = self

    @property
    def confirmed(self) -> str:
        """The value of Longhorn's deleting-confirmation-flag."""
        return self.objects["settings"]["deleting-confirmation-flag"]["value"]

    def get_code(self, **_options: Any) -> str:
        return "v1.28.0"

    def list_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, **_options: Any
    ) -> Object:
        return {"items": [self._named(name, item) for name, item in self._of(plural).items()]}

    def list_cluster_custom_object(
        self, group: str, version: str, plural: str, **_options: Any
    ) -> Object:
        return self.list_namespaced_custom_object(group, version, "", plural)

    def get_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str
    ) -> Object:
        return self._named(name, self._existing(plural, name))

    def patch_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str, patch: Object
    ) -> None:
        item = self._existing(plural, name)
        if self.refusals:
            raise self.refusals.pop(0)
        _merge(item, json.loads(json.dumps(patch)))
        self.after_write()

    def create_namespaced_custom_object(
        self, _g: str, _v: str, namespace: str, plural: str, body: Object
    ) -> None:
        assert body["metadata"]["namespace"] == namespace == NAMESPACE
        if body["metadata"]["name"] in self._of(plural):
            raise api_error(409)
        if self.refusals:
            raise self.refusals.pop(0)
        self.objects[plural][body["metadata"]["name"]] = json.loads(json.dumps(body))
        self.after_write()

    def delete_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str
    ) -> None:
        self._existing(plural, name)
        del self.objects[plural][name]
        self.deleted.append(name)

    def read_storage_class(self, name: str) -> Any:
        if name not in self.classes:
            raise api_error(404)
        return self.classes[name]

    def create_storage_class(self, body: Object) -> None:
        name = body["metadata"]["name"]
        if name in self.classes:
            raise api_error(409)
        if self.refusals:
            raise self.refusals.pop(0)
        self.classes[name] = storage_class(**body)

    def delete_storage_class(self, name: str) -> None:
        del self.classes[name]
        self.deleted.append(name)

    def list_persistent_volume(self) -> Any:
        return _list(self.persistent_volumes)

    def read_node(self, name: str) -> Any:
        if name not in self.node_labels:
            raise api_error(404)
        return SimpleNamespace(
            metadata=SimpleNamespace(labels=self.node_labels[name]),
            spec=SimpleNamespace(unschedulable=None),
        )

    def patch_node(self, name: str, patch: Object) -> None:
        for label, value in patch["metadata"]["labels"].items():
            assert value is None
            del self.node_labels[name][label]

    def list_namespaced_job(self, _namespace: str) -> Any:
        return _list(self.jobs)

    def list_namespaced_daemon_set(self, _namespace: str) -> Any:
        return _list([])

    def list_namespaced_pod(self, _namespace: str, **_options: str) -> Any:
        return _list(
            [
                SimpleNamespace(
                    metadata=SimpleNamespace(name=name), spec=SimpleNamespace(node_name="node-1")
                )
                for name in self.managers
            ]
        )

    def list_custom_resource_definition(self) -> Any:
        return _list(self.definitions)

    def delete_validating_webhook_configuration(self, name: str) -> None:
        self._delete_cluster_wide(name)

    def delete_mutating_webhook_configuration(self, name: str) -> None:
        self._delete_cluster_wide(name)

    def delete_csi_driver(self, name: str) -> None:
        self._delete_cluster_wide(name)

    def read_namespace(self, name: str) -> Any:
        if name not in self.namespaces:
            raise api_error(404)
        return self.namespaces[name]

    def delete_namespace(self, name: str) -> None:
        self.deleted.append(name)
        del self.namespaces[name]

    def _delete_cluster_wide(self, name: str) -> None:
        if name not in self.cluster_wide:
            raise api_error(404)
        self.cluster_wide.remove(name)
        self.deleted.append(name)

    def _of(self, plural: str) -> dict[str, Object]:
        if plural not in self.objects:
            raise api_error(404)
        return self.objects[plural]

    def _existing(self, plural: str, name: str) -> Object:
        if name not in self._of(plural):
            raise api_error(404)
        return self.objects[plural][name]

    def _named(self, name: str, item: Object) -> Object:
        metadata = {"name": name, "namespace": NAMESPACE, "resourceVersion": "1"}
        return {**item, "metadata": {**metadata, **item.get("metadata", {})}}


def _list(items: list[Any]) -> Any:
    return SimpleNamespace(items=items)


def _merge(into: Object, patch: Object) -> None:
    """A merge patch: None removes."""
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
