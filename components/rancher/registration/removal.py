"""Taking a cluster out of Rancher, without being held up by a Rancher of the stack that is gone.

A Rancher of somebody else's that nobody reaches from here is most likely there, behind a VPN or a
name that is not known here. Only a person can say that it is gone.
"""

import os

from components.common.dynamic import Properties
from components.common.progress import show_progress, tell
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import (
    CertificateMismatchError,
    ExpiredTokenError,
    NotReadyError,
    RancherError,
    RemovalUnfinishedError,
    WrongPasswordError,
)
from components.rancher.registration.login import resume

VARIABLE = "LONGHORN_RANCHER_DELETE_UNREACHABLE"
"""Says that a Rancher of somebody else's which can't be asked is gone, as Pulumi's own does of a
cluster; so it counts for one that does not take the token, too."""
_SEARCH_SECONDS = 30.0
CLEAN_UP_SECONDS = 300.0
"""How long Rancher may take to clean up inside the cluster."""


def say(line: str) -> None:
    """Say what Rancher did, or could not do."""
    tell(f"Rancher: {line}")


def show(line: str) -> None:
    """Show a line of progress with Rancher."""
    show_progress(f"Rancher: {line}")


def deregister(state: Properties, token_description: str = "") -> None:
    """Delete the cluster in Rancher and wait until it is gone, with a bound.

    Rancher removes the agent and what came with it, so the agent should still run. What can't
    be done is reported, with what is left to do by hand, and does not fail: a Rancher of the
    stack's own that nobody reaches, or that has another CA (its data was lost, and the cluster with
    it), and a removal that does not end.

    A Rancher that is there fails: raises NotReadyError when it does not work, and
    WrongPasswordError when it takes neither token nor password. So does one of somebody else's
    that can't be asked, or takes no token: raises RancherError, or ExpiredTokenError, naming the
    variable that says it is gone.

    Args:
        state: url, ca_pem, api_token, cluster_id, delete_timeout_seconds and admin_password, which
            is empty for a Rancher of somebody else's.
        token_description: Delete the API tokens of this description too; empty for none.
    """
    url, cluster_id = state["url"], state["cluster_id"]
    try:
        with RancherClient(
            url,
            state["ca_pem"],
            is_own=bool(state["admin_password"]),
            retry_seconds=_SEARCH_SECONDS,
            say=show,
        ) as rancher:
            resume(rancher, state["api_token"], state["admin_password"])
            if rancher.clusters.delete(cluster_id, state["delete_timeout_seconds"]):
                say(f"cluster {cluster_id} is taken out of Rancher at {url}")
            else:
                say(f"Rancher at {url} has no cluster {cluster_id} any more")
            if token_description:
                rancher.accounts.delete_api_tokens(token_description)
    except (NotReadyError, CertificateMismatchError) as error:
        _leave(state, error)
    except (ExpiredTokenError, WrongPasswordError) as error:
        _stay(state, error)
    except RemovalUnfinishedError as error:
        say(f"{error} Its agent may be gone: delete it in Rancher by hand.")


def _stay(state: Properties, error: ExpiredTokenError | WrongPasswordError) -> None:
    """Raise with what to do where Rancher lets nobody in, unless the person gives it up."""
    is_own = bool(state["admin_password"])
    cluster_id = state["cluster_id"]
    if not is_own and os.environ.get(VARIABLE) == "true":
        say(f"cluster {cluster_id} is not taken out, because {VARIABLE} says so. {error}")
        return
    way = (
        "A removal goes by what the last `up` had: run `pulumi up` with it first, the import still "
        "on."
    )
    if not is_own:
        way += (
            f" To leave cluster {cluster_id} in that Rancher, set the environment variable "
            f"{VARIABLE}=true."
        )
    raise type(error)(f"{error} {way}") from None


def _leave(state: Properties, error: NotReadyError | CertificateMismatchError) -> None:
    """Report a cluster that stays in a Rancher which can't be asked; raise where that is wrong."""
    is_silent = isinstance(error, NotReadyError) and error.nothing_listens
    if isinstance(error, NotReadyError) and error.reason not in ("unreachable", "name"):
        raise error
    cluster = f"cluster {state['cluster_id']} is not taken out"
    if not state["admin_password"] and os.environ.get(VARIABLE) != "true":
        raise RancherError(
            f"{cluster} of Rancher. {error} Nothing is forgotten: see that Rancher is reached from "
            "here (VPN, name, CA) and run this again. If it is gone for good, set the environment "
            f"variable {VARIABLE}=true."
        ) from None
    why = "Rancher is gone" if is_silent else "another server answers"
    say(f"{cluster}, because {why}. {error}")
