"""What a stack gives Rancher's agent beside its manifest: environment and hosts entries. Pure.

Rancher applies its Deployment as `kubectl apply` does on the client's side: a variable or a hosts
entry that it never had itself stays (2.8.5, pkg/kubectl). An agent that reaches Rancher only by
them could not get them from Rancher.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.common.answers import listed, mapped
from configuration.rancher import RancherImportSettings

Document = dict[str, Any]

_REMOVED = {"$patch": "delete"}


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What is given; nothing as it comes."""

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name → value."""
    host_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """IP address → the names that have it."""

    @staticmethod
    def of_stack(given: RancherImportSettings) -> "AgentSettings":
        """What a stack file gives."""
        return AgentSettings(
            environment=given.agent_environment,
            host_aliases={alias.ip: alias.hostnames for alias in given.host_aliases},
        )

    @staticmethod
    def of(inputs: Mapping[str, Any]) -> "AgentSettings":
        """What the inputs or the state of a resource hold."""
        return AgentSettings(
            environment=mapped(inputs.get("environment")),
            host_aliases=mapped(inputs.get("host_aliases")),
        )

    @property
    def inputs(self) -> dict[str, Any]:
        """For a resource's inputs; None where nothing is given."""
        return {
            "environment": dict(self.environment) or None,
            "host_aliases": {ip: list(names) for ip, names in self.host_aliases.items()} or None,
        }


def with_settings(deployment: Mapping[str, Any], settings: AgentSettings) -> Document:
    """A Deployment that has them; what it has under the same names gives way."""
    spec = mapped(deployment.get("spec"))
    template = mapped(spec.get("template"))
    pod = mapped(template.get("spec"))
    if settings.environment:
        first, *others = [mapped(each) for each in listed(pod.get("containers"))]
        kept = [
            each for each in listed(first.get("env")) if each["name"] not in settings.environment
        ]
        pod["containers"] = [{**first, "env": [*kept, *_variables(settings)]}, *others]
    if settings.host_aliases:
        aliases = listed(pod.get("hostAliases"))
        kept = [each for each in aliases if each["ip"] not in settings.host_aliases]
        pod["hostAliases"] = [*kept, *_aliases(settings)]
    return {**deployment, "spec": {**spec, "template": {**template, "spec": pod}}}


def settings_of(deployment: Mapping[str, Any], wanted: AgentSettings) -> Document:
    """What this Deployment has of what is wanted; only what is wanted counts."""
    environment, aliases = environment_of(deployment), _host_aliases(deployment)
    found: Document = {}
    if wanted.environment:
        found["environment"] = {
            name: environment[name] for name in wanted.environment if name in environment
        }
    if wanted.host_aliases:
        found["host_aliases"] = {ip: aliases[ip] for ip in wanted.host_aliases if ip in aliases}
    return found


def with_changes(
    pod: Document,
    live: Mapping[str, Any],
    *,
    container: str,
    wanted: AgentSettings,
    gone: AgentSettings,
) -> Document:
    """The pod of a strategic merge patch with what is wanted in it, and what goes.

    Args:
        pod: The patch's pod so far.
        live: The Deployment as it is.
        container: Name of the agent's container.
        wanted: What the agent is to have.
        gone: What it had by an earlier patch and is to have no more.
    """
    environment, aliases = environment_of(live), _host_aliases(live)
    variables = [_in_plain(each, live) for each in _variables(wanted)] + [
        {"name": name, **_REMOVED} for name in gone.environment if name in environment
    ]
    entries = _aliases(wanted) + [
        {"ip": ip, **_REMOVED} for ip in gone.host_aliases if ip in aliases
    ]
    changed = dict(pod)
    if variables:
        first, *others = listed(pod.get("containers")) or [{"name": container}]
        named = {each["name"] for each in variables}
        kept = [each for each in listed(first.get("env")) if each["name"] not in named]
        changed["containers"] = [{**first, "env": [*kept, *variables]}, *others]
    if entries:
        named = {each["ip"] for each in entries}
        kept = [each for each in listed(pod.get("hostAliases")) if each["ip"] not in named]
        changed["hostAliases"] = [*kept, *entries]
    return changed


def is_settled(deployment: Mapping[str, Any], settings: AgentSettings) -> bool:
    """Whether the Deployment has them."""
    return settings_of(deployment, settings) == settings_of(
        with_settings(deployment, settings), settings
    )


def without(
    before: AgentSettings, wanted: AgentSettings, manifest: Mapping[str, Any]
) -> AgentSettings:
    """What was given before, is not wanted now, and does not come with the manifest."""
    environment, aliases = environment_of(manifest), _host_aliases(manifest)
    return AgentSettings(
        environment={
            name: value
            for name, value in before.environment.items()
            if name not in wanted.environment and name not in environment
        },
        host_aliases={
            ip: names
            for ip, names in before.host_aliases.items()
            if ip not in wanted.host_aliases and ip not in aliases
        },
    )


def has_any(deployment: Mapping[str, Any], settings: AgentSettings) -> bool:
    """Whether the Deployment has a variable or an entry of these names, whatever its value."""
    return bool(
        settings.environment.keys() & environment_of(deployment).keys()
        or settings.host_aliases.keys() & _host_aliases(deployment).keys()
    )


def _variables(settings: AgentSettings) -> list[Document]:
    # Pulumi does not keep the order of a map.
    return [{"name": name, "value": value} for name, value in sorted(settings.environment.items())]


def _in_plain(variable: Document, live: Mapping[str, Any]) -> Document:
    """Without the reference that somebody put in the place of the value: both are refused."""
    is_reference = any(
        each.get("name") == variable["name"] and each.get("valueFrom")
        for each in _first_environment(live)
    )
    return {**variable, "valueFrom": None} if is_reference else variable


def _aliases(settings: AgentSettings) -> list[Document]:
    return [
        {"ip": ip, "hostnames": list(names)} for ip, names in sorted(settings.host_aliases.items())
    ]


def pod_of(deployment: Mapping[str, Any]) -> Document:
    """The spec of a Deployment's pods."""
    return mapped(mapped(mapped(deployment.get("spec")).get("template")).get("spec"))


def environment_of(deployment: Mapping[str, Any]) -> dict[str, str]:
    """The variables of the agent's container."""
    variables = _first_environment(deployment)
    return {str(each.get("name")): str(each.get("value") or "") for each in variables}


def _first_environment(deployment: Mapping[str, Any]) -> list[Document]:
    return [mapped(each) for each in listed(container_of(deployment).get("env"))]


def container_of(deployment: Mapping[str, Any]) -> Document:
    """The agent's container."""
    return mapped(next(iter(listed(pod_of(deployment).get("containers"))), None))


def _host_aliases(deployment: Mapping[str, Any]) -> dict[str, list[str]]:
    entries = listed(pod_of(deployment).get("hostAliases"))
    return {str(each.get("ip")): listed(each.get("hostnames")) for each in entries}
