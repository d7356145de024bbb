"""The tags of a node in Longhorn, by which a StorageClass may choose nodes (nodeSelector)."""

from collections.abc import Sequence

import pulumi

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.answers import listed, mapped
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.waiting import wait_until
from components.longhorn.fields import spec_of
from components.longhorn.objects import read_object, try_patch
from configuration.cluster import ClusterSettings


class LonghornNodeTagsProvider(DynamicProvider):
    """Adds and removes these tags; tags that somebody else gave the node stay."""

    replaced_by = ("node_name",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Add the tags. Raises TimeoutError when Longhorn does not take them."""
        _write(open_cluster(new), new, taken=set(), wanted=set(new["tags"]))
        return f"tags-{new['node_name']}", new

    def change(self, old: Properties, new: Properties) -> Properties:
        """Add the tags of now, and take off those that are no longer listed."""
        _write(open_cluster(new), new, taken=set(old["tags"]), wanted=set(new["tags"]))
        return new

    def look(self, state: Properties) -> Properties | None:
        """Those of these tags that the node has now."""
        node = read_object(open_cluster(state), "nodes", str(state["node_name"]))
        if node is None:
            return None
        present = _tags(node)
        return {**state, "tags": [tag for tag in state["tags"] if tag in present]}

    def remove(self, state: Properties) -> None:
        """Take the tags off; a node that Longhorn does not have needs nothing."""
        cluster = open_for_removal(state)
        if cluster is not None and read_object(cluster, "nodes", str(state["node_name"])):
            _write(cluster, state, taken=set(state["tags"]), wanted=set())


def _write(cluster: ClusterApi, props: Properties, *, taken: set[str], wanted: set[str]) -> None:
    name = str(props["node_name"])

    def missing() -> list[str]:
        node = read_object(cluster, "nodes", name)
        if node is None:
            return [f"nodes.longhorn.io {name} (is longhorn-manager ready there?)"]
        present = _tags(node)
        tags = (present - taken) | wanted
        if tags == present:
            return []
        # With the version, another's edit in between is refused and not lost.
        version = mapped(node.get("metadata")).get("resourceVersion")
        changes = {"metadata": {"resourceVersion": version}, "spec": {"tags": sorted(tags)}}
        return [try_patch(cluster, "nodes", name, changes) or f"the tags of Longhorn's node {name}"]

    wait_until(
        f"tags of {name} in Longhorn", missing, timeout_seconds=float(props["timeout_seconds"])
    )


def _tags(node: Properties) -> set[str]:
    return set(listed(spec_of(node).get("tags")))


class LonghornNodeTags(DynamicResource, module="longhorn", name="NodeTags"):
    """Owns these tags of one nodes.longhorn.io object, and no other field of it."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        node_name: str,
        tags: Sequence[str],
        timeout_seconds: int,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            node_name: The node's name in Kubernetes.
            tags: The tags that the node is to have, beside those of others.
            timeout_seconds: For Longhorn to know the node and to take the change.
            finding: Which of them it lacks right now.
        """
        inputs = {
            **cluster_inputs(cluster),
            "node_name": node_name,
            "tags": list(tags),
            "timeout_seconds": timeout_seconds,
            "finding": finding,
        }
        super().__init__(LonghornNodeTagsProvider(), name, inputs, opts)
