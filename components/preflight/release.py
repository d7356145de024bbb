"""What is wrong with Longhorn's Helm release in the cluster, for Pulumi's diff. Reads only.

Pulumi forgets with a refresh that an installation failed, and would then call it unchanged. Of the
release's objects it knows nothing.
"""

from collections.abc import Iterator

from components.cluster.api import ClusterApi
from components.cluster.helm_records import HelmRecord, latest_record
from components.cluster.objects import list_names, read_object
from components.common.answers import mapped
from components.common.names import some_names
from components.longhorn.objects import NAMESPACE

_NAME = "longhorn"
_FAILED, _DEPLOYED = "failed", "deployed"
_INSIDE = f"namespaces/{NAMESPACE}"
_RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
# Of the chart's kinds those without which Longhorn does not work. Its definitions hold volumes:
# one that is gone is nothing that an upgrade puts right.
_PATHS = {
    "ClusterRole": f"{_RIGHTS}/clusterroles",
    "ClusterRoleBinding": f"{_RIGHTS}/clusterrolebindings",
    "ConfigMap": f"/api/v1/{_INSIDE}/configmaps",
    "DaemonSet": f"/apis/apps/v1/{_INSIDE}/daemonsets",
    "Deployment": f"/apis/apps/v1/{_INSIDE}/deployments",
    "Secret": f"/api/v1/{_INSIDE}/secrets",
    "Service": f"/api/v1/{_INSIDE}/services",
    "ServiceAccount": f"/api/v1/{_INSIDE}/serviceaccounts",
}
_CLOSED_SERVICES = ("longhorn-frontend", "longhorn-backend")
_CLOSED = "ClusterIP"


def release_finding(api: ClusterApi) -> str | None:
    """What is wrong, in one line; None where nothing is, or there is no release.

    Raises whatever the client raises when the cluster does not answer.
    """
    record = latest_record(api, NAMESPACE, _NAME)
    if record is None:
        return None
    if record.status == _FAILED:
        return f"Helm's revision {record.revision} of {_NAME} failed"
    if record.status != _DEPLOYED:
        return None
    return "; ".join([*_missing(api, record), *_open_services(api)]) or None


def _missing(api: ClusterApi, record: HelmRecord) -> Iterator[str]:
    wanted = record.objects()
    gone = [
        f"{kind} {name}"
        for kind, path in _PATHS.items()
        if (names := {name for each, name in wanted if each == kind})
        for name in sorted(names - list_names(api, path))
    ]
    if gone:
        verb = "are" if len(gone) > 1 else "is"
        yield f"{some_names(gone)} {verb} missing, and Helm's revision {record.revision} has it"


def _open_services(api: ClusterApi) -> Iterator[str]:
    """Whoever reaches them can delete every volume, and the chart has them closed."""
    for name in _CLOSED_SERVICES:
        found = read_object(api, f"{_PATHS['Service']}/{name}")
        kind = mapped(mapped(found).get("spec")).get("type", _CLOSED)
        if kind != _CLOSED:
            yield f"Service {name} is {kind}, not {_CLOSED}, and Longhorn has no login"
