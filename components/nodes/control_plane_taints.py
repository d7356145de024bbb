"""Taking the control-plane taints off a node, and no other taint."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.cluster.api import (
    ApiError,
    ClusterApi,
    cluster_inputs,
    open_cluster,
    unless_missing,
)
from components.cluster.gone import open_for_removal
from components.common.answers import listed, mapped
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.owner import this_stack
from components.common.progress import tell
from components.nodes.description import CONTROL_PLANE_TAINTS
from components.nodes.untaint_record import ANNOTATION, record_text, taken_off
from configuration.cluster import ClusterSettings

_ATTEMPTS = 10


def without_control_plane_taints(taints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The taints that stay: all but NoSchedule of the two control-plane keys. Pure."""
    return [taint for taint in taints if not _is_control_plane(taint)]


def _is_control_plane(taint: dict[str, Any]) -> bool:
    return taint.get("key") in CONTROL_PLANE_TAINTS and taint.get("effect") == "NoSchedule"


class ControlPlaneUntaintProvider(DynamicProvider):
    """Changes the list of taints only against the version that it has read.

    A patch through Pulumi's own provider would own the whole list (it is atomic for server-side
    apply) and freeze taints that the node controller puts on and takes off.
    """

    outputs = ("removed",)
    replaced_by = ("node_name",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Take the taints off and remember which they were."""
        removed = _change(open_cluster(new), new, take_off=True)
        return f"untainted-{new['node_name']}", {**new, "removed": removed}

    def look(self, state: Properties) -> Properties | None:
        """Whether the taints are back; `present` then differs from the input and shows."""
        node = unless_missing(open_cluster(state).core.read_node, state["node_name"])
        if node is None:
            return None
        present = [taint["key"] for taint in _taints(node) if _is_control_plane(taint)]
        return {**state, "present": present}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Take them off again."""
        # What was taken off at first is put back in the end, too.
        wanted = {**new, "removed": old.get("removed")}
        return {**new, "removed": _change(open_cluster(new), wanted, take_off=True)}

    def remove(self, state: Properties) -> None:
        """Put back what was taken off; a node or a cluster that is gone needs nothing."""
        cluster = open_for_removal(state)
        if cluster is not None:
            _change(cluster, state, take_off=False)


def _others(
    taints: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Those that can be beside the ones there: a node has one taint of a key and effect.

    Of several the first counts.
    """
    known = {(each.get("key"), each.get("effect")) for each in there}
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for each in taints:
        found.setdefault((each.get("key"), each.get("effect")), dict(each))
    return [taint for key, taint in found.items() if key not in known]


def _change(cluster: ClusterApi, props: Properties, *, take_off: bool) -> list[dict[str, Any]]:
    """What is off now and is this stack's to put back; empty once it was put back."""
    api, name = cluster.core, str(props["node_name"])
    for _ in range(_ATTEMPTS):
        try:
            node = api.read_node(name)
        except ApiError as error:
            if error.status == 404 and not take_off:
                return []
            raise
        record = taken_off(node.metadata.annotations)
        if not take_off and record.owner not in (None, props.get("owner")):
            tell(f"{name}: its taints stay off, since {record.owner} has taken them over")
            return []
        before, remembered = _taints(node), _others(record.taints, [])
        remembered += _others(listed(props.get("removed")), remembered)
        if take_off:
            after = without_control_plane_taints(before)
            remembered += _others([t for t in before if _is_control_plane(t)], remembered)
            text = record_text(str(props["owner"]), remembered)
        else:
            after, text = [*before, *_others(remembered, before)], None
            remembered = []
        annotations = mapped(node.metadata.annotations)
        if after == before and annotations.get(ANNOTATION) == text:
            return remembered
        body = {
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {ANNOTATION: text},
            },
            "spec": {"taints": after},
        }
        try:
            api.patch_node(name, body)
            return remembered
        except ApiError as error:
            if error.status != 409:
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


class ControlPlaneUntaint(DynamicResource, module="node", name="ControlPlaneUntaint"):
    """Owns the absence of the control-plane taints on one node; put back on destroy."""

    removed: pulumi.Output[list[dict[str, Any]]]
    """The taints that were taken off."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        node_name: str,
        found: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            cluster: How the cluster is reached.
            node_name: The node's name in Kubernetes.
            found: Which of the taints are back right now.
            opts: The resource's options.
        """
        inputs: Properties = {
            **cluster_inputs(cluster),
            "node_name": node_name,
            "owner": this_stack(),
            "present": [],
            FINDING: found,
        }
        super().__init__(ControlPlaneUntaintProvider(), name, inputs, opts)
