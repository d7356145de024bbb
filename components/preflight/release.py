"""What is wrong with Longhorn's Helm release in the cluster, for Pulumi's diff. Reads only.

Pulumi forgets with a refresh that an installation failed, and would then call it unchanged.
"""

from components.cluster.api import ClusterApi
from components.cluster.helm_records import latest_record
from components.preflight.deadline import answer_within
from settings import Settings

_NAMESPACE, _NAME = "longhorn-system", "longhorn"
_MANAGER = "longhorn-manager"
_SECONDS = 15.0
_FAILED, _DEPLOYED = "failed", "deployed"


def read_release(settings: Settings) -> str | None:
    """What is wrong, in one line; None where nothing is, or nothing can be asked.

    A cluster that does not answer has been reported by then (components/preflight/findings.py).
    """
    if not settings.stages.longhorn or not settings.checks.read_cluster:
        return None
    cluster = settings.cluster
    try:
        return answer_within(
            _SECONDS, lambda: release_finding(ClusterApi(cluster.kubeconfig, cluster.context))
        )
    except Exception:  # whatever a cluster answers, the preview goes on
        return None


def release_finding(api: ClusterApi) -> str | None:
    """The same, of this cluster. Raises whatever the client raises when it does not answer."""
    record = latest_record(api, _NAMESPACE, _NAME)
    if record is None:
        return None
    if record.status == _FAILED:
        return f"Helm's revision {record.revision} of {_NAME} failed"
    daemons = api.apps.list_namespaced_daemon_set(_NAMESPACE).items
    if record.status == _DEPLOYED and not any(d.metadata.name == _MANAGER for d in daemons):
        return f"DaemonSet {_MANAGER} is missing, and Helm's revision {record.revision} has it"
    return None
