"""The rights of a release's own hooks, where somebody has taken them away.

Helm runs the hooks of an upgrade before it writes any object: a hook whose service account is gone
never gets a pod, and the upgrade that would make the account again fails.
"""

from typing import Any

from components.cluster.api import ClusterApi
from components.cluster.helm_records import latest_record, newest_installed
from components.cluster.objects import make_object, read_object
from components.common.answers import mapped

_RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
RIGHTS_KINDS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding")


def rights_path(document: dict[str, Any], namespace: str) -> str:
    """Where the cluster's API has one of these objects.

    Args:
        document: As a manifest has it.
        namespace: That of the release.
    """
    name = mapped(document.get("metadata"))["name"]
    if document["kind"] == "ServiceAccount":
        return f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    return f"{_RIGHTS}/{document['kind'].lower()}s/{name}"


def make_rights(cluster: ClusterApi, namespace: str, name: str) -> list[str]:
    """Make those of the release's installed revision that are gone, as its manifest has them.

    Of a later revision that failed none: Helm refuses an object of a new one that is there and not
    marked as Helm's own.

    Returns what was made, as `kind name`.
    """
    record = newest_installed(cluster, namespace, name) or latest_record(cluster, namespace, name)
    made: list[str] = []
    for document in record.objects(RIGHTS_KINDS) if record and record.packed else ():
        path = rights_path(document, namespace)
        if read_object(cluster, path) is None:
            make_object(cluster, path.rpartition("/")[0], document)
            made.append(f"{document['kind']} {document['metadata']['name']}")
    return made
