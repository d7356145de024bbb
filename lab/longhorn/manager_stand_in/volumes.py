"""Longhorn's volumes and their replicas as objects, and their moving from disk to disk.

Source: Longhorn manager 1.5.3, controller/volume_controller.go and kubernetes_pv_controller.go. A
volume is always detached here, since nothing runs that could attach it; Longhorn attaches one by
itself to move its replicas, so that makes no difference to what is moved.
"""

from collections.abc import Mapping, Set
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.client.exceptions import ApiException

from lab.common.progress import say
from lab.longhorn.manager_stand_in import nodes as longhorn_nodes
from lab.longhorn.manager_stand_in import replicas as rules
from lab.longhorn.manager_stand_in.api import LonghornApi, Object
from lab.longhorn.manager_stand_in.backup_target import BACKUPS
from lab.longhorn.manager_stand_in.disks import condition
from lab.longhorn.manager_stand_in.restoring import restoring
from lab.longhorn.played_volumes import content

VOLUMES = "volumes"
REPLICAS = "replicas"
_NAMESPACE = "longhorn-system"
_DRIVER = "driver.longhorn.io"


class ClaimedVolumes:
    """Longhorn's side of the volumes that claims get."""

    def __init__(self, client: ApiClient) -> None:
        self._api = LonghornApi(client, _NAMESPACE)

    def create(self, name: str, size_bytes: int, parameters: Mapping[str, str]) -> None:
        """Make the volume, as the CSI driver does for a claim before its PersistentVolume."""
        if not self._api.has(VOLUMES) or name in self._api.by_name(VOLUMES):
            return
        spec = {
            "size": str(size_bytes),
            "numberOfReplicas": int(parameters.get("numberOfReplicas", "3")),
            "frontend": "blockdev",
        }
        url = parameters.get("fromBackup")
        if url:
            begins_with = restoring(url, self._api.by_name(BACKUPS))
            if begins_with is None:
                # The claim waits: the next round asks again.
                raise ApiException(status=404, reason=f"cannot get backup {url}")
            spec |= begins_with
        made = self._api.create(VOLUMES, "Volume", name, {"spec": spec})
        if url:
            begun = condition("Restore", met=True, reason="RestoreInProgress")
            status = {"state": "detached", "restoreRequired": True, "conditions": [begun]}
            self._api.replace_status(VOLUMES, {**made, "status": status})

    def is_attachable(self, name: str) -> bool:
        """Whether the driver attaches the volume: not before its backup is in it."""
        status = self._api.by_name(VOLUMES).get(name, {}).get("status") or {}
        return not status.get("restoreRequired")

    def delete(self, name: str) -> None:
        """Remove the volume, as the CSI driver does before the PersistentVolume goes."""
        volume = self._api.by_name(VOLUMES).get(name)
        if volume is not None:
            _remove(self._api, volume)


def reconcile(
    api: LonghornApi, core: CoreV1Api, settings: Mapping[str, str], with_manager: Set[str]
) -> None:
    """Give every volume its replicas, move those that are to leave, and say how it is.

    Args:
        api: Longhorn's objects.
        core: the cluster.
        settings: Longhorn's settings.
        with_manager: the nodes whose disks a manager looks at.
    """
    volumes = api.by_name(VOLUMES)
    _let_go(api)
    _follow_disks(api, with_manager)
    if not volumes:
        return
    nodes = api.by_name(longhorn_nodes.PLURAL)
    persistent: dict[str, Any] = {
        item.spec.csi.volume_handle: item
        for item in core.list_persistent_volume().items
        if item.spec.csi is not None and item.spec.csi.driver == _DRIVER
    }
    for name, volume in volumes.items():
        if "deletionTimestamp" in volume["metadata"]:
            _remove(api, volume)
            continue
        own = _replicas_of(api, name)
        step = rules.next_step(volume, own, nodes, settings)
        if step.add is not None:
            _add(api, volume, step.add)
        if step.remove is not None:
            api.delete(REPLICAS, step.remove)
            spec = step.remove["spec"]
            say(f"volume {name}: evicted its replica from {spec['nodeID']}:{spec['diskPath']}")
        _say_how_it_is(api, volume, persistent.get(name), is_scheduled=not step.is_without_place)


def _let_go(api: LonghornApi) -> None:
    """Take the finalizer off replicas that somebody deleted (controller/replica_controller.go)."""
    for replica in api.by_name(REPLICAS).values():
        if "deletionTimestamp" in replica["metadata"]:
            api.delete(REPLICAS, replica)


def _follow_disks(api: LonghornApi, with_manager: Set[str]) -> None:
    nodes = {
        name: node
        for name, node in api.by_name(longhorn_nodes.PLURAL).items()
        if name in with_manager and not longhorn_nodes.is_off(name)
    }
    for replica in rules.followed(nodes, api.by_name(REPLICAS).values()):
        spec = replica["spec"]
        api.replace(REPLICAS, replica)
        say(f"volume {spec['volumeName']}: its replica followed to {spec['nodeID']}")


def _replicas_of(api: LonghornApi, volume: str) -> list[Object]:
    return [
        replica
        for replica in api.by_name(REPLICAS).values()
        if replica["spec"].get("volumeName") == volume
        and "deletionTimestamp" not in replica["metadata"]
    ]


def _add(api: LonghornApi, volume: Object, place: rules.Place) -> None:
    name = volume["metadata"]["name"]
    spec = {
        "volumeName": name,
        "volumeSize": volume["spec"]["size"],
        "nodeID": place.node,
        "diskID": place.disk_uuid,
        "diskPath": place.path,
        "dataDirectoryName": f"{name}-{token_hex(4)}",
        "healthyAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "failedAt": "",
        "active": True,
    }
    metadata = {"labels": {"longhornvolume": name}}
    api.create(
        REPLICAS, "Replica", f"{name}-r-{token_hex(4)}", {"metadata": metadata, "spec": spec}
    )
    say(f"volume {name}: a replica on {place.node}:{place.path}")


def _remove(api: LonghornApi, volume: Object) -> None:
    name = volume["metadata"]["name"]
    for replica in _replicas_of(api, name):
        api.delete(REPLICAS, replica)
    api.delete(VOLUMES, volume)
    content.remove(name)
    say(f"volume {name} is deleted")


def _say_how_it_is(
    api: LonghornApi, volume: Object, persistent: Any, *, is_scheduled: bool
) -> None:
    claim = persistent.spec.claim_ref if persistent is not None else None
    before = volume.get("status") or {}
    said = {
        # A test may have said otherwise, to see what is made of a volume in trouble.
        "state": before.get("state") or "detached",
        "robustness": before.get("robustness") or "unknown",
        "kubernetesStatus": {
            "pvName": persistent.metadata.name if persistent is not None else "",
            "pvStatus": persistent.status.phase if persistent is not None else "",
            "namespace": claim.namespace if claim is not None else "",
            "pvcName": claim.name if claim is not None else "",
        },
        "conditions": [
            *(each for each in before.get("conditions") or [] if each["type"] == "Restore"),
            condition(
                "Scheduled",
                met=is_scheduled,
                reason="" if is_scheduled else "ReplicaSchedulingFailure",
                message="" if is_scheduled else "no disk takes another replica",
            ),
        ],
    }
    if {key: before.get(key) for key in said} != said:
        api.replace_status(VOLUMES, {**volume, "status": {**before, **said}})
