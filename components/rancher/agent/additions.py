"""The objects of an import manifest that come with a feature of Rancher's, such as a pull secret.

Which of them there are is known only with the manifest, so one resource holds them all.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from urllib3.exceptions import HTTPError

from components.cluster.api import ApiError, open_cluster
from components.cluster.gone import open_for_removal
from components.cluster.objects import apply_object, delete_object, read_object
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.rancher.agent.known_objects import Document, api_path
from components.rancher.agent.namespaces import free_namespaces, why_not_removable


class RancherAgentAdditionsProvider(DynamicProvider):
    """Applies each object; deletes those that the manifest has no more."""

    outputs = ("missing",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Apply all."""
        return "additions", _applied(new, {})

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """Also one that a refresh did not find."""
        return super().differences(old, new) | ({"missing"} if old.get("missing") else set())

    def change(self, old: Properties, new: Properties) -> Properties:
        """Apply all, and delete what is no longer among them."""
        return _applied(new, _by_path(old))

    def look(self, state: Properties) -> Properties | None:
        """Which of them are missing. A cluster that does not answer proves nothing."""
        known = _by_path(state)
        try:
            cluster = open_cluster(state) if known else None
            missing = [path for path in known if cluster and read_object(cluster, path) is None]
        except (ApiError, HTTPError, OSError, RuntimeError) as error:
            tell(f"what belongs to Rancher's agent could not be looked for. {error}")
            return state
        return {**state, "missing": missing}

    def remove(self, state: Properties) -> None:
        """Delete all; one that is gone already is no error. Then every namespace can go.

        This is after the agent, and before its namespace and Longhorn's. So no Rancher puts its
        finalizer on them again, and none is needed to take it off.
        """
        cluster = open_for_removal(state)
        if cluster is None:
            return
        for path in _by_path(state):
            delete_object(cluster, path)
        if not why_not_removable(cluster):
            free_namespaces(cluster)


def _by_path(props: Mapping[str, Any]) -> dict[str, Document]:
    documents: list[Document] = json.loads(props["objects"])
    return {api_path(document): document for document in documents}


def _applied(props: Properties, before: Mapping[str, Document]) -> Properties:
    wanted = _by_path(props)
    cluster = open_cluster(props) if wanted or before else None
    if cluster is not None:
        for path, document in wanted.items():
            apply_object(cluster, path, document)
        for path in sorted(set(before) - set(wanted)):
            delete_object(cluster, path)
    return {**props, "missing": []}


class RancherAgentAdditions(DynamicResource, module="rancher", name="AgentAdditions"):
    """Owns the manifest's objects beside the nine that every manifest has; often none.

    The agent must depend on it, and it on the namespace: its removal frees the namespaces.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Mapping[str, str | None],
        objects: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            cluster: The inputs that name the cluster.
            objects: JSON list of the objects (secret: a registry's password may be in one).
        """
        inputs = {**cluster, "objects": pulumi.Output.secret(objects)}
        super().__init__(RancherAgentAdditionsProvider(), name, inputs, opts, secrets=["objects"])
