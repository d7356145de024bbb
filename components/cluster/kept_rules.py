"""Which objects of a stack are gone from the cluster, or not as the stack file has them. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from components.common.answers import mapped

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
_LONGEST = 60


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


def is_going(found: Mapping[str, Any] | None) -> bool:
    """Whether somebody has deleted it, and it is there until its finalizers are done."""
    return bool(found) and bool(mapped(mapped(found).get("metadata")).get("deletionTimestamp"))


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
    parts = [*_differences(wanted, found, ())]
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
