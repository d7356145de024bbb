"""The proof that volumes work: claim, write, fill, read back from a second pod, clean up."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from components.cluster.api import open_cluster
from components.common.script_text import script_text
from components.volume_check.run import VolumeCheckRun
from configuration.cluster import ClusterSettings
from configuration.longhorn import VolumeCheckSettings

# A change of one of these runs the check again; script, image and deadline alone do not.
_RUNS_AGAIN = ("run", "longhorn_version", "storage_class", "access_mode", "size")


@dataclass(frozen=True, kw_only=True)
class VolumeCheckArgs:
    """What is proven."""

    check: VolumeCheckSettings
    """Class, access mode and size of the volume."""
    cluster: ClusterSettings
    """How the cluster is reached."""
    longhorn_version: pulumi.Input[str]
    """Longhorn's version; the check runs again when it changes."""


class VolumeCheckProvider(ResourceProvider):
    """Runs the check on create; leaves nothing behind, whether it succeeds or fails."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Run the check. Raises RuntimeError or TimeoutError with what the pods said."""
        report = VolumeCheckRun(open_cluster(props), props).run()
        return CreateResult(f"volume-check-{props['run']}", {**props, **report})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Replace, which means run again, only for what the check depends on."""
        changed = [key for key in _RUNS_AGAIN if _olds.get(key) != _news.get(key)]
        return DiffResult(changes=bool(changed), replaces=changed, delete_before_replace=True)


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
                "timeout_seconds": check.timeout_seconds,
                "run": check.run,
                "script": script_text("volume_check/volume-check.sh"),
                "bound_class": None,
                "bound_size": None,
                "seconds": None,
            },
            opts,
        )
