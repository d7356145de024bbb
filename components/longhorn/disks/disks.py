"""A node's disks in Longhorn itself, for as long as Longhorn runs.

The node's annotation is read only while Longhorn knows no disk of the node, so a disk that comes,
goes or changes later has to be written into nodes.longhorn.io.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import CheckFailure

from components.cluster.api import ClusterApi, cluster_inputs, open_cluster
from components.cluster.gone import open_for_removal
from components.common.answers import mapped
from components.common.dynamic import (
    FINDING,
    DynamicProvider,
    DynamicResource,
    Properties,
    is_unknown,
)
from components.common.owner import this_stack
from components.common.progress import tell
from components.longhorn.disks.absent import wait_until_used
from components.longhorn.disks.cordon import CORDON, uncordon
from components.longhorn.disks.findings import absent_paths
from components.longhorn.disks.lost_node import wait_until_forgotten
from components.longhorn.disks.maintenance import close_node, open_node
from components.longhorn.disks.node_object import LonghornNodeDisks
from components.longhorn.disks.owners import other_paths
from components.longhorn.disks.removal import remove_disks
from components.longhorn.disks.renewal import changed_file_systems, renew_disks
from components.longhorn.disks.rules import described, disks_by_path, no_longer_prepared
from components.longhorn.removal.confirmation import removal_is_confirmed
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings

_UNMOUNTED = (
    "stages.disks: false would unmount {paths} of {node} under Longhorn, which keeps replicas "
    "there. Set it to true again. To mount the disks yourself, take them out of the stack file "
    "first and run `pulumi up`, which has Longhorn move their replicas; then mount them by lines "
    "in /etc/fstab, set stages.disks: false, list them again and run `pulumi up`"
)


class LonghornDisksProvider(DynamicProvider):
    """Adds, changes and removes disks; a disk is removed only when no replica is left on it."""

    replaced_by = ("node_name",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "lost_volumes": "a word for the next disk that is replaced",
    }

    def refusals(self, old: Properties, new: Properties) -> list[CheckFailure]:
        """Disks that Longhorn is to keep while the same run would unmount them."""
        disks = new.get("disks")
        if is_unknown(disks):
            return []
        paths = no_longer_prepared(mapped(old.get("disks")), mapped(disks))
        if not paths:
            return []
        reason = _UNMOUNTED.format(paths=", ".join(paths), node=new.get("node_name"))
        return [CheckFailure("disks", reason)]

    def make(self, new: Properties) -> tuple[str, Properties]:
        """See to the disks of Longhorn's node; for a lost node, wait until it is gone.

        A node that Longhorn does not have yet, or whose manager takes no change, is left to
        LonghornReady: that is one resource, while waiting here would keep others from being made
        (the SDK runs four dynamic resources at a time).
        """
        cluster = open_cluster(new)
        if new["lost"]:
            wait_until_forgotten(cluster, new)
        elif new.get("maintenance"):
            close_node(cluster, new)
        else:
            _put(cluster, new, is_waited_for=True)
        if not new["lost"]:
            _evict_others(cluster, new)
            _uncordon(cluster, {}, new)
        return f"longhorn-disks-{new['node_name']}", new

    def look(self, state: Properties) -> Properties | None:
        """The disks as Longhorn has them now, those of this resource only."""
        node = LonghornNodeDisks(open_cluster(state), str(state["node_name"])).read()
        if node is None:
            return None
        present = disks_by_path(node)
        disks = {
            path: {**wanted, **described(present[path][1])}
            for path, wanted in state["disks"].items()
            if path in present
        }
        return {**state, "disks": disks}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Renew the disks with another file system, see to all, then take out the unlisted.

        In this order, since an added disk may be the room that a removed one's replicas need. Disks
        that a preview did not find in Longhorn are waited for; LonghornReady waits for new ones.
        """
        cluster = open_cluster(new)
        if new["lost"]:
            wait_until_forgotten(cluster, new)
            return new
        before = mapped(old.get("disks"))
        gone = set(before) - set(new["disks"])
        changed, moved = changed_file_systems(before, new["disks"])
        if changed:
            renew_disks(
                cluster,
                str(new["node_name"]),
                changed,
                moved=moved,
                given_up=new.get("lost_volumes") or (),
                timeout_seconds=float(new["timeout_seconds"]),
            )
        absent = absent_paths(new.get(FINDING), new["disks"])
        was, wanted = old.get("maintenance"), new.get("maintenance")
        if wanted:
            close_node(cluster, new)
        else:
            # A repair of what a preview found changes no input that LonghornReady waits for.
            _put(cluster, new, is_waited_for=bool(absent) or not new.get(FINDING))
        _remove(cluster, new, gone)
        if absent & set(before) and not wanted:
            wait_until_used(cluster, new, absent & set(before))
        _evict_others(cluster, new)
        _uncordon(cluster, old, new)
        if was and not wanted:
            open_node(cluster, new)
        return new

    def remove(self, state: Properties) -> None:
        """Take all its disks out of Longhorn; a lost node, or a Longhorn that is gone, has none.

        A node that this stack has cordoned takes pods again.

        When Longhorn itself is on its way out, its uninstallation sees to its disks.
        """
        cluster = None if state["lost"] else open_for_removal(state)
        if cluster is None:
            return
        _uncordon(cluster, state, {})
        if removal_is_confirmed(cluster):
            tell(f"{state['node_name']}: Longhorn goes as a whole, its disks with it")
            return
        _remove(cluster, state, set(state["disks"]))


def _uncordon(cluster: ClusterApi, old: Properties, new: Properties) -> None:
    """Have the node take pods unless it is to take none, if this stack closed it at any time.

    No state tells of a run that cordoned it and failed then.

    Args:
        old: The resource as it was; empty where it is made.
        new: The same as it is to be; empty where it goes.
    """
    if new.get("maintenance") == CORDON:
        return
    # A state from before there were owners names none.
    owners = {str(each["owner"]) for each in (old, new) if each.get("owner")}
    name = str((new or old)["node_name"])
    uncordon(cluster, name, owners, is_end=old.get("maintenance") == CORDON)


def _put(cluster: ClusterApi, props: dict[str, Any], *, is_waited_for: bool) -> None:
    disks = LonghornNodeDisks(cluster, str(props["node_name"]))
    try:
        disks.put(props)
    except TimeoutError as error:
        if not is_waited_for:
            raise
        tell(f"{disks.node_name}: left to a later wait: {error}")


def _remove(cluster: ClusterApi, props: dict[str, Any], paths: set[str]) -> None:
    remove_disks(
        cluster,
        str(props["node_name"]),
        paths,
        # A state from before there were owners names none.
        owner=str(props.get("owner") or ""),
        eviction_seconds=float(props["eviction_timeout_seconds"]),
        edit_seconds=float(props["timeout_seconds"]),
    )


def _evict_others(cluster: ClusterApi, props: dict[str, Any]) -> None:
    """Take out the disks that nobody lists, where the stack file says so. Unmounts nothing."""
    if not props.get("evicts_others"):
        return
    node = LonghornNodeDisks(cluster, str(props["node_name"])).read() or {}
    others = other_paths(node, props["disks"])
    try:
        _remove(cluster, props, others)
    except TimeoutError as error:
        raise TimeoutError(
            f"{error}\nThe stack file does not have {', '.join(sorted(others))}. To let it stay in "
            "Longhorn, say longhorn.otherDisks: keep, and open it again in Longhorn's interface."
        ) from None


class LonghornDisks(DynamicResource, module="longhorn", name="Disks"):
    """Owns the entries of these disks in one nodes.longhorn.io object, and no other entry.

    Takes out entries that nobody owns where the stack file says so (longhorn.otherDisks).

    While the stack lists them, the node is open to replicas in Longhorn, or closed for its
    maintenance.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        longhorn: LonghornSettings,
        node_name: str,
        disks: Mapping[str, Mapping[str, Any]],
        lost: bool,
        maintenance: str | None,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            longhorn: How long Longhorn may take for a change, and for moving replicas off a disk;
                which volumes are given up; what becomes of disks that the stack does not list.
            node_name: The node's name in Kubernetes.
            disks: All its disks, mounted (wanted_disks).
            lost: Whether the node is gone for good, so that its disks can't be emptied.
            maintenance: How the node is closed (NodeSettings.maintained); None while it is in use.
            finding: What is not as wanted in Longhorn right now.
        """
        inputs = {
            **cluster_inputs(cluster),
            "node_name": node_name,
            "disks": disks,
            "owner": this_stack(),
            "lost_volumes": list(longhorn.lost_volumes),
            "lost": lost,
            "maintenance": maintenance,
            # No input at all where it says nothing, as in states from before there was such a key.
            **({"evicts_others": True} if longhorn.other_disks == "evict" else {}),
            "finding": finding,
            "timeout_seconds": longhorn.timeout_seconds,
            "eviction_timeout_seconds": longhorn.eviction_timeout_seconds,
        }
        super().__init__(LonghornDisksProvider(), name, inputs, opts)
