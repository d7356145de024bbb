"""The proof that volumes work: claim, write, fill, read back from a second pod, clean up.

Where it is asked for, the proof that backups work, too: back up, delete, restore, compare.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pulumi

from components.cluster.api import cluster_inputs, open_cluster
from components.common.answers import mapped, time_in
from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.script_text import script_text
from components.volume_check.run import VolumeCheckRun
from configuration.cluster import ClusterSettings
from configuration.longhorn import LonghornSettings, VolumeCheckSettings


class VolumeCheckProvider(DynamicProvider):
    """Runs the check on create; leaves nothing behind, whether it succeeds or fails."""

    outputs = ("bound_class", "bound_size", "seconds", "restored")
    not_compared: ClassVar[Mapping[str, str]] = {
        "kubeconfig": "where the cluster is reached says nothing about its volumes",
        "context": "as kubeconfig",
        "image": "what writes and reads says nothing about the volume",
        "namespace": "nothing of a check stays in it",
        "script": "a later version of this program writes and reads the same",
        "tolerations": "where the pods may run says nothing about the volume",
        "pull_secret": "as image",
        "timeout_seconds": "a longer patience is no reason to check again",
        "restore_every_days": "the age of the last proof decides, see differences",
    }
    replaced_by = ("run", "longhorn_version", "storage_class", "access_mode", "size")
    deletes_before_replacing = True

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """The usual ones; a restore that is asked for and was seen too long ago is one, too."""
        changed = super().differences(old, new)
        if not new.get("restore"):
            return changed - {"restore"}
        every = new.get("restore_every_days")
        said = mapped(old.get("restored")).get("at")
        seen = time_in(said)
        age = None if seen is None else (datetime.now(UTC) - seen) / timedelta(days=1)
        if every is not None and (age is None or age >= every):
            tell(
                "volume check: the last restore that was seen is "
                + ("none" if age is None else f"{age:.0f} days old ({said})")
                + f"; volumeCheck.restoreEveryDays is {every:.0f}, so that `up` proves it again"
            )
            return {*changed, "restored"}
        return changed

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
    restored: pulumi.Output[dict[str, Any] | None]
    """What a restore has shown: at (UTC), bytes and their sha256, backupBytes, backupSeconds,
    restoreSeconds; None where none was asked for."""

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
            check: What is proven.
            longhorn: Its version, with which the check runs again, and the Secret of its registry,
                which is used where the check's namespace has it.
            tolerations: Those of the pods, as Longhorn's own have them.
        """
        inputs = {
            **cluster_inputs(cluster),
            **check.model_dump(),
            # Absent where it is not asked for, as in states of before there was such a check.
            "restore": check.restore or None,
            "longhorn_version": longhorn.version,
            "tolerations": [dict(each) for each in tolerations],
            "pull_secret": longhorn.registry_secret,
            "script": script_text("volume_check/volume-check.sh"),
        }
        super().__init__(VolumeCheckProvider(), name, inputs, opts)
