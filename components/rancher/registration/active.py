"""The wait until Rancher really has the cluster: Active, Connected, and staying so."""

from collections.abc import Mapping
from typing import ClassVar

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties, is_unknown
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import (
    CertificateMismatchError,
    ExpiredTokenError,
    RancherError,
    WrongPasswordError,
)
from components.rancher.registration.activity import (
    RancherView,
    gone,
    wait_until_active,
    why_not_active,
)
from components.rancher.registration.login import resume
from components.rancher.registration.removal import CLEAN_UP_SECONDS, deregister, say, show

_READ_SECONDS = 30.0
_PREVIEW_SECONDS = 5.0
_AGENT_SECONDS = 5.0
_CONFIRMATIONS = 3
"""How many times in a row Rancher must call the cluster active."""
_REFUSED = "refused"
"""Instead of a cluster's state: what answers lets nobody in with what the stack has, or is not
the Rancher whose CA is known."""
_REFUSALS = (CertificateMismatchError, ExpiredTokenError, WrongPasswordError)


class RancherClusterActiveProvider(DynamicProvider):
    """Waits on create and update; on delete takes the cluster out while its agent still runs."""

    outputs = ("state",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "api_token": "a renewed one says nothing of the cluster, and the password is there for an "
        "old one",
    }
    replaced_by = ("cluster_id",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Wait. Raises ClusterNotActiveError with the reason."""
        is_own = bool(new["admin_password"])
        with RancherClient(new["url"], new["ca_pem"], is_own=is_own, say=show) as rancher:
            resume(rancher, new["api_token"], new["admin_password"])
            clusters, cluster_id = rancher.clusters, str(new["cluster_id"])
            wait_until_active(
                RancherView(
                    cluster=lambda: clusters.get(cluster_id),
                    agent=lambda: clusters.agent_deployment(cluster_id),
                    deploy_again=clusters.deploy_agent_again,
                ),
                cluster_id=cluster_id,
                image=str(new.get("agent_image") or ""),
                confirmations=int(new["confirmations"]),
                timeout_seconds=float(new["timeout_seconds"]),
                say=show,
            )
        return cluster_id, {**new, "state": "active"}

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """A cluster that is not active any more is a difference, too, and needs no refresh.

        A preview asks Rancher, and goes on without an answer; one that refuses token and password,
        or has another CA, has answered, and what would then not be looked at is a difference, on
        which `up` fails with what to do. So does it for a cluster that Rancher does not have: its
        registration has to be made again first, and what Rancher's clean-up took with it, which a
        refresh finds.
        """
        # Without a password the removal goes by the token alone.
        is_other = not new.get("admin_password") and old.get("api_token") != new.get("api_token")
        token = {"api_token"} if is_other else set[str]()
        is_active = old.get("state") == "active"
        if is_active:
            seen = seen_state(old, _PREVIEW_SECONDS)
            is_active = seen == "active"
            if seen is None:
                say(gone(old["cluster_id"]))
        return super().differences(old, new) | token | (set() if is_active else {"state"})

    def replacements(self, old: Properties, new: Properties, changed: set[str]) -> set[str]:
        """Another cluster.

        During a preview the id is unknown whenever its registration changes in any way, and
        nearly always stays the same; so an unknown one is shown as an update.
        """
        if is_unknown(new.get("cluster_id")):
            return set()
        return super().replacements(old, new, changed)

    def look(self, state: Properties) -> Properties | None:
        """The state that Rancher sees now; gone if it has no such cluster.

        What keeps Rancher from telling is said and leaves the state as it is.
        """
        found = seen_state(state, _READ_SECONDS)
        if found == _REFUSED:
            return state
        return None if found is None else {**state, "state": found}

    def remove(self, state: Properties) -> None:
        """Take the cluster out of Rancher; see removal.py."""
        deregister(state)


def seen_state(state: Properties, patience: float) -> str | None:
    """The cluster's state in Rancher now; None if it has no such cluster.

    What keeps Rancher from telling is said, and then it is the state that was known; `refused`
    where Rancher takes neither token nor password, or a server with another CA answers.

    Args:
        state: What is known of the cluster.
        patience: Seconds for which Rancher may not answer.
    """
    try:
        with RancherClient(
            state["url"],
            state["ca_pem"],
            is_own=bool(state["admin_password"]),
            retry_seconds=patience,
            say=show,
        ) as to:
            resume(to, state["api_token"], state["admin_password"])
            cluster = to.clusters.get(state["cluster_id"])
            if cluster is None:
                return None
            why = why_not_active(cluster)
            is_answering = why or to.clusters.agent_deployment(
                state["cluster_id"], retry_seconds=_AGENT_SECONDS
            )
    except RancherError as error:
        say(f"{state['cluster_id']}: could not be compared with Rancher. {error}")
        return _REFUSED if isinstance(error, _REFUSALS) else str(state.get("state"))
    if cluster.state == "active" and (why or not is_answering):
        return "disconnected"
    return cluster.state


class RancherClusterActive(DynamicResource, module="rancher", name="ClusterActive"):
    """Done when Rancher has had the cluster Active and Connected several times in a row.

    Its agent must answer through Rancher each time, with none of its pods still to be renewed:
    Rancher deploys its agent again soon after the first connection and after an upgrade.

    It must depend on the applied manifest. Then it is also deleted before the manifest's
    objects, and takes the cluster out of Rancher while the agent still runs: Rancher cleans up
    inside the cluster only through its agent.
    """

    state: pulumi.Output[str]
    """The cluster's state in Rancher: active, or what a refresh found."""

    def __init__(
        self,
        name: str,
        *,
        url: pulumi.Input[str],
        ca_pem: pulumi.Input[str],
        cluster_id: pulumi.Input[str],
        api_token: pulumi.Input[str],
        admin_password: pulumi.Input[str],
        revision: pulumi.Input[str],
        agent_image: pulumi.Input[str],
        timeout_seconds: float,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            url: Rancher's address as this machine reaches it.
            ca_pem: The CA that signed Rancher's certificate, as for RancherRegistration.
            cluster_id: Rancher's identifier of the cluster; another one is another wait.
            api_token: API token (secret).
            admin_password: What user admin has (secret), for when Rancher takes the token no more;
                empty where a person gave the token.
            revision: Anything that changes whenever agent or server is deployed again; then it is
                waited for.
            agent_image: The agent's image that goes with Rancher's version; empty if it doesn't
                matter.
            timeout_seconds: How long the agent may take.
        """
        inputs = {
            "url": url,
            "ca_pem": ca_pem,
            "cluster_id": cluster_id,
            "api_token": pulumi.Output.secret(api_token),
            "admin_password": pulumi.Output.secret(admin_password),
            "revision": revision,
            "agent_image": agent_image,
            "confirmations": _CONFIRMATIONS,
            "timeout_seconds": timeout_seconds,
            "delete_timeout_seconds": CLEAN_UP_SECONDS,
        }
        secrets = ["api_token", "admin_password"]
        super().__init__(RancherClusterActiveProvider(), name, inputs, opts, secrets=secrets)
