"""What Longhorn's minor versions need and take over, as far as this program installs them. Pure."""

from dataclasses import dataclass

from components.common.versions import version_of


@dataclass(frozen=True, kw_only=True)
class LonghornMinor:
    """What one minor version of Longhorn is like."""

    minimum_kubernetes: tuple[int, int]
    """`kubeVersion` of its chart."""
    tested_kubernetes: tuple[int, int]
    """The last Kubernetes that Longhorn's documentation of this minor version or the next names."""
    engine_client_api: range
    """Versions of Longhorn's engine client API that its manager can talk to."""
    engine_controller_api: range
    """Versions of Longhorn's engine controller API that its instance manager can talk to."""
    has_priority_class: bool
    """Whether the chart gives Longhorn's pods a PriorityClass of their own."""
    alerts: str
    """The file with alerts for the metrics that its manager has (components/longhorn/monitoring).
    From 1.11 on volumes have theirs in another form (metrics_collector/volume_collector.go)."""


# Sources: chart/Chart.yaml and chart/values.yaml of each release; longhorn-engine, pkg/meta,
# as longhorn-manager carries it; its metrics_collector; Longhorn 1.6.0's best practices.
_MINORS = {
    (1, 5): LonghornMinor(
        minimum_kubernetes=(1, 21),
        tested_kubernetes=(1, 28),
        engine_client_api=range(3, 10),
        engine_controller_api=range(3, 6),
        has_priority_class=False,
        alerts="alerts-1.5",
    ),
    (1, 6): LonghornMinor(
        minimum_kubernetes=(1, 21),
        tested_kubernetes=(1, 28),
        engine_client_api=range(8, 11),
        engine_controller_api=range(4, 6),
        has_priority_class=True,
        alerts="alerts-1.5",
    ),
}


def minor_of(version: str) -> LonghornMinor:
    """The minor version that a supported version (longhorn.version) belongs to.

    Raises ValueError for any other; the settings let none pass.
    """
    parsed = version_of(version)
    found = None if parsed is None else _MINORS.get(parsed[:2])
    if found is None:
        raise ValueError(f"Longhorn {version} is not a version that this program knows")
    return found


def too_old_kubernetes(kubernetes: str, longhorn: str) -> str | None:
    """What is wrong with a Kubernetes that is too old for this Longhorn; None if it is not.

    Args:
        kubernetes: As the API server says it, such as v1.28.4+k3s2.
        longhorn: A supported version.
    """
    needed = minor_of(longhorn).minimum_kubernetes
    found = version_of(kubernetes)
    if found is None or found[:2] >= needed:
        return None
    return (
        f"Kubernetes {kubernetes} is older than {_dotted(needed)}, which Longhorn {longhorn} needs"
    )


def untested_kubernetes(kubernetes: str, longhorn: str) -> str | None:
    """What there is to say of a Kubernetes newer than those tried with this Longhorn, if it is."""
    tested = minor_of(longhorn).tested_kubernetes
    found = version_of(kubernetes)
    if found is None or found[:2] <= tested:
        return None
    return (
        f"Kubernetes {kubernetes} is newer than {_dotted(tested)}, the last one that was tested "
        "with Longhorn of this time"
    )


def _dotted(minor: tuple[int, int]) -> str:
    return f"{minor[0]}.{minor[1]}"
