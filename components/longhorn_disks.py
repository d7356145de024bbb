"""A node's disks in Longhorn itself, for as long as Longhorn runs.

The node's annotation is read only while Longhorn knows no disk of the node, so a disk that comes,
goes or changes later has to be told to nodes.longhorn.io.
"""

from collections.abc import Callable, Mapping, Sequence
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

from components.disk_plan import longhorn_disk
from components.kubernetes_api import (
    ApiError,
    ClusterApi,
    open_cluster,
    status_of,
    tell,
    wait_until,
)
from components.longhorn_disk_rules import (
    described,
    disks_by_path,
    drain_changes,
    put_changes,
    still_used,
)
from components.longhorn_values import NAMESPACE
from configuration.hosts import DiskSettings
from configuration.rancher import ClusterSettings

_GROUP = ("longhorn.io", "v1beta2", NAMESPACE, "nodes")
# Longhorn's webhook refuses an edit while it still works on the one before.
_RETRIED = (400, 409, 422, 500, 503)
_COMPARED = ("node_name", "disks", "may_lose_replicas")


@dataclass(frozen=True, kw_only=True)
class LonghornDisksArgs:
    """Which disks Longhorn is to have on one node."""

    cluster: ClusterSettings
    """How the cluster is reached."""
    node_name: str
    """The node's name in Kubernetes."""
    disks: Sequence[DiskSettings]
    """All its disks, mounted."""
    may_lose_replicas: bool
    """Whether removal goes on without moving replicas away (longhorn.allowUninstall)."""
    timeout_seconds: int
    """How long adding, or moving replicas away, may take."""


class LonghornDisksProvider(ResourceProvider):
    """Adds, changes and removes disks; a disk is removed only when no replica is left on it."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait for Longhorn's node, then see to its disks."""
        _put(open_cluster(props), props)
        return CreateResult(f"longhorn-disks-{props['node_name']}", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another node is another resource."""
        return DiffResult(
            changes=any(_olds.get(key) != _news.get(key) for key in _COMPARED),
            replaces=["node_name"] if _olds.get("node_name") != _news.get("node_name") else [],
        )

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The disks as Longhorn has them now, those of this resource only."""
        node = _node(open_cluster(props), props["node_name"])
        if node is None:
            return ReadResult(None, {})
        present = disks_by_path(node)
        disks = {
            path: {**described(present[path][1]), "name": wanted["name"]}
            for path, wanted in props["disks"].items()
            if path in present
        }
        return ReadResult(id_, {**props, "disks": disks})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Take the disks out that are no longer listed, then see to the rest."""
        cluster = open_cluster(_news)
        gone = set(_olds.get("disks") or {}) - set(_news["disks"])
        _remove(cluster, _news, gone)
        _put(cluster, _news)
        return UpdateResult(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take all its disks out of Longhorn; a Longhorn that is gone needs nothing."""
        _remove(open_cluster(_props), _props, set(_props["disks"]))


def _node(cluster: ClusterApi, name: str) -> dict[str, Any] | None:
    try:
        return cluster.custom.get_namespaced_custom_object(*_GROUP, name)
    except ApiError as error:
        if status_of(error) == 404:
            return None
        raise


def _put(cluster: ClusterApi, props: dict[str, Any]) -> None:
    def changes(node: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        return dict(put_changes(node, props["disks"]))

    _edit(cluster, props, changes, must_exist=True)


def _remove(cluster: ClusterApi, props: dict[str, Any], paths: set[str]) -> None:
    """Scheduling off, replicas away, then out. Raises TimeoutError naming what is left."""
    name = str(props["node_name"])
    if not paths or _node(cluster, name) is None:
        return
    _edit(cluster, props, lambda node: dict(drain_changes(node, paths)), must_exist=False)
    if props["may_lose_replicas"]:
        tell(f"{name}: the stack allows Longhorn's removal, so replicas are not waited for")
    else:
        wait_until(
            f"moving replicas off {name} ({', '.join(sorted(paths))})",
            lambda: still_used(_node(cluster, name) or {}, paths),
            timeout_seconds=float(props["timeout_seconds"]),
        )
    if props["may_lose_replicas"] and still_used(_node(cluster, name) or {}, paths):
        return

    def out(node: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        present = disks_by_path(node)
        return {present[path][0]: None for path in paths if path in present}

    _edit(cluster, props, out, must_exist=False)


def _edit(
    cluster: ClusterApi,
    props: dict[str, Any],
    changes: Callable[[Mapping[str, Any]], dict[str, dict[str, Any] | None]],
    *,
    must_exist: bool,
) -> None:
    """Write changes until none is left; an entry that is None is removed."""
    name = str(props["node_name"])

    def missing() -> list[str]:
        node = _node(cluster, name)
        if node is None:
            return [f"nodes.longhorn.io {name} (is longhorn-manager ready there?)"] * must_exist
        wanted = changes(node)
        if not wanted:
            return []
        try:
            cluster.custom.patch_namespaced_custom_object(
                *_GROUP, name, {"spec": {"disks": wanted}}
            )
        except ApiError as error:
            if status_of(error) not in _RETRIED:
                raise
            return [f"Longhorn does not take the change of its node {name} yet: {_said(error)}"]
        return [f"the change of Longhorn's node {name}"]

    wait_until(
        f"disks of {name} in Longhorn",
        missing,
        timeout_seconds=float(props["timeout_seconds"]),
    )


def _said(error: Exception) -> str:
    return str(getattr(error, "body", None) or error)[:300]


class LonghornDisks(Resource, module="longhorn", name="Disks"):
    """Owns the entries of these disks in one nodes.longhorn.io object, and no other entry."""

    def __init__(
        self, name: str, args: LonghornDisksArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        descriptions = {disk.mount_point: longhorn_disk(disk) for disk in args.disks}
        super().__init__(
            LonghornDisksProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "node_name": args.node_name,
                "disks": {
                    path: {"name": disk["name"], **described(disk)}
                    for path, disk in descriptions.items()
                },
                "may_lose_replicas": args.may_lose_replicas,
                "timeout_seconds": args.timeout_seconds,
            },
            opts,
        )
