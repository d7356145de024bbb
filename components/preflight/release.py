"""What is wrong with Longhorn's Helm release in the cluster, for the engine's diff. Reads only.

The engine forgets with a refresh that an installation failed, and would then call it unchanged.
"""

import threading

from components.cluster.api import ClusterApi
from components.cluster.helm_records import latest_record
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
    found: list[str | None] = []

    def ask() -> None:
        try:
            api = ClusterApi(settings.cluster.kubeconfig, settings.cluster.context)
            found.append(release_finding(api))
        except Exception:  # whatever a cluster answers, the preview goes on
            found.append(None)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return found[0] if found else None


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
