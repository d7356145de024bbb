"""What of the agent's Deployment is this program's, and what Rancher's. Pure.

Some 15 s after the first connection Rancher applies a Deployment of its own over the manifest's:
with CATTLE_FEATURES, without which the agent opens a tunnel and serves nothing, with a Secret of
its own, and from then on with every new image. All that is Rancher's, and so is how many pods there
are. This program's is what makes the connection, since Rancher can't bring that to an agent that
does not reach it, that there is any pod, for the same reason, and what the stack gives the agent
beside its manifest (configuration/settings.py).
Source: Rancher 2.8.5, pkg/controllers/management/clusterdeploy/clusterdeploy.go.
"""

from collections.abc import Mapping
from typing import Any

from components.common.answers import listed, mapped
from components.rancher.agent.settings import (
    AgentSettings,
    container_of,
    environment_of,
    has_any,
    is_settled,
    pod_of,
    with_changes,
    without,
)
from components.rancher.api.addresses import normal_address

Document = dict[str, Any]

_FEATURES = "CATTLE_FEATURES"
_SERVER, _CHECKSUM = "CATTLE_SERVER", "CATTLE_CA_CHECKSUM"
_CREDENTIAL_NAME = "CATTLE_CREDENTIAL_NAME"  # from Rancher 2.13 on
_VOLUME = "cattle-credentials"
_NOTHING = AgentSettings()


def connection_of(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Where this Deployment's agent looks for Rancher, and by what it trusts it."""
    environment = environment_of(deployment)
    return {
        "server": normal_address(environment.get(_SERVER)),
        "ca_checksum": environment.get(_CHECKSUM, ""),
    }


def credentials_of(deployment: Mapping[str, Any]) -> str:
    """Name of the Secret that this Deployment's agent joins with."""
    for volume in listed(pod_of(deployment).get("volumes")):
        if volume.get("name") == _VOLUME:
            return str(mapped(volume.get("secret")).get("secretName", ""))
    return ""


def image_of(deployment: Mapping[str, Any]) -> str:
    """The agent's image."""
    return str(container_of(deployment).get("image", ""))


def is_rancher_s(deployment: Mapping[str, Any]) -> bool:
    """Whether Rancher has applied its own Deployment over the manifest's."""
    return bool(environment_of(deployment).get(_FEATURES))


def is_scaled_to_zero(deployment: Mapping[str, Any]) -> bool:
    """Whether it is to have no pods, as after `kubectl scale --replicas=0`."""
    return mapped(deployment.get("spec")).get("replicas") == 0


def patch_for(
    live: Mapping[str, Any],
    wanted: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    settings: AgentSettings = _NOTHING,
    settings_before: AgentSettings = _NOTHING,
) -> Document | None:
    """The strategic merge patch that brings a running agent to another manifest.

    Until Rancher has applied its own, that is the whole of the manifest; afterwards the connection
    and the settings only, and each only if it has to change. An agent without pods gets as many as
    the manifest has, or one. None where nothing has to change.

    Args:
        live: the Deployment as it is.
        wanted: as the manifest has it.
        before: as the manifest had it when this was done last; None for never.
        settings: what the stack gives the agent.
        settings_before: what it gave when this was done last.
    """
    patch = _patch_of_template(live, wanted, before, settings, settings_before)
    spec = mapped(mapped(patch).get("spec"))
    if not is_scaled_to_zero({"spec": {**mapped(live.get("spec")), **spec}}):
        return patch
    replicas = int(mapped(wanted.get("spec")).get("replicas") or 1)
    return {**mapped(patch), "spec": {**spec, "replicas": replicas}}


def _patch_of_template(
    live: Mapping[str, Any],
    wanted: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    settings: AgentSettings,
    settings_before: AgentSettings,
) -> Document | None:
    patch: Document | None = _patch_of_manifest(live, wanted, before)
    gone = without(settings_before, settings, wanted)
    if patch is None:
        if is_settled(live, settings) and not has_any(live, gone):
            return None
        patch = {}
    spec = mapped(patch.get("spec"))
    template = mapped(spec.get("template"))
    pod = with_changes(
        mapped(template.get("spec")),
        live,
        container=container_of(wanted)["name"],
        wanted=settings,
        gone=gone,
    )
    return {**patch, "spec": {**spec, "template": {**template, "spec": pod}}}


def _patch_of_manifest(
    live: Mapping[str, Any], wanted: Mapping[str, Any], before: Mapping[str, Any] | None
) -> Document | None:
    if not is_rancher_s(live):
        return {
            "metadata": {"annotations": wanted["metadata"].get("annotations") or {}},
            "spec": {key: value for key, value in wanted["spec"].items() if key != "selector"},
        }
    is_other_registration = before is not None and (
        connection_of(before) != connection_of(wanted)
        or credentials_of(before) != credentials_of(wanted)
    )
    if connection_of(live) == connection_of(wanted) and not is_other_registration:
        return None
    given = environment_of(wanted)
    names = [name for name in (_SERVER, _CHECKSUM, _CREDENTIAL_NAME) if name in given]
    pod: Document = {
        "containers": [
            {
                "name": container_of(wanted)["name"],
                "env": [{"name": name, "value": given[name]} for name in names],
            }
        ],
        "volumes": [{"name": _VOLUME, "secret": {"secretName": credentials_of(wanted)}}],
    }
    if pod_of(wanted).get("imagePullSecrets"):
        pod["imagePullSecrets"] = pod_of(wanted)["imagePullSecrets"]
    return {"spec": {"template": {"spec": pod}}}


def rollout_problem(deployment: Mapping[str, Any]) -> str:
    """What is missing until all pods of this Deployment are of its newest form; empty if nothing.

    The same questions as `kubectl rollout status` asks.
    """
    metadata, status = mapped(deployment.get("metadata")), mapped(deployment.get("status"))
    wanted = int(mapped(deployment.get("spec")).get("replicas", 1))
    updated = int(status.get("updatedReplicas") or 0)
    if int(status.get("observedGeneration") or 0) < int(metadata.get("generation") or 0):
        return "Kubernetes has not seen its newest form yet"
    if updated < wanted:
        return f"{updated} of {wanted} new pods are there"
    if int(status.get("replicas") or 0) > updated:
        return "old pods are still there"
    available = int(status.get("availableReplicas") or 0)
    return "" if available >= updated else f"{available} of {updated} new pods are available"
