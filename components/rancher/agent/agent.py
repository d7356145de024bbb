"""Rancher's agent in the cluster: the import manifest as objects that Pulumi manages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.api import cluster_inputs
from components.common.answers import mapped
from components.common.owner import MARK, this_stack
from components.rancher.agent.additions import RancherAgentAdditions
from components.rancher.agent.connection import image_of
from components.rancher.agent.objects import (
    SELECTOR,
    agent_objects,
    identity,
    optional_objects,
    public_objects,
    role_of,
)
from components.rancher.agent.running_agent import RancherAgentConnection
from components.rancher.agent.settings import AgentSettings, with_settings
from configuration.cluster import ClusterSettings
from configuration.rancher import RancherImportSettings

# The plugin's own wait comes before anything else of the agent, in every later run, too: one whose
# image is nowhere would never get the corrected manifest. RancherAgentConnection waits instead.
_DO_NOT_WAIT = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}

# Of the Deployment's spec: all but the selector, which Kubernetes never changes.
_CHANGEABLE = (
    "replicas",
    "strategy",
    "template",
    "minReadySeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
)


class RancherAgent(pulumi.ComponentResource):
    """Owns the objects of the import manifest; done when the agent's Deployment is rolled out.

    Only the Secret with the registration token is secret, so that a manifest that changed with
    Rancher shows as a readable diff. Refuses to fight Rancher: what Rancher itself changes on
    the running Deployment is neither shown nor taken back.
    """

    revision: pulumi.Output[str]
    """Changes whenever the agent's Deployment is made again or brought along."""
    image: pulumi.Output[str]
    """The agent's image in the manifest."""

    def __init__(
        self,
        name: str,
        *,
        manifest: pulumi.Input[str],
        cluster: ClusterSettings,
        given: RancherImportSettings,
        found: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            manifest: The import manifest's text (secret), already verified.
            given: What the agent gets beside its manifest, and how long it may take to start.
            found: What is wrong with it in the cluster right now, for Pulumi's diff.
        """
        super().__init__("longhornrancher:rancher:Agent", name, None, opts)
        settings = AgentSettings.of_stack(given)
        reached = cluster_inputs(cluster)
        objects = pulumi.Output.secret(manifest).apply(agent_objects)
        public = pulumi.Output.unsecret(objects.apply(public_objects)).apply(
            lambda found: {**found, "deployment": with_settings(found["deployment"], settings)}
        )
        self._public = public

        core, rbac = kubernetes.core.v1, kubernetes.rbac.v1
        here = pulumi.ResourceOptions(parent=self)
        # By the mark another stack sees whose the agent is.
        marked = self._annotated("namespace", {MARK: this_stack()})
        namespace = core.Namespace(f"{name}-namespace", metadata=marked, opts=here)
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
        additions = RancherAgentAdditions(
            f"{name}-additions",
            cluster=reached,
            objects=pulumi.Output.secret(manifest).apply(
                lambda text: json.dumps(optional_objects(text), sort_keys=True)
            ),
            opts=inside,
        )
        timeout = f"{given.timeout_seconds}s"
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._annotated("deployment", _DO_NOT_WAIT),
            spec=cast(Any, self._deployment_spec()),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[account, credentials, additions, *bindings],
                # Rancher applies its own soon after the first connection, and cuts the cluster off
                # when that is taken back. A change of the manifest goes by the connection below.
                ignore_changes=["metadata", "spec"],
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )
        incarnation = deployment.metadata.apply(lambda found: str(cast(Any, found).uid))
        connection = RancherAgentConnection(
            f"{name}-connection",
            cluster=reached,
            deployment=public.apply(lambda found: found["deployment"]),
            incarnation=incarnation,
            timeout_seconds=given.timeout_seconds,
            settings=settings,
            finding=found,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment, credentials]),
        )
        core.Service(
            f"{name}-service",
            metadata=self._metadata("service"),
            spec=self._part("service", "spec"),
            # The plugin waits for its endpoints, ten minutes where no pod ever serves.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[connection]),
        )
        self.revision = pulumi.Output.concat(incarnation, " ", connection.revision)
        self.image = public.apply(lambda found: image_of(found["deployment"]))
        self.register_outputs({"revision": self.revision, "image": self.image})

    def _metadata(self, key: str) -> Any:
        """Its name is no output, or a preview without the manifest would show it replaced."""
        found = {field: self._part(key, "metadata", field) for field in ("labels", "annotations")}
        return {**identity(key), **found}

    def _annotated(self, key: str, ours: Mapping[str, str]) -> Any:
        """Its metadata with these annotations beside those of the manifest."""
        given = self._part(key, "metadata", "annotations")
        annotations = given.apply(lambda found: {**mapped(found), **ours})
        return {**self._metadata(key), "annotations": annotations}

    def _deployment_spec(self) -> dict[str, Any]:
        found = {field: self._part("deployment", "spec", field) for field in _CHANGEABLE}
        return {"selector": SELECTOR, **found}

    def _part(self, key: str, *path: str) -> pulumi.Output[Any]:
        return self._public.apply(lambda objects: _inside(objects[key], path))


def _field(objects: dict[str, dict[str, Any]], field: str) -> Any:
    return objects["credentials"].get(field)


def _inside(value: Any, path: Sequence[str]) -> Any:
    """What is there; None if nothing is."""
    for field in path:
        value = value.get(field) if value else None
    return value
