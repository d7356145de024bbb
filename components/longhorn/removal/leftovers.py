"""What an uninstallation of Longhorn leaves, and taking away what nobody else would.

Objects of Longhorn's carry a finalizer that only its managers take off. The uninstall job does so
for the kinds that it knows; of another kind, or made at the last moment, they keep their definition
from going, and that the namespace, for ever. Longhorn's documentation (Uninstall, Troubleshooting)
says to take that finalizer off and to delete webhooks and driver by hand, once the managers are
gone: that is what happens here.
"""

from collections.abc import Callable, Iterator
from typing import Any

from components.cluster.api import ApiError, ClusterApi
from components.common.answers import listed
from components.common.progress import tell
from components.longhorn.objects import DRIVER, GROUP, NAMESPACE, patch_object, read_objects

# Longhorn's finalizer is called like its API group.
_FINALIZER = GROUP
_MANAGER = "longhorn-manager"
_JOB = "longhorn-uninstall"
_VALIDATOR = "longhorn-webhook-validator"
_MUTATOR = "longhorn-webhook-mutator"


class Leftovers:
    """Looks for what is left, and takes away what is stuck; only behind LonghornRemovalGuard.

    Data is not at stake here: without managers nobody reads or deletes a volume's data, and that
    Longhorn may go with its volumes was decided before it was uninstalled.
    """

    def __init__(self, cluster: ClusterApi) -> None:
        self._cluster = cluster

    def read(self) -> list[str]:
        """What is still there, one line each; what is stuck is taken away before the next look."""
        running = list(self._running())
        if running:
            return running
        return [
            *self._webhooks(),
            *self._driver(),
            *(line for found in self._definitions() for line in self._definition(found)),
        ]

    def _running(self) -> Iterator[str]:
        """What of Longhorn still works and may still take things away by itself."""
        core, apps, batch = self._cluster.core, self._cluster.apps, self._cluster.batch
        for job in batch.list_namespaced_job(NAMESPACE).items:
            if job.metadata.name == _JOB and job.status.active:
                yield f"Job {_JOB} is running"
        for daemon_set in apps.list_namespaced_daemon_set(NAMESPACE).items:
            if daemon_set.metadata.name == _MANAGER:
                yield f"DaemonSet {_MANAGER}"
        pods = core.list_namespaced_pod(NAMESPACE, label_selector=f"app={_MANAGER}").items
        for pod in pods:
            yield f"pod {pod.metadata.name} on node {pod.spec.node_name}"

    def _definitions(self) -> list[Any]:
        found = self._cluster.extensions.list_custom_resource_definition().items
        return [item for item in found if item.spec.group == GROUP]

    def _webhooks(self) -> Iterator[str]:
        """Their service is gone, so they would refuse every change of Longhorn's objects."""
        admission = self._cluster.admission
        for name, kind, delete in (
            (
                _VALIDATOR,
                "ValidatingWebhookConfiguration",
                admission.delete_validating_webhook_configuration,
            ),
            (
                _MUTATOR,
                "MutatingWebhookConfiguration",
                admission.delete_mutating_webhook_configuration,
            ),
        ):
            if _delete(delete, name):
                tell(f"deleted {kind} {name}, which the uninstallation left")
                yield f"{kind} {name}"

    def _driver(self) -> Iterator[str]:
        if _delete(self._cluster.storage.delete_csi_driver, DRIVER):
            tell(f"deleted CSIDriver {DRIVER}, which the uninstallation left")
            yield f"CSIDriver {DRIVER}"

    def _definition(self, definition: Any) -> Iterator[str]:
        name = definition.metadata.name
        if definition.metadata.deletion_timestamp is None:
            yield f"CustomResourceDefinition {name}, which nobody has deleted"
            return
        yield f"CustomResourceDefinition {name}"
        plural = definition.spec.names.plural
        for item in read_objects(self._cluster, plural, everywhere=True) or []:
            metadata = item["metadata"]
            finalizers = listed(metadata.get("finalizers"))
            others = [finalizer for finalizer in finalizers if finalizer != _FINALIZER]
            what = f"{name} {metadata['namespace']}/{metadata['name']}"
            if others:
                yield f"{what} (finalizers of others: {', '.join(others)})"
            if _FINALIZER in finalizers and metadata.get("deletionTimestamp"):
                self._take_finalizer_off(plural, metadata, others)
                tell(f"took the finalizer {_FINALIZER} off {what}: Longhorn's managers are gone")

    def _take_finalizer_off(self, plural: str, metadata: dict[str, Any], others: list[str]) -> None:
        changes = {
            "metadata": {
                "finalizers": others or None,
                "resourceVersion": metadata["resourceVersion"],
            }
        }
        try:
            patch_object(
                self._cluster, plural, metadata["name"], changes, namespace=metadata["namespace"]
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise


def _delete(delete: Callable[[str], object], name: str) -> bool:
    """Delete an object; whether there was one."""
    try:
        delete(name)
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True
