"""Rancher's agent in the cluster: the import manifest as objects that the engine manages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.rancher.agent.objects import (
    SELECTOR,
    agent_objects,
    identity,
    public_objects,
    role_of,
)

# Of the Deployment's spec: all but the selector, which Kubernetes never changes.
_CHANGEABLE = (
    "replicas",
    "strategy",
    "template",
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
)


@dataclass(frozen=True, kw_only=True)
class RancherAgentArgs:
    """What is applied."""

    manifest: pulumi.Input[str]
    """The import manifest's text (secret), already verified."""
    timeout_seconds: int
    """How long the agent may take to start."""


class RancherAgent(pulumi.ComponentResource):
    """Owns the nine objects of the import manifest; done when the agent's Deployment is rolled out.

    Only the Secret with the registration token is secret, so that a manifest that changed with
    Rancher shows as a readable diff. Refuses to fight the agent: what Rancher itself changes on
    the running Deployment is left alone.
    """

    revision: pulumi.Output[str]
    """Changes whenever the agent's Deployment is applied anew."""

    def __init__(
        self, name: str, args: RancherAgentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:rancher:Agent", name, None, opts)
        objects = pulumi.Output.secret(args.manifest).apply(agent_objects)
        public = pulumi.Output.unsecret(objects.apply(public_objects))
        self._public = public

        core, rbac = kubernetes.core.v1, kubernetes.rbac.v1
        here = pulumi.ResourceOptions(parent=self)
        namespace = core.Namespace(
            f"{name}-namespace", metadata=self._metadata("namespace"), opts=here
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        account = core.ServiceAccount(
            f"{name}-service-account", metadata=self._metadata("service-account"), opts=inside
        )
        bindings: list[pulumi.Resource] = []
        for kind in ("admin", "proxy"):
            role = rbac.ClusterRole(
                f"{name}-{kind}-role",
                metadata=self._metadata(f"{kind}-role"),
                rules=self._part(f"{kind}-role", "rules"),
                opts=here,
            )
            bindings.append(
                rbac.ClusterRoleBinding(
                    f"{name}-{kind}-binding",
                    metadata=self._metadata(f"{kind}-binding"),
                    role_ref=cast(Any, role_of(f"{kind}-binding")),
                    subjects=self._part(f"{kind}-binding", "subjects"),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
                )
            )
        credentials = core.Secret(
            f"{name}-credentials",
            # The name ends in a hash of address and token, which gives neither away.
            metadata=pulumi.Output.unsecret(objects.apply(lambda o: _field(o, "metadata"))),
            type=pulumi.Output.unsecret(
                objects.apply(lambda o: str(o["credentials"].get("type", "Opaque")))
            ),
            data=objects.apply(lambda o: _field(o, "data")),
            # Its name is given, and the agent mounts the new one only after it is there.
            opts=inside,
        )
        timeout = f"{args.timeout_seconds}s"
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata("deployment"),
            spec=cast(Any, self._deployment_spec()),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[account, credentials, *bindings],
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )
        core.Service(
            f"{name}-service",
            metadata=self._metadata("service"),
            spec=self._part("service", "spec"),
            # The agent has endpoints only for some of the Service's ports, and only later.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
        self.revision = deployment.metadata.apply(lambda found: str(cast(Any, found).generation))
        self.register_outputs({"revision": self.revision})

    def _metadata(self, key: str) -> Any:
        """Its name is no output, or a preview without the manifest would show it replaced."""
        found = {field: self._part(key, "metadata", field) for field in ("labels", "annotations")}
        return {**identity(key), **found}

    def _deployment_spec(self) -> dict[str, Any]:
        found = {field: self._part("deployment", "spec", field) for field in _CHANGEABLE}
        return {"selector": SELECTOR, **found}

    def _part(self, key: str, *path: str) -> pulumi.Output[Any]:
        return self._public.apply(lambda objects: _inside(objects[key], path))


def _field(objects: dict[str, dict[str, Any]], field: str) -> Any:
    return objects["credentials"].get(field)


def _inside(value: Any, path: Sequence[str]) -> Any:
    """What stands there; None if nothing does."""
    for field in path:
        value = value.get(field) if value else None
    return value
