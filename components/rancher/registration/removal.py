"""Taking a cluster out of Rancher, without ever being held up by a Rancher that is gone."""

from components.common.dynamic import Properties
from components.common.progress import show_progress, tell
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import (
    CertificateMismatchError,
    NotReadyError,
    RemovalUnfinishedError,
)
from components.rancher.registration.login import resume

_SEARCH_SECONDS = 30.0
CLEAN_UP_SECONDS = 300.0
"""How long Rancher may take to clean up inside the cluster."""
_LEFTOVERS = (
    "What the agent left in the cluster can be removed with `kubectl delete namespace "
    "cattle-system` and the ClusterRoles and ClusterRoleBindings cattle-admin, "
    "cattle-admin-binding and proxy-clusterrole-kubeapiserver."
)


def say(line: str) -> None:
    """Say what Rancher did, or could not do."""
    tell(f"Rancher: {line}")


def show(line: str) -> None:
    """Show a line of progress with Rancher."""
    show_progress(f"Rancher: {line}")


def deregister(state: Properties, token_description: str = "") -> None:
    """Delete the cluster in Rancher and wait until it is gone, with a bound.

    Rancher removes the agent and what came with it, so the agent should still run. What can't
    be done is reported, with what is left to do by hand, and does not fail: a Rancher that nobody
    reaches, one with another CA (its data was lost, and the cluster with it), and a removal
    that does not end.

    A Rancher that is there fails: raises NotReadyError when it does not work, and
    WrongPasswordError when it takes neither token nor password.

    Args:
        state: url, ca_pem, api_token, admin_password, cluster_id and delete_timeout_seconds.
        token_description: Delete the API tokens of this description too; empty for none.
    """
    url, cluster_id = state["url"], state["cluster_id"]
    try:
        with RancherClient(
            url, state["ca_pem"], retry_seconds=_SEARCH_SECONDS, say=show
        ) as rancher:
            resume(rancher, state["api_token"], state["admin_password"])
            if rancher.clusters.delete(cluster_id, state["delete_timeout_seconds"]):
                say(f"cluster {cluster_id} is taken out of Rancher at {url}")
            else:
                say(f"Rancher at {url} has no cluster {cluster_id} any more")
            if token_description:
                rancher.accounts.delete_api_tokens(token_description)
    except NotReadyError as error:
        if error.reason not in ("unreachable", "name"):
            raise
        why = "Rancher is gone" if error.nothing_listens else "another server answers"
        say(f"cluster {cluster_id} is not taken out, because {why}. {error} {_LEFTOVERS}")
    except CertificateMismatchError as error:
        say(
            f"cluster {cluster_id} is not taken out, because another server answers. {error} "
            f"{_LEFTOVERS}"
        )
    except RemovalUnfinishedError as error:
        say(f"{error} Its agent may be gone: delete it in Rancher by hand. {_LEFTOVERS}")
