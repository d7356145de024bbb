"""What in Longhorn is no longer as the stack file says, one line for each resource. Pure.

Each line is an input of the resource that owns it (components/common/dynamic.py, FINDING), so that
Pulumi's diff shows it and `up` puts it right. Only what that resource can put right is found
here; what nobody owns is reported by components/preflight/storage_health.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.common.answers import listed
from components.longhorn.backups import TARGET, unavailable
from components.longhorn.fields import name_of, spec_of

NOT_RUNNING = (
    "Longhorn does not run in the cluster; if somebody took it out, `pulumi up --refresh` installs "
    "it again"
)
"""In place of all that can't be looked at then."""


@dataclass(frozen=True, kw_only=True)
class LonghornFindings:
    """What is wrong in Longhorn right now; empty where nothing is, or nothing could be read."""

    release: str | None = None
    """What is wrong with its Helm release."""
    settings: str | None = None
    """Settings that have another value than the stack file gives them."""
    removal: str | None = None
    """That somebody has confirmed Longhorn's removal in Longhorn itself."""
    backup_settings: str | None = None
    """Settings of the backup target that have another value than the stack file gives them."""
    backup_target: str | None = None
    """Why Longhorn can't use its backup target."""
    backup_credentials: str | None = None
    """That the Secret with the credentials of the backup target is gone or changed."""
    frontend: str | None = None
    """Which objects in front of Longhorn's interface are gone or changed."""
    monitoring: str | None = None
    """Which objects by which Prometheus and Grafana see Longhorn are gone or changed."""
    policies: str | None = None
    """Which classes and recurring jobs of the stack are gone, or not as it says."""
    encryption_key: str | None = None
    """That the Secret with the key of encrypted volumes is gone."""
    ready: str | None = None
    """That Longhorn is not there or without parts of its CSI driver, or that `longhorn` is not the
    one default StorageClass."""
    disks: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is wrong with a node's disks in Longhorn, by the node's name."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Which tags a node lacks in Longhorn, by the node's name."""


def settings_finding(found: Mapping[str, str], wanted: Mapping[str, str]) -> str | None:
    """Which of Longhorn's settings are not as wanted; those that it does not have are none."""
    return line_of(
        f"{name} is {found[name] or 'empty'}, not {value or 'empty'}"
        for name, value in sorted(wanted.items())
        if name in found and found[name] != value
    )


def backup_target_finding(targets: Iterable[Mapping[str, Any]], wanted_url: str) -> str | None:
    """Why Longhorn can't use the target that it is to have."""
    target = next((each for each in targets if name_of(each) == TARGET), None)
    return unavailable(target, wanted_url) or None


def tags_finding(node: Mapping[str, Any] | None, wanted: Sequence[str]) -> str | None:
    """Which of its tags a node in Longhorn lacks."""
    if node is None:
        return None
    present = listed(spec_of(node).get("tags"))
    missing = [tag for tag in wanted if tag not in present]
    return f"without the tag {', '.join(missing)}" if missing else None


def line_of(problems: Iterable[str]) -> str | None:
    """Several problems in one line; None for none."""
    return "; ".join(problems) or None
