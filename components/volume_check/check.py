"""The proof that volumes work: claim, write, fill, read back from a second pod, clean up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.cluster.api import open_cluster
from components.common.dynamic import DynamicProvider, Properties
from components.common.script_text import script_text
from components.volume_check.run import VolumeCheckRun
from configuration.cluster import ClusterSettings
from configuration.longhorn import VolumeCheckSettings


@dataclass(frozen=True, kw_only=True)
class VolumeCheckArgs:
    """What is proven."""

    check: VolumeCheckSettings
    """Class, access mode and size of the volume."""
    cluster: ClusterSettings
    """How the cluster is reached."""
    longhorn_version: pulumi.Input[str]
    """Longhorn's version; the check runs again when it changes."""
    tolerations: Sequence[Mapping[str, str]] = ()
    """Those of the pods, as Longhorn's own have them."""
    pull_secret: str | None = None
    """Secret for the image's registry, used where the check's namespace has it."""


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


class VolumeCheck(Resource, module="longhorn", name="VolumeCheck"):
    """Owns one run of the check and its report, and nothing that stays in the cluster."""

    bound_class: pulumi.Output[str]
    """StorageClass that the claim was bound from."""
    bound_size: pulumi.Output[str]
    """Size that Longhorn gave."""
    seconds: pulumi.Output[float]
    """How long the check took."""

    def __init__(
        self, name: str, args: VolumeCheckArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        check = args.check
        super().__init__(
            VolumeCheckProvider(),
            name,
            {
                "kubeconfig": args.cluster.kubeconfig,
                "context": args.cluster.context,
                "longhorn_version": args.longhorn_version,
                "storage_class": check.storage_class,
                "access_mode": check.access_mode,
                "size": check.size,
                "image": check.image,
                "namespace": check.namespace,
                "tolerations": [dict(each) for each in args.tolerations],
                "pull_secret": args.pull_secret,
                "timeout_seconds": check.timeout_seconds,
                "run": check.run,
                "script": script_text("volume_check/volume-check.sh"),
                "bound_class": None,
                "bound_size": None,
                "seconds": None,
            },
            opts,
        )
