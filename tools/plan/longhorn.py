"""What of Longhorn's chart is set otherwise than its own default, in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.longhorn.objects import NAMESPACE
from configuration.settings import Settings
from tools.offline.recording import SecretValue
from tools.offline.shown import without_login

# What the program always writes, with the default of the chart and of Longhorn (questions.yaml of
# the charts 1.5.3 to 1.6.4; of the kubelet's folder, what the chart finds by itself).
_DEFAULTS: Mapping[str, Any] = {
    "csi.kubeletRootDir": "/var/lib/kubelet",
    "defaultSettings.defaultReplicaCount": 3,
    "service.ui.type": "ClusterIP",
}
_SECRET_VALUES = {"privateRegistry.registryPasswd"}
_TAINTS = "defaultSettings.taintToleration"
_IN_WORDS = {_TAINTS} | {
    f"persistence.{key}" for key in ("defaultClass", "defaultClassReplicaCount", "reclaimPolicy")
}


def longhorn_lines(settings: Settings, release: Mapping[str, Any]) -> Sequence[str]:
    """Where the chart comes from, the class, and every value that is not the chart's own.

    Args:
        settings: The stack's settings.
        release: The inputs of the Helm release.
    """
    longhorn = settings.longhorn
    chart = longhorn.chart_path or without_login(longhorn.chart_repository)
    values = dict(_leaves(_opened(release["values"]), ""))
    default = "the default class" if values["persistence.defaultClass"] else "not the default class"
    others = [
        f"  {path} = {str(value).lower() if isinstance(value, bool) else value}"
        for path, value in sorted(values.items())
        if _DEFAULTS.get(path) != value
        and path not in _IN_WORDS
        and not path.endswith(".tolerations")  # the same taints once more
    ]
    taints = values.get(_TAINTS)
    return [
        f"chart from {chart}, in {NAMESPACE}",
        f"class longhorn: {default}, {values['persistence.defaultClassReplicaCount']} replicas, "
        f"reclaim policy {values['persistence.reclaimPolicy']}",
        *([f"runs on nodes with the taints {taints.replace(';', ', ')}"] if taints else []),
        *(["other than its defaults:", *others] if others else []),
    ]


def policy_lines(settings: Settings) -> Iterator[tuple[str, Sequence[str]]]:
    """What the stack gives Longhorn beside its chart: backups, jobs, classes, monitoring."""
    longhorn = settings.longhorn
    backup = longhorn.backup
    backups = [f"to {backup.target}"] if backup is not None else []
    backups += [
        f"{job.name}: {job.task} at {job.cron}"
        + (f", {job.effective_retain} kept" if job.effective_retain else "")
        + (f", of the groups {', '.join(job.groups)}" if job.groups else "")
        for job in longhorn.recurring_jobs
    ]
    if backup is not None and backup.maximum_age_hours is not None:
        backups.append(f"told of, where the last is older than {backup.maximum_age_hours} hours")
    if backups:
        yield "Its backups", backups
    if longhorn.storage_classes:
        names = [
            f"{each.name} (encrypted)" if each.encrypted else each.name
            for each in longhorn.storage_classes
        ]
        yield "Own classes", [", ".join(names)]
    monitoring = longhorn.monitoring
    if monitoring is not None:
        parts = [
            "metrics",
            *["alerts"] * monitoring.alerts,
            *["a dashboard"] * monitoring.dashboard,
        ]
        yield "Monitoring", [", ".join(parts)]


def _opened(values: Any) -> Mapping[str, Any]:
    """The values; with a password among them Pulumi takes all of them for one secret."""
    return values.value if isinstance(values, SecretValue) else values


def _leaves(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            path = f"{above}{key}"
            yield path, "[secret]" if path in _SECRET_VALUES else value
