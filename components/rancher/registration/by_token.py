"""The cluster's place in a Rancher that was there before and belongs to somebody else."""

from collections.abc import Generator
from contextlib import contextmanager

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import ExpiredTokenError, NotReadyError, RancherError
from components.rancher.registration.facts import cluster_facts, entered
from components.rancher.registration.login import refused_token
from components.rancher.registration.removal import CLEAN_UP_SECONDS, deregister, say
from configuration.rancher import RancherImportSettings

_READ_SECONDS = 30.0
_SECRETS = ("api_token", "registration_token", "manifest")


class RancherTokenRegistrationProvider(DynamicProvider):
    """Registers the cluster with an API token, and changes nothing else in that Rancher."""

    outputs = ("server_url", "cluster_id", "registration_token", "manifest", "version")
    replaced_by = ("owner",)
    leaves_outputs = (
        *("api_token", "agent_environment"),
        *("ready_timeout_seconds", "delete_timeout_seconds"),
    )
    # The agent's objects have the same names under either registration.
    deletes_before_replacing = True

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Register the cluster, or find it registered."""
        return str(new["cluster_name"]), self._converge(new, {})

    def change(self, old: Properties, new: Properties) -> Properties:
        """The same as make; a Rancher that lost its data gets the cluster again."""
        return self._converge(new, old)

    def look(self, state: Properties) -> Properties | None:
        """What Rancher says now; gone if it has no such cluster.

        A Rancher that does not answer, or does not take the token, proves nothing about the
        cluster: that is reported and the state stays as it is.
        """
        try:
            with _open(state, _READ_SECONDS) as rancher:
                cluster = rancher.clusters.get(state["cluster_id"])
                if cluster is None or cluster.state == "removing":
                    return None
                found = {**state, "cluster_name": cluster.name, "server_url": _server_url(rancher)}
                if state.get("agent_environment"):
                    found["agent_environment"] = dict(cluster.agent_environment)
                return {**found, **cluster_facts(rancher, cluster.id, found)}
        except RancherError as error:
            say(f"{state['cluster_name']}: could not be compared with Rancher. {error}")
            return state

    def remove(self, state: Properties) -> None:
        """Take the cluster out of Rancher; the token stays, it is not this stack's."""
        deregister({**state, "admin_password": ""})

    def _converge(self, props: Properties, olds: Properties) -> Properties:
        with _open(props) as rancher:
            rancher.wait_until_ready(float(props["ready_timeout_seconds"]))
            found = {**props, "server_url": _server_url(rancher)}
            cluster = entered(rancher, props, olds)
            return {**found, **cluster_facts(rancher, cluster.id, found)}


@contextmanager
def _open(props: Properties, patience: float = 120.0) -> Generator[RancherClient]:
    """A conversation as whoever has the token. Raises ExpiredTokenError with what to do."""
    with RancherClient(
        props["url"], props["ca_pem"], is_own=False, retry_seconds=patience, say=say
    ) as rancher:
        rancher.accounts.use_token(props["api_token"])
        try:
            yield rancher
        except ExpiredTokenError:
            raise refused_token(rancher) from None


def _server_url(rancher: RancherClient) -> str:
    url = rancher.server_url()
    if not url:
        raise NotReadyError(
            f"Rancher at {rancher.url} has no server-url yet, so it does not know which address "
            "to give its agents. Log in as its administrator, who is asked for it.",
            "starting",
        )
    return url


class RancherTokenRegistration(DynamicResource, module="rancher", name="TokenRegistration"):
    """Owns the cluster's entry in a Rancher that is there already, and nothing else in it.

    Refuses to own its settings, its users and the token: those are given. Refuses to own what runs
    in the cluster, too: the manifest is an output, checked, for others to apply. Deleting it makes
    Rancher clean up inside the cluster, through the agent.
    """

    server_url: pulumi.Output[str]
    """Rancher's address as its agents are told."""
    cluster_id: pulumi.Output[str]
    """Rancher's identifier, such as c-49z7b."""
    registration_token: pulumi.Output[str]
    """What the agent joins with, secret."""
    manifest: pulumi.Output[str]
    """The import manifest's text, secret; verified against server_url, CA and token."""
    version: pulumi.Output[str]
    """Rancher's version."""

    def __init__(
        self,
        name: str,
        *,
        given: RancherImportSettings,
        cluster_name: str,
        ca_pem: pulumi.Input[str],
        api_token: pulumi.Input[str],
        owner: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            given: Rancher's address, what it gives the cluster's agents as environment, and how
                long things may take.
            cluster_name: The cluster's name in Rancher; another name renames it there.
            ca_pem: The CA that signed Rancher's certificate; empty where this machine's own did.
            api_token: An API token (secret) of a user who may create clusters.
            owner: What names the Kubernetes cluster for good (the uid of its namespace
                kube-system); a registration that was made for one is taken over only for the
                same.
            opts: The resource's options.
        """
        inputs = {
            "url": given.url,
            "ca_pem": ca_pem,
            "api_token": pulumi.Output.secret(api_token),
            "cluster_name": cluster_name,
            "owner": owner,
            "agent_environment": given.agent_environment or None,
            "ready_timeout_seconds": given.timeout_seconds,
            "delete_timeout_seconds": CLEAN_UP_SECONDS,
        }
        provider = RancherTokenRegistrationProvider()
        super().__init__(provider, name, inputs, opts, secrets=_SECRETS)
