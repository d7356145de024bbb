"""A cluster whose objects are asked for by their path, as components/cluster/objects.py does."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from tests.unit.doubles.a_cluster import api_error

Object = dict[str, Any]


class APlainCluster:
    """Objects by path; what is applied is merged into them, as by the server.

    Entries of a list stay beside those that are applied, as in lists with keys.
    """

    def __init__(self, objects: Mapping[str, Object] | None = None) -> None:
        self.objects: dict[str, Object] = {**(objects or {})}
        self.applied: list[str] = []
        self.replaced: list[str] = []
        self.refusal: Exception | None = None
        self.any = self

    def call_api(self, path: str, method: str, **options: Any) -> Object:
        if method == "PATCH":
            return self._patch(path, options)
        if method == "PUT":
            assert options["body"]["metadata"].get("resourceVersion") == "1"
            self.replaced.append(path)
            self.objects[path] = options["body"]
            return self.objects[path]
        if method == "POST":
            made = f"{path}/{options['body']['metadata']['name']}"
            assert made not in self.objects
            self.objects[made] = options["body"]
            return options["body"]
        if path in self.objects:
            return self.objects[path]
        inside = [each for at, each in self.objects.items() if at.rpartition("/")[0] == path]
        if "List" not in options["header_params"]["Accept"]:
            raise api_error(404)
        return {"items": inside}

    def _patch(self, path: str, options: Mapping[str, Any]) -> Object:
        if options["header_params"]["Content-Type"] == "application/strategic-merge-patch+json":
            gone = options["body"]["metadata"]["annotations"]
            assert set(gone.values()) == {None}
            for key in gone:
                del self.objects[path]["metadata"]["annotations"][key]
            return self.objects[path]
        assert options["header_params"]["Content-Type"] == "application/apply-patch+yaml"
        assert ("force", "true") in options["query_params"]
        assert "foreign" not in options["body"]
        self.applied.append(path)
        if self.refusal is not None:
            raise self.refusal
        self.objects[path] = _merged(self.objects.get(path, {}), options["body"])
        return self.objects[path]


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, list) and isinstance(above, list):
        lower, upper = _by_name(below), _by_name(above)
        return above if upper is None else [*_merged(lower or {}, upper).values()]
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


def _by_name(entries: list[Any]) -> Object | None:
    if any(not isinstance(each, dict) or "name" not in each for each in entries):
        return None
    return {each["name"]: each for each in entries}


def helm_secret(status: str, revision: int, packed: str = "") -> Any:
    """One of Helm's records, as the client has it."""
    labels = {"version": str(revision), "status": status}
    metadata = SimpleNamespace(name="x", labels=labels)
    return SimpleNamespace(metadata=metadata, data={"release": packed})
