"""Taking the control-plane taints off a node, and no other taint."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from components.cluster.api import ApiError, open_cluster, status_of
from components.common.answers import listed
from components.nodes.description import CONTROL_PLANE_TAINTS
from configuration.cluster import ClusterSettings

_ATTEMPTS = 10


@dataclass(frozen=True, kw_only=True)
class ControlPlaneUntaintArgs:
    """Which node."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    node_name: str
    """The node's name in Kubernetes."""


def without_control_plane_taints(taints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The taints that stay: all but NoSchedule of the two control-plane keys. Pure."""
    return [taint for taint in taints if not _is_control_plane(taint)]


def _is_control_plane(taint: dict[str, Any]) -> bool:
    return taint.get("key") in CONTROL_PLANE_TAINTS and taint.get("effect") == "NoSchedule"


class ControlPlaneUntaintProvider(ResourceProvider):
    """Changes the list of taints only against the version that it has read.

    A patch through the engine's provider would own the whole list (it is atomic for server-side
    apply) and freeze taints that the node controller puts on and takes off.
    """

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Take the taints off and remember which they were."""
        removed = self._change(props, take_off=True)
        return CreateResult(f"untainted-{props['node_name']}", {**props, "removed": removed})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether the taints are back; `present` then differs from the input and shows."""
        try:
            node = self._node(props)
        except ApiError as error:
            if status_of(error) == 404:
                return ReadResult(None, {})
            raise
        present = [taint["key"] for taint in _taints(node) if _is_control_plane(taint)]
        return ReadResult(id_, {**props, "present": present})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another node is another resource; taints that came back are an update."""
        renamed = _olds.get("node_name") != _news.get("node_name")
        return DiffResult(
            changes=renamed or bool(_olds.get("present")),
            replaces=["node_name"] if renamed else [],
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Take them off again."""
        earlier = listed(_olds.get("removed"))
        again = self._change(_news, take_off=True)
        # What was taken off at first is put back in the end, too.
        removed = [*earlier, *(taint for taint in again if taint not in earlier)]
        return UpdateResult({**_news, "removed": removed})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Put back what was taken off; a node that is gone needs nothing."""
        self._change(_props, take_off=False)

    def _node(self, props: dict[str, Any]) -> Any:
        api = open_cluster(props).core
        return api.read_node(props["node_name"])

    def _change(self, props: dict[str, Any], *, take_off: bool) -> list[dict[str, Any]]:
        api = open_cluster(props).core
        name = str(props["node_name"])
        for _ in range(_ATTEMPTS):
            try:
                node = api.read_node(name)
            except ApiError as error:
                if status_of(error) == 404 and not take_off:
                    return []
                raise
            before = _taints(node)
            after = without_control_plane_taints(before)
            ours = [taint for taint in before if _is_control_plane(taint)]
            if not take_off:
                after = [*before, *(t for t in listed(props.get("removed")) if t not in before)]
            if after == before:
                return ours
            body = {
                "metadata": {"resourceVersion": node.metadata.resource_version},
                "spec": {"taints": after},
            }
            try:
                api.patch_node(name, body)
                return ours
            except ApiError as error:
                if status_of(error) != 409:
                    raise
        raise RuntimeError(f"node {name}: its taints changed {_ATTEMPTS} times while being edited")


def _taints(node: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for taint in listed(node.spec.taints):
        entry = {"key": taint.key, "effect": taint.effect}
        if taint.value:
            entry["value"] = taint.value
        if taint.time_added:
            entry["timeAdded"] = taint.time_added.isoformat()
        found.append(entry)
    return found


class ControlPlaneUntaint(Resource, module="node", name="ControlPlaneUntaint"):
    """Owns the absence of the control-plane taints on one node; put back on destroy."""

    removed: pulumi.Output[list[dict[str, Any]]]
    """The taints that were taken off."""

    def __init__(
        self, name: str, args: ControlPlaneUntaintArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            ControlPlaneUntaintProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "node_name": args.node_name,
                "present": [],
                "removed": None,
            },
            opts,
        )
