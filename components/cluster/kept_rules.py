"""Which objects of a stack are gone from the cluster, or not as the stack file has them. Pure."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from components.common.answers import is_going, mapped

Document = dict[str, Any]

_PLURALS = {
    "ConfigMap": "configmaps",
    "Ingress": "ingresses",
    "Middleware": "middlewares",
    "PrometheusRule": "prometheusrules",
    "Secret": "secrets",
    "Service": "services",
    "ServiceMonitor": "servicemonitors",
}
# What is selected by as a whole: one key more is another choice.
_WHOLE = ("spec", "selector")
_LONGEST = 60
FOREIGN = "foreign"
"""Beside an object's own fields: a pattern of `key=value` of annotations that nobody may add."""


def object_path(document: Document) -> str:
    """Where the cluster's API has the object. Only kinds that this program makes, in namespaces."""
    version, metadata = str(document["apiVersion"]), mapped(document.get("metadata"))
    group = "apis" if "/" in version else "api"
    plural = _PLURALS[document["kind"]]
    return f"/{group}/{version}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"


def named(document: Document) -> str:
    """The object in a message."""
    metadata = mapped(document.get("metadata"))
    return f"{document['kind']} {metadata['namespace']}/{metadata['name']}"


def is_balancer(document: Document) -> bool:
    """Whether it is a Service whose address comes from elsewhere."""
    return mapped(document.get("spec")).get("type") == "LoadBalancer"


def secret_document(metadata: Document, values: Mapping[str, str]) -> Document:
    """A Secret as Kubernetes has it.

    Args:
        metadata: Its name and namespace.
        values: Its entries in plain text.
    """
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def own_part(document: Document) -> Document:
    """The object as Kubernetes takes it."""
    return {key: value for key, value in document.items() if key != FOREIGN}


def foreign_annotations(wanted: Document, found: Mapping[str, Any] | None) -> list[str]:
    """The annotations that somebody added, and nobody may add."""
    pattern = wanted.get(FOREIGN)
    if pattern is None or found is None:
        return []
    own, others = _annotations(wanted), _annotations(found)
    return sorted(
        key
        for key, value in others.items()
        if key not in own and re.search(str(pattern), f"{key}={value}")
    )


def whole(wanted: Document, found: Document) -> Document:
    """What was found with the wanted parts in it: lists as they are wanted, whatever was added.

    Server-side apply leaves what another has put into a list with keys, such as a Service's ports.
    """
    return _over(found, own_part(wanted), ())


def _over(below: Any, above: Any, path: tuple[str, ...]) -> Any:
    if path == _WHOLE:
        return above
    if isinstance(below, dict) and isinstance(above, dict):
        lower, upper = cast(Document, below), cast(Document, above)
        parts = {key: _over(lower.get(key), value, (*path, key)) for key, value in upper.items()}
        return {**lower, **parts}
    if isinstance(below, list) and isinstance(above, list):
        entries, wanted = cast(list[Any], below), cast(list[Any], above)
        return [_over(_of_the_same_name(entries, each), each, (*path, "")) for each in wanted]
    return above


def _of_the_same_name(entries: list[Any], one: Any) -> Any:
    """The entry of one's name, with what Kubernetes has filled in; None where there is none."""
    named_ones = [cast(Document, each) for each in (one, *entries) if isinstance(each, dict)]
    name = named_ones[0].get("name") if isinstance(one, dict) else None
    return next((each for each in named_ones[1:] if name and each.get("name") == name), None)


def _annotations(document: Mapping[str, Any]) -> dict[str, Any]:
    return mapped(mapped(document.get("metadata")).get("annotations"))


def object_problem(wanted: Document, found: Mapping[str, Any] | None) -> str | None:
    """What is wrong with an object, in one line; None if nothing.

    What the document does not name is nobody's concern: Kubernetes fills it in, and others add to
    it. Of a Secret nothing that it holds is told.

    Args:
        wanted: As the stack has it.
        found: As the cluster has it; None where it is gone.
    """
    if found is None or is_going(found):
        return f"{named(wanted)} is not there"
    parts = [*_differences(own_part(wanted), found, ())]
    parts += [f"annotation {key} added" for key in foreign_annotations(wanted, found)]
    if not parts:
        return None
    if wanted["kind"] == "Secret":
        return f"{named(wanted)} holds something else"
    return f"{named(wanted)} has " + " and ".join(parts)


def _differences(wanted: Any, found: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(wanted, Mapping):
        others: Mapping[str, Any] = (
            cast(Mapping[str, Any], found) if isinstance(found, Mapping) else {}
        )
        for key, value in cast(Mapping[str, Any], wanted).items():
            yield from _differences(value, others.get(key), (*path, key))
        if path[:2] == _WHOLE:
            added = sorted(set(others) - set(cast(Mapping[str, Any], wanted)))
            yield from (f"{'.'.join(path)}.{key} added" for key in added)
    elif _are_alike(wanted, found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True), 1):
            yield from _differences(one, other, (*path, str(number)))
    elif wanted != found:
        before, after = _text(found), _text(wanted)
        is_short = max(len(before), len(after)) <= _LONGEST
        yield ".".join(path) + (f" {before}, not {after}" if is_short else " that differs")


def _are_alike(wanted: Any, found: Any) -> bool:
    """Whether both are lists of one length."""
    if not isinstance(wanted, list) or not isinstance(found, list):
        return False
    return len(cast(list[Any], wanted)) == len(cast(list[Any], found))


def _text(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    return value if isinstance(value, str) else json.dumps(value)
