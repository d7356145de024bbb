"""The cluster's place in Rancher, as a resource that Pulumi compares and keeps."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

import pulumi
from pulumi.dynamic import CheckFailure

from components.common.dynamic import DynamicProvider, DynamicResource, Properties, is_unknown
from components.rancher.api.accounts import ends_soon
from components.rancher.api.addresses import is_same_address
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import RancherError
from components.rancher.registration.facts import cluster_facts, entered
from components.rancher.registration.login import become_admin, resume
from components.rancher.registration.removal import CLEAN_UP_SECONDS, deregister, say, show
from configuration.rancher import RancherImportSettings, RancherSettings
from configuration.rancher_rules import password_problem
from configuration.secrets import Secret

SECRETS = ("admin_password", "bootstrap_password", "api_token", "registration_token", "manifest")
_OUTPUTS = ("cluster_id", "registration_token", "manifest", "version")
_TOKEN_OUTPUTS = ("api_token", "api_token_id", "api_token_expires", "api_token_made")
_READ_SECONDS = 30.0


class RancherRegistrationProvider(DynamicProvider):
    """Brings Rancher to the state wanted, from wherever it is; each step looks before it makes."""

    outputs = (*_OUTPUTS, *_TOKEN_OUTPUTS)
    not_compared: ClassVar[Mapping[str, str]] = {
        "bootstrap_password": "Rancher reads it only once, and it is not kept"
    }
    replaced_by = ("owner",)
    # Rancher writes the environment into the manifest, too, where the agent has it already.
    leaves_outputs = (
        "agent_environment",
        "admin_password",
        "ready_timeout_seconds",
        "delete_timeout_seconds",
    )
    # The agent's objects have the same names under either registration.
    deletes_before_replacing = True

    def refusals(self, old: Properties, new: Properties) -> list[CheckFailure]:
        """What Rancher would refuse later."""
        del old
        failures: list[CheckFailure] = []
        for key in ("url", "server_url"):
            if not is_unknown(new[key]) and urlsplit(str(new[key])).scheme != "https":
                failures.append(CheckFailure(key, f"{new[key]!r} must begin with https://"))
        password = new["admin_password"]
        if not is_unknown(password):
            problem = password_problem(Secret.RANCHER_ADMIN_PASSWORD, str(password))
            if problem:
                failures.append(CheckFailure("admin_password", problem))
        return failures

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """An API token that Rancher will soon no longer take is a difference, too."""
        token = {"api_token"} if _is_to_be_renewed(old) else set[str]()
        return super().differences(old, new) | token

    def replacements(self, old: Properties, new: Properties, changed: set[str]) -> set[str]:
        """Another Kubernetes cluster; one that had no owner yet gets it in place."""
        is_known = bool(old.get("owner") and new.get("owner"))
        return super().replacements(old, new, changed) if is_known else set()

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Register the cluster, or find it registered."""
        return str(new["cluster_name"]), self._converge(new, {})

    def change(self, old: Properties, new: Properties) -> Properties:
        """The same as make; a Rancher that lost its data gets the cluster again."""
        return self._converge(new, old)

    def look(self, state: Properties) -> Properties | None:
        """What Rancher says now; gone if it has no such cluster.

        A Rancher that does not answer, has another CA or takes no password proves nothing about
        the cluster: that is reported and the state stays as it is, so that the next `up`, which
        has the new CA or password, is not kept from putting it right.
        """
        try:
            return self._read(state)
        except RancherError as error:
            say(f"{state['cluster_name']}: could not be compared with Rancher. {error}")
            return state

    def remove(self, state: Properties) -> None:
        """Take the cluster out of Rancher and delete the API token; see removal.py."""
        deregister(state, token_description=_description(state))

    def _converge(self, props: Properties, olds: Properties) -> Properties:
        timeout = float(props["ready_timeout_seconds"])
        with RancherClient(props["url"], props["ca_pem"], say=show) as rancher:
            rancher.wait_until_ready(timeout)
            earlier = [str(olds.get("admin_password", "")), str(props["bootstrap_password"])]
            become_admin(rancher, props["admin_password"], earlier)
            rancher.set_server_url(props["server_url"])
            cluster = entered(rancher, props, olds)
            if olds and _description(olds) != _description(props):
                # A token is known by the cluster's name.
                rancher.accounts.delete_api_tokens(_description(olds))
            kept = self._kept_token(rancher, olds) or self._new_token(rancher, props)
            return {
                **{key: value for key, value in props.items() if key not in self.not_compared},
                **cluster_facts(rancher, cluster.id, props),
                **kept,
            }

    def _read(self, props: Properties) -> Properties | None:
        with RancherClient(
            props["url"], props["ca_pem"], retry_seconds=_READ_SECONDS, say=show
        ) as rancher:
            is_token_good = resume(rancher, props["api_token"], props["admin_password"])
            cluster = rancher.clusters.get(props["cluster_id"])
            if cluster is None or cluster.state == "removing":
                return None
            server_url = rancher.server_url()
            if is_same_address(server_url, props["server_url"]):
                server_url = props["server_url"]
            outs = {**props, "cluster_name": cluster.name, "server_url": server_url}
            if props.get("agent_environment"):
                outs["agent_environment"] = dict(cluster.agent_environment)
            if server_url == props["server_url"]:
                outs.update(cluster_facts(rancher, cluster.id, outs))
            if not is_token_good:
                outs.update(self._new_token(rancher, props))
            return outs

    def _kept_token(self, rancher: RancherClient, olds: Properties) -> Properties | None:
        token_id = olds.get("api_token_id")
        if not token_id or _is_to_be_renewed(olds):
            return None
        if not rancher.accounts.has_api_token(str(token_id)):
            return None
        return {key: olds.get(key) for key in _TOKEN_OUTPUTS}

    def _new_token(self, rancher: RancherClient, props: Properties) -> Properties:
        token = rancher.accounts.replace_api_token(_description(props))
        return {
            "api_token": token.value,
            "api_token_id": token.id,
            "api_token_expires": token.expires_at,
            "api_token_made": token.made_at,
        }


class RancherRegistration(DynamicResource, module="rancher", name="Registration"):
    """Owns the cluster's entry in Rancher, Rancher's admin password, server-url and a token.

    Owns the environment of the cluster's agents there, too, if one is given.

    Refuses to own what runs in the cluster: the manifest is an output, checked, for others to
    apply. Deleting it makes Rancher clean up inside the cluster, through the agent.
    """

    server_url: pulumi.Output[str]
    """Rancher's address as the cluster's nodes reach it."""
    cluster_id: pulumi.Output[str]
    """Rancher's identifier, such as c-49z7b."""
    registration_token: pulumi.Output[str]
    """What the agent joins with, secret."""
    manifest: pulumi.Output[str]
    """The import manifest's text, secret; verified against url, CA and token."""
    version: pulumi.Output[str]
    """Rancher's version."""
    api_token: pulumi.Output[str]
    """An API token of the admin, secret."""

    def __init__(
        self,
        name: str,
        *,
        rancher: RancherSettings,
        given: RancherImportSettings,
        cluster_name: str,
        url: pulumi.Input[str],
        ca_pem: pulumi.Input[str],
        bootstrap_password: pulumi.Input[str],
        admin_password: pulumi.Input[str],
        owner: pulumi.Input[str],
        server_id: pulumi.Input[str],
    ) -> None:
        """Declare it.

        Args:
            rancher: Rancher's address as the cluster's nodes reach it, which becomes its setting
                server-url, and how long it may take until it answers.
            given: What Rancher gives the cluster's agents as environment; none is left to others.
            cluster_name: The cluster's name in Rancher; another name renames it there.
            url: Rancher's address as this machine reaches it, with https://.
            ca_pem: The CA that signed Rancher's certificate, read over a trusted channel; empty
                for a certificate that this machine's own CAs signed.
            bootstrap_password: What Rancher was first started with (secret); matters only until a
                password is set.
            admin_password: What user admin is to have (secret), at least 12 characters.
            owner: What names the Kubernetes cluster for good (the uid of its namespace
                kube-system); a registration that was made for one is taken over only for the
                same.
            server_id: Whatever changes when the server is another one or starts again (its
                container's id); then it is asked again for everything, since its version or its
                data may be others.
        """
        inputs = {
            "url": url,
            "ca_pem": ca_pem,
            "bootstrap_password": pulumi.Output.secret(bootstrap_password),
            "admin_password": pulumi.Output.secret(admin_password),
            "cluster_name": cluster_name,
            "server_url": rancher.url,
            "owner": owner,
            "server_id": server_id,
            "agent_environment": given.agent_environment or None,
            "ready_timeout_seconds": rancher.start_timeout_seconds,
            "delete_timeout_seconds": CLEAN_UP_SECONDS,
        }
        super().__init__(RancherRegistrationProvider(), name, inputs, secrets=SECRETS)


def _is_to_be_renewed(state: Properties) -> bool:
    expires, made = (str(state.get(f"api_token_{each}") or "") for each in ("expires", "made"))
    return ends_soon(expires, datetime.now(UTC), made)


def _description(props: Properties) -> str:
    return f"longhorn-rancher, cluster {props['cluster_name']}"
