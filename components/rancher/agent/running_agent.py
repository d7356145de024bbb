"""The running agent brought along with its manifest, without taking back what is Rancher's."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from urllib3.exceptions import HTTPError

from components.cluster.api import ApiError, ClusterApi, open_cluster
from components.cluster.objects import list_objects, merge_object, read_object
from components.common.dynamic import (
    FINDING,
    DynamicProvider,
    DynamicResource,
    Properties,
    is_unknown,
)
from components.common.progress import tell
from components.common.waiting import wait_until
from components.rancher.agent.connection import (
    connection_of,
    is_rancher_s,
    is_scaled_to_zero,
    patch_for,
    rollout_problem,
)
from components.rancher.agent.known_objects import AGENT, NAMESPACE
from components.rancher.agent.pods import pods_problem
from components.rancher.agent.settings import AgentSettings, settings_of

_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{AGENT}"


class RancherAgentConnectionProvider(DynamicProvider):
    """Compares on every refresh; changes what must change, and waits until the new pods run."""

    outputs = ("found", "revision")

    def make(self, new: Properties) -> tuple[str, Properties]:
        """The Deployment was just made, or was there. Raises RuntimeError when it is missing."""
        return AGENT, _brought_along(new, {})

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """Also one that a refresh found looking elsewhere, without settings, or scaled to 0."""
        wanted = new.get("deployment")
        is_known = not is_unknown(wanted)
        is_other = is_known and wanted is not None and old.get("found") != _found(wanted, new)
        return super().differences(old, new) | ({"found"} if is_other else set())

    def change(self, old: Properties, new: Properties) -> Properties:
        """Bring it along."""
        return _brought_along(new, old)

    def look(self, state: Properties) -> Properties | None:
        """Where the agent looks for Rancher now, what it has of its settings, whether it is off.

        A cluster that does not answer proves nothing.
        """
        try:
            live = read_object(open_cluster(state), _PATH)
        except (ApiError, HTTPError, OSError, RuntimeError) as error:
            tell(f"Rancher's agent could not be compared with its manifest. {error}")
            return state
        if live is None:
            return None
        if not is_rancher_s(live):
            tell(
                "Rancher's agent runs as the import manifest has it, without the features that "
                "Rancher gives it soon after the first connection. If Rancher calls the cluster "
                "disconnected, have it deploy its agent again: annotation "
                "io.cattle.agent.force.deploy=true on the cluster in Rancher."
            )
        off = {"replicas": 0} if is_scaled_to_zero(live) else {}
        return {**state, "found": {**_found(live, state), **off}}


def _found(deployment: Mapping[str, Any], props: Properties) -> Properties:
    return {**connection_of(deployment), **settings_of(deployment, AgentSettings.of(props))}


def _brought_along(new: Properties, old: Properties) -> Properties:
    cluster = open_cluster(new)
    live = read_object(cluster, _PATH)
    if live is None:
        raise RuntimeError(
            f"there is no Deployment {AGENT} in namespace {NAMESPACE}: somebody deleted it. "
            "Run `pulumi up --refresh`, which makes it again."
        )
    wanted: Mapping[str, Any] = new["deployment"]
    settings, before = AgentSettings.of(new), AgentSettings.of(old)
    patch = patch_for(live, wanted, old.get("deployment"), settings, before)
    revision = str(old.get("revision") or live["metadata"]["generation"])
    if patch is not None:
        revision = str(merge_object(cluster, _PATH, patch)["metadata"]["generation"])
    # Also where nothing differs: the plugin does not wait, and a run before may have given up.
    wait_until(
        f"Deployment {AGENT}",
        _not_rolled_out(cluster),
        timeout_seconds=float(new["timeout_seconds"]),
    )
    return {**new, "found": _found(wanted, new), "revision": revision}


def _not_rolled_out(cluster: ClusterApi) -> Callable[[], list[str]]:
    def missing() -> list[str]:
        live = read_object(cluster, _PATH)
        problem = "it is gone" if live is None else rollout_problem(live)
        if not problem:
            return []
        said = pods_problem(list_objects(cluster, _PODS, f"app={AGENT}"))
        hint = f"kubectl -n {NAMESPACE} describe pods -l app={AGENT}"
        return [f"{problem} ({said}); see {hint}" if said else f"{problem}; see {hint}"]

    return missing


class RancherAgentConnection(DynamicResource, module="rancher", name="AgentConnection"):
    """Owns where the running agent looks for Rancher, what it trusts and what it joins with.

    Owns the variables and hosts entries, too, that the stack gives it, each by its name, and that
    it has pods at all; how many is Rancher's.

    Refuses to touch what Rancher itself puts into the Deployment. Holds for a manifest that was
    given too: it needs the cluster and no Rancher.
    """

    revision: pulumi.Output[str]
    """Changes whenever the agent was brought along."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Mapping[str, str | None],
        deployment: pulumi.Input[Mapping[str, Any]],
        incarnation: pulumi.Input[str],
        timeout_seconds: int,
        settings: AgentSettings,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            cluster: The inputs that name the cluster.
            deployment: The manifest's Deployment with the settings in it, readable: it holds no
                secret.
            incarnation: The Deployment's uid: another one was made from the manifest, without what
                Rancher had.
            timeout_seconds: How long the new pods may take.
            settings: What the stack gives the agent beside its manifest.
            finding: That somebody has scaled it to 0 or deleted it, right now.
        """
        inputs: Properties = {
            **cluster,
            "deployment": deployment,
            "incarnation": incarnation,
            "timeout_seconds": timeout_seconds,
            FINDING: finding,
            **settings.inputs,
        }
        super().__init__(RancherAgentConnectionProvider(), name, inputs, opts)
