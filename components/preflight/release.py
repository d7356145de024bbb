"""What is wrong with Longhorn's Helm release in the cluster, for Pulumi's diff. Reads only.

Pulumi forgets with a refresh that an installation failed, and would then call it unchanged.
"""

from components.cluster.api import ClusterApi
from components.cluster.helm_records import latest_record
from components.longhorn.objects import NAMESPACE

_NAME = "longhorn"
_MANAGER = "longhorn-manager"
_FAILED, _DEPLOYED = "failed", "deployed"


def release_finding(api: ClusterApi) -> str | None:
    """What is wrong, in one line; None where nothing is, or there is no release.

    Raises whatever the client raises when the cluster does not answer.
    """
    record = latest_record(api, NAMESPACE, _NAME)
    if record is None:
        return None
    if record.status == _FAILED:
        return f"Helm's revision {record.revision} of {_NAME} failed"
    daemons = api.apps.list_namespaced_daemon_set(NAMESPACE).items
    if record.status == _DEPLOYED and not any(d.metadata.name == _MANAGER for d in daemons):
        return f"DaemonSet {_MANAGER} is missing, and Helm's revision {record.revision} has it"
    return None
