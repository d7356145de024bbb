"""Which volumes Longhorn holds, and how they are shown to a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import is_going, mapped
from components.longhorn.fields import name_of, spec_of, status_of
from components.longhorn.objects import DRIVER, read_objects

_LISTED_AT_MOST = 20
_MEBIBYTE = 2**20
_GIBIBYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class HeldVolume:
    """A volume whose data would be lost with Longhorn."""

    name: str
    size_bytes: int | None
    """None where only a PersistentVolume tells of it."""
    state: str
    """As Longhorn says, such as `attached, healthy`."""
    claim: str | None
    """The claim that it belongs to, as namespace/name."""

    def __str__(self) -> str:
        size = "size unknown" if self.size_bytes is None else size_text(self.size_bytes)
        owner = f"claim {self.claim}" if self.claim else "no claim"
        return f"{self.name}: {size}, {self.state}, {owner}"


def read_volumes(cluster: ClusterApi) -> list[HeldVolume] | None:
    """Every volume that Longhorn holds, and every PersistentVolume of its driver.

    None where Longhorn is not installed: what is left of its volumes then nobody can read. Raises
    ApiException when the cluster refuses to tell.
    """
    volumes = read_objects(cluster, "volumes")
    if volumes is None:
        return None
    persistent = cluster.core.list_persistent_volume().items
    return held_volumes(volumes, [item for item in persistent if _is_longhorns(item)])


def held_volumes(
    volumes: Iterable[Mapping[str, Any]], persistent_volumes: Iterable[Any]
) -> list[HeldVolume]:
    """The volumes by name, those that are being deleted left out. Pure.

    Args:
        volumes: Objects of volumes.longhorn.io.
        persistent_volumes: PersistentVolumes of Longhorn's driver. One without a volume counts
            too, if a claim is still bound to it or nobody has deleted it.
    """
    all_volumes = list(volumes)
    by_handle = {item.spec.csi.volume_handle: item for item in persistent_volumes}
    found = [
        _held(volume, by_handle.get(name_of(volume)))
        for volume in all_volumes
        if not is_going(volume)
    ]
    known = {name_of(volume) for volume in all_volumes}
    found += [
        HeldVolume(
            name=item.metadata.name,
            size_bytes=None,
            state="a PersistentVolume without a volume in Longhorn",
            claim=_claim_of(item),
        )
        for handle, item in by_handle.items()
        if handle not in known
        and (item.metadata.deletion_timestamp is None or item.status.phase == "Bound")
    ]
    return sorted(found, key=lambda volume: volume.name)


def volume_lines(volumes: Sequence[HeldVolume]) -> str:
    """One line for each volume, the first twenty of them. Pure."""
    lines = [f"  - {volume}" for volume in volumes[:_LISTED_AT_MOST]]
    if len(volumes) > _LISTED_AT_MOST:
        lines.append(f"  - and {len(volumes) - _LISTED_AT_MOST} more")
    return "\n".join(lines)


def size_text(size_bytes: int) -> str:
    """A size in GiB, or in MiB below one."""
    if size_bytes < _GIBIBYTE:
        return f"{size_bytes / _MEBIBYTE:g} MiB"
    return f"{size_bytes / _GIBIBYTE:.4g} GiB"


def state_text(volume: Mapping[str, Any]) -> str:
    """State and robustness of an object of volumes.longhorn.io. Pure."""
    status = status_of(volume)
    words = [str(status.get("state") or "state unknown")]
    if status.get("robustness") not in (None, "", "unknown"):
        words.append(str(status["robustness"]))
    return ", ".join(words)


def claim_text(volume: Mapping[str, Any]) -> str | None:
    """The claim that Longhorn has noted for an object of volumes.longhorn.io. Pure."""
    noted = mapped(status_of(volume).get("kubernetesStatus"))
    return f"{noted.get('namespace')}/{noted['pvcName']}" if noted.get("pvcName") else None


def named(volume: Mapping[str, Any]) -> str:
    """The name of an object of volumes.longhorn.io, with its claim where it has one. Pure."""
    name, claim = name_of(volume), claim_text(volume)
    return f"{name} (claim {claim})" if claim else name


def with_claims(names: Iterable[str], volumes: Iterable[Mapping[str, Any]]) -> str:
    """Names of volumes in one line, each with its claim where it has one. Pure."""
    known = {name_of(volume): named(volume) for volume in volumes}
    return ", ".join(known.get(name, name) for name in names)


def _held(volume: Mapping[str, Any], persistent: Any) -> HeldVolume:
    return HeldVolume(
        name=name_of(volume),
        size_bytes=int(spec_of(volume).get("size") or 0),
        state=state_text(volume),
        claim=(_claim_of(persistent) if persistent is not None else None) or claim_text(volume),
    )


def _claim_of(persistent: Any) -> str | None:
    claim = persistent.spec.claim_ref
    return f"{claim.namespace}/{claim.name}" if claim is not None else None


def _is_longhorns(persistent: Any) -> bool:
    return persistent.spec.csi is not None and persistent.spec.csi.driver == DRIVER
