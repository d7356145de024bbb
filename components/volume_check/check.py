"""The proof that volumes work: claim, write, fill, read back from a second pod, clean up."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pulumi

from components.cluster.api import cluster_inputs, open_cluster
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.script_text import script_text
from components.volume_check.run import VolumeCheckRun
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings, VolumeCheckSettings


class VolumeCheckProvider(DynamicProvider):
    """Runs the check on create; leaves nothing behind, whether it succeeds or fails."""

    outputs = ("bound_class", "bound_size", "seconds")
    not_compared: ClassVar[Mapping[str, str]] = {
        "kubeconfig": "where the cluster is reached says nothing about its volumes",
        "context": "as kubeconfig",
        "image": "what writes and reads says nothing about the volume",
        "namespace": "nothing of a check stays in it",
        "script": "a later version of this program writes and reads the same",
        "tolerations": "where the pods may run says nothing about the volume",
        "pull_secret": "as image",
        "timeout_seconds": "a longer patience is no reason to check again",
    }
    replaced_by = ("run", "longhorn_version", "storage_class", "access_mode", "size")
    deletes_before_replacing = True

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Run the check. Raises RuntimeError or TimeoutError with what the pods said."""
        report = VolumeCheckRun(open_cluster(new), new).run()
        return f"volume-check-{new['run']}", {**new, **report}


class VolumeCheck(DynamicResource, module="longhorn", name="VolumeCheck"):
    """Owns one run of the check and its report, and nothing that stays in the cluster."""

    bound_class: pulumi.Output[str]
    """StorageClass that the claim was bound from."""
    bound_size: pulumi.Output[str]
    """Size that Longhorn gave."""
    seconds: pulumi.Output[float]
    """How long the check took."""

    def __init__(
        self,
        name: str,
        *,
        check: VolumeCheckSettings,
        cluster: ClusterSettings,
        longhorn: LonghornSettings,
        tolerations: Sequence[Mapping[str, str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            check: What is proven.
            cluster: The cluster.
            longhorn: Its version, with which the check runs again, and the Secret of its registry,
                which is used where the check's namespace has it.
            tolerations: Those of the pods, as Longhorn's own have them.
            opts: The resource's options.
        """
        inputs = {
            **cluster_inputs(cluster),
            **check.model_dump(),
            "longhorn_version": longhorn.version,
            "tolerations": [dict(each) for each in tolerations],
            "pull_secret": longhorn.registry_secret,
            "script": script_text("volume_check/volume-check.sh"),
        }
        super().__init__(VolumeCheckProvider(), name, inputs, opts)
