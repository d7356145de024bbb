"""Gives volumes to the claims of Longhorn's StorageClasses, as its CSI provisioner would.

A stand-in, for the lab only: a volume here is an object without data behind it. Kubernetes' own
controller binds claim and volume; this creates the volume for a claim and deletes a released one.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from kubernetes.client import ApiClient, CoreV1Api, StorageV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from lab.common.progress import say

PROVISIONER = "driver.longhorn.io"
_MEBIBYTE = 1024 * 1024
# Longhorn manager 1.5.3, util/util.go: MinimalVolumeSize and SizeAlignment.
_SMALLEST_BYTES = 10 * _MEBIBYTE
_ALIGNMENT_BYTES = 2 * _MEBIBYTE
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"


class Backend(Protocol):
    """Who holds the data behind a PersistentVolume."""

    def create(self, name: str, size_bytes: int, parameters: Mapping[str, str]) -> None:
        """Make the volume of that name, if it is not there."""

    def delete(self, name: str) -> None:
        """Remove the volume of that name, if it is there."""


def rounded(size_bytes: int) -> int:
    """The size that Longhorn gives to who asks for `size_bytes`: never less, 10 MiB at least."""
    wanted = max(size_bytes, _SMALLEST_BYTES)
    return -(-wanted // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


def volume_for(claim: Any, storage_class: Any) -> dict[str, Any]:
    """The volume that fits a claim and belongs to it from the start."""
    metadata = claim.metadata
    asked = int(parse_quantity(claim.spec.resources.requests["storage"]))
    name = f"pvc-{metadata.uid}"
    parameters = storage_class.parameters or {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": _quantity(rounded(asked))},
            "accessModes": claim.spec.access_modes,
            "volumeMode": claim.spec.volume_mode or "Filesystem",
            "storageClassName": storage_class.metadata.name,
            "persistentVolumeReclaimPolicy": storage_class.reclaim_policy or "Delete",
            "mountOptions": storage_class.mount_options or [],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata.namespace,
                "name": metadata.name,
                "uid": metadata.uid,
            },
            "csi": {
                "driver": PROVISIONER,
                "volumeHandle": name,
                "fsType": parameters.get("fsType", "ext4"),
                "volumeAttributes": parameters,
            },
        },
    }


def reconcile(client: ApiClient, backend: Backend | None = None) -> None:
    """Provision the claims that wait for it and delete the volumes that were let go.

    Args:
        client: the cluster.
        backend: told of each volume before its PersistentVolume is made, and before it is deleted.
    """
    core, storage = CoreV1Api(client), StorageV1Api(client)
    classes: dict[str, Any] = {
        item.metadata.name: item
        for item in storage.list_storage_class().items
        if item.provisioner == PROVISIONER
    }
    claims: list[Any] = core.list_persistent_volume_claim_for_all_namespaces().items
    for claim in claims:
        storage_class = classes.get(claim.spec.storage_class_name or "")
        if storage_class is not None and _waits(claim, storage_class):
            _provision(core, claim, storage_class, backend)
    volumes: list[Any] = core.list_persistent_volume().items
    for volume in volumes:
        if _is_let_go(volume):
            if backend is not None:
                backend.delete(volume.spec.csi.volume_handle)
            core.delete_persistent_volume(volume.metadata.name)
            say(f"deleted volume {volume.metadata.name}")


def _waits(claim: Any, storage_class: Any) -> bool:
    if claim.spec.volume_name or claim.metadata.deletion_timestamp is not None:
        return False
    waits_for_pod = storage_class.volume_binding_mode == "WaitForFirstConsumer"
    return not waits_for_pod or _SELECTED_NODE in (claim.metadata.annotations or {})


def _provision(core: CoreV1Api, claim: Any, storage_class: Any, backend: Backend | None) -> None:
    manifest = volume_for(claim, storage_class)
    size_bytes = int(parse_quantity(manifest["spec"]["capacity"]["storage"]))
    if backend is not None:
        backend.create(manifest["metadata"]["name"], size_bytes, storage_class.parameters or {})
    try:
        core.create_persistent_volume(manifest)
    except ApiException as error:
        # It was created a moment ago and Kubernetes has not bound it yet.
        if error.status != 409:
            raise
        return
    size = manifest["spec"]["capacity"]["storage"]
    say(f"volume of {size} for claim {claim.metadata.namespace}/{claim.metadata.name}")


def _is_let_go(volume: Any) -> bool:
    return (
        volume.status.phase == "Released"
        and volume.spec.persistent_volume_reclaim_policy == "Delete"
        and volume.spec.csi is not None
        and volume.spec.csi.driver == PROVISIONER
        and volume.metadata.deletion_timestamp is None
    )


def _quantity(size_bytes: int) -> str:
    """A size as Longhorn's provisioner writes it: in MiB, which it always is a multiple of."""
    return f"{size_bytes // _MEBIBYTE}Mi"
