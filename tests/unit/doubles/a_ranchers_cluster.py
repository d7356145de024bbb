"""A cluster in memory with Rancher's things in it, and the calls that its clean-up makes."""

from types import SimpleNamespace
from typing import Any

from tests.unit.doubles.a_cluster import api_error

OWNER = "uid-of-kube-system"


class ARanchersCluster:
    """Names by kind; a test puts there what it needs.

    Attributes:
        objects: of a definition, its objects as the API gives them.
        finalizers: of a namespace.
        claims: namespaces that hold a volume.
        marked: names of roles and bindings that have Rancher's label.
        jobs: names of clean-up Jobs, each with the number of looks after which it is gone.
        deleted: what was deleted, as kind and name.
    """

    def __init__(self) -> None:
        self.namespaces = {"kube-system", "default"}
        self.roles: set[str] = set()
        self.bindings: set[str] = set()
        self.definitions: set[str] = set()
        self.deployments: set[str] = set()
        self.services: set[str] = set()
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.finalizers: dict[str, list[str]] = {}
        self.claims: set[str] = set()
        self.marked: set[str] = set()
        self.jobs: dict[str, int] = {}
        self.owner = OWNER
        self.deleted: list[str] = []
        self.core = self.rbac = self.batch = self.extensions = self.apps = self.custom = self

    def list_namespace(self) -> Any:
        return SimpleNamespace(items=[self.read_namespace(name) for name in self.namespaces])

    def list_cluster_role(self) -> Any:
        return self._marked(self.roles)

    def list_cluster_role_binding(self) -> Any:
        return self._marked(self.bindings)

    def list_custom_resource_definition(self) -> Any:
        return SimpleNamespace(
            items=[self.read_custom_resource_definition(name) for name in self.definitions]
        )

    def read_custom_resource_definition(self, name: str) -> Any:
        plural, _, group = name.partition(".")
        spec = SimpleNamespace(
            group=group,
            names=SimpleNamespace(plural=plural),
            versions=[SimpleNamespace(name="v3", storage=True)],
        )
        return SimpleNamespace(metadata=SimpleNamespace(name=name), spec=spec)

    def list_cluster_custom_object(self, group: str, _version: str, plural: str) -> Any:
        return {"items": self.objects.get(f"{plural}.{group}", [])}

    def patch_cluster_custom_object(
        self, group: str, _version: str, plural: str, name: str, patch: Any
    ) -> None:
        for item in self.objects[f"{plural}.{group}"]:
            if item["metadata"]["name"] == name:
                item["metadata"] |= patch["metadata"]

    def list_namespaced_job(self, _namespace: str) -> Any:
        found = [_named(name) for name in self.jobs]
        self.jobs = {name: left - 1 for name, left in self.jobs.items() if left > 1}
        return SimpleNamespace(items=found)

    def delete_namespaced_job(self, name: str, _namespace: str, **_options: str) -> None:
        self.deleted.append(f"Job {name}")
        del self.jobs[name]

    def list_namespaced_persistent_volume_claim(self, namespace: str) -> Any:
        return _list({"data"} if namespace in self.claims else set())

    def read_namespace(self, name: str) -> Any:
        if name not in self.namespaces:
            raise api_error(404)
        found = _named(name)
        found.metadata.uid = self.owner
        found.metadata.finalizers = list(self.finalizers.get(name, []))
        return found

    def replace_namespace(self, name: str, body: Any) -> None:
        self.finalizers[name] = body.metadata.finalizers

    def read_namespaced_service(self, name: str, namespace: str) -> Any:
        if f"{namespace}/{name}" not in self.services:
            raise api_error(404)
        return _named(name)

    def read_namespaced_deployment(self, name: str, namespace: str) -> Any:
        if f"{namespace}/{name}" not in self.deployments:
            raise api_error(404)
        return _named(name)

    def delete_namespace(self, name: str) -> None:
        if not self.finalizers.get(name):
            self._delete("Namespace", self.namespaces, name)

    def delete_cluster_role(self, name: str) -> None:
        self._delete("ClusterRole", self.roles, name)

    def delete_cluster_role_binding(self, name: str) -> None:
        self._delete("ClusterRoleBinding", self.bindings, name)

    def delete_custom_resource_definition(self, name: str) -> None:
        if not any(item["metadata"].get("finalizers") for item in self.objects.get(name, [])):
            self._delete("CustomResourceDefinition", self.definitions, name)

    def _marked(self, names: set[str]) -> Any:
        found = _list(names)
        for each in found.items:
            if each.metadata.name in self.marked:
                each.metadata.labels = {"cattle.io/creator": "norman"}
        return found

    def _delete(self, kind: str, among: set[str], name: str) -> None:
        if name not in among:
            raise api_error(404)
        among.remove(name)
        self.deleted.append(f"{kind} {name}")


def _named(name: str) -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, labels=None),
        status=SimpleNamespace(conditions=None),
    )


def _list(names: set[str]) -> Any:
    return SimpleNamespace(items=[_named(name) for name in sorted(names)])
