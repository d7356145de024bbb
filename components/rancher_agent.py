"""Rancher's agent in the cluster: the import manifest as objects that the engine manages."""

from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.rancher_agent_objects import agent_objects, public_objects


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
            f"{name}-namespace", metadata=self._part("namespace", "metadata"), opts=here
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        account = core.ServiceAccount(
            f"{name}-service-account",
            metadata=self._part("service-account", "metadata"),
            opts=inside,
        )
        bindings: list[pulumi.Resource] = []
        for kind in ("admin", "proxy"):
            role = rbac.ClusterRole(
                f"{name}-{kind}-role",
                metadata=self._part(f"{kind}-role", "metadata"),
                rules=self._part(f"{kind}-role", "rules"),
                opts=here,
            )
            bindings.append(
                rbac.ClusterRoleBinding(
                    f"{name}-{kind}-binding",
                    metadata=self._part(f"{kind}-binding", "metadata"),
                    role_ref=self._part(f"{kind}-binding", "roleRef"),
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
            metadata=self._part("deployment", "metadata"),
            spec=self._part("deployment", "spec"),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[account, credentials, *bindings],
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )
        core.Service(
            f"{name}-service",
            metadata=self._part("service", "metadata"),
            spec=self._part("service", "spec"),
            # The agent has endpoints only for some of the Service's ports, and only later.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
        self.revision = deployment.metadata.apply(lambda found: str(cast(Any, found).generation))
        self.register_outputs({"revision": self.revision})

    def _part(self, key: str, field: str) -> pulumi.Output[Any]:
        return self._public.apply(lambda objects: objects[key].get(field))


def _field(objects: dict[str, dict[str, Any]], field: str) -> Any:
    return objects["credentials"].get(field)
