"""When a cluster counts as active in Rancher, and waiting for that."""

import time
from collections.abc import Callable

from components.rancher.api.clusters import Cluster
from components.rancher.api.errors import ClusterNotActiveError
from components.rancher.api.transport import Say

_INTERVAL_SECONDS = 2.0
_TELL_EVERY_SECONDS = 15.0


def why_not_active(cluster: Cluster | None) -> str:
    """What keeps the cluster from counting as active; empty when nothing does. Pure.

    Both conditions are asked for, since the state can be active before the agent is connected.
    """
    if cluster is None:
        return "Rancher has no such cluster"
    if cluster.state != "active":
        return f"its state is {cluster.state!r}{_reason(cluster)}"
    for condition in ("Connected", "Ready"):
        if not cluster.is_true(condition):
            return f"its condition {condition} is not True{_reason(cluster)}"
    return ""


def wait_until_active(
    look: Callable[[], Cluster | None],
    *,
    cluster_id: str,
    confirmations: int,
    timeout_seconds: float,
    say: Say,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Look until the cluster was active `confirmations` times in a row.

    Raises ClusterNotActiveError at the deadline, with what Rancher said last.
    """
    started = told = clock()
    in_a_row, last = 0, ""
    while True:
        why = why_not_active(look())
        in_a_row = 0 if why else in_a_row + 1
        if in_a_row >= confirmations:
            return
        now = clock()
        if now - started >= timeout_seconds:
            raise ClusterNotActiveError(
                f"Cluster {cluster_id} is not active in Rancher after {timeout_seconds:.0f} s: "
                f"{why or 'it became active only now'}. See what its agent says: kubectl -n "
                "cattle-system get pods, and kubectl -n cattle-system logs deploy/cattle-cluster-"
                "agent. It must reach Rancher's server-url from a pod."
            )
        if why and (why != last or now - told >= _TELL_EVERY_SECONDS):
            say(f"waiting for cluster {cluster_id}: {why}")
            told, last = now, why
        sleep(_INTERVAL_SECONDS)


def _reason(cluster: Cluster) -> str:
    for kind, (status, said) in sorted(cluster.conditions.items()):
        if status != "True" and said:
            return f" ({kind}: {said})"
    return ""
