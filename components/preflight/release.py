"""What is wrong with Longhorn's Helm release in the cluster, for Pulumi's diff. Reads only.

Pulumi forgets with a refresh that an installation failed, and would then call it unchanged. Of the
release's objects it knows nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from components.cluster.api import ClusterApi
from components.cluster.helm_records import DEPLOYED, FAILED, HelmRecord, latest_record
from components.cluster.helm_rights import RIGHTS_KINDS, rights_path
from components.cluster.objects import list_names, read_object
from components.common.answers import mapped
from components.common.names import some_names
from components.longhorn.objects import NAMESPACE

_NAME = "longhorn"
_INSIDE = f"namespaces/{NAMESPACE}"
# Of the chart's kinds those without which Longhorn does not work. Its definitions hold volumes:
# one that is gone is nothing that an upgrade puts right.
_PATHS = {
    "ConfigMap": f"/api/v1/{_INSIDE}/configmaps",
    "DaemonSet": f"/apis/apps/v1/{_INSIDE}/daemonsets",
    "Deployment": f"/apis/apps/v1/{_INSIDE}/deployments",
    "Secret": f"/api/v1/{_INSIDE}/secrets",
    "Service": f"/api/v1/{_INSIDE}/services",
}
_CLOSED_SERVICES = ("longhorn-frontend", "longhorn-backend")
_CLOSED = "ClusterIP"

Document = dict[str, Any]


def release_finding(api: ClusterApi) -> str | None:
    """What is wrong, in one line; None where nothing is, or there is no release.

    Raises whatever the client raises when the cluster does not answer.
    """
    record = latest_record(api, NAMESPACE, _NAME)
    if record is None:
        return None
    if record.status == FAILED:
        return f"Helm's revision {record.revision} of {_NAME} failed"
    if record.status != DEPLOYED:
        return None
    objects = [each for each in record.objects({*_PATHS, *RIGHTS_KINDS}) if _is_here(each)]
    return "; ".join([*_missing(api, record, objects), *_open_services(api, objects)]) or None


def _is_here(document: Document) -> bool:
    return mapped(document.get("metadata")).get("namespace", NAMESPACE) == NAMESPACE


def _missing(api: ClusterApi, record: HelmRecord, objects: Iterable[Document]) -> Iterator[str]:
    wanted: dict[str, set[str]] = {}
    gone: list[str] = []
    for each in objects:
        kind, name = str(each["kind"]), str(each["metadata"]["name"])
        if kind in _PATHS:
            wanted.setdefault(kind, set()).add(name)
        elif read_object(api, rights_path(each, NAMESPACE)) is None:
            gone.append(f"{kind} {name}")
    for kind, names in wanted.items():
        gone += [f"{kind} {name}" for name in names - list_names(api, _PATHS[kind])]
    if gone:
        named = some_names(sorted(gone))
        verb = "are" if len(gone) > 1 else "is"
        yield f"{named} {verb} missing, and Helm's revision {record.revision} has it"


def _open_services(api: ClusterApi, objects: Iterable[Document]) -> Iterator[str]:
    """Whoever reaches them can delete every volume, and the chart has them closed."""
    for each in objects:
        name = each["metadata"]["name"]
        if each["kind"] != "Service" or name not in _CLOSED_SERVICES or _type(each) != _CLOSED:
            continue
        found = _type(read_object(api, f"{_PATHS['Service']}/{name}"))
        if found != _CLOSED:
            yield f"Service {name} is {found}, not {_CLOSED}, and Longhorn has no login"


def _type(service: Document | None) -> str:
    return str(mapped(mapped(service).get("spec")).get("type") or _CLOSED)
