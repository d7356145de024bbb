"""Values of Longhorn's chart that are of another kind than its templates can use. Pure.

The chart has no schema. A template takes every text for true, "false" too; what is to be one text
it writes as it is, a list or a map in Go's own words; and Kubernetes takes no number or boolean as
a label, an annotation or a part of a toleration. All of that shows after the disks are formatted,
or never.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from configuration.chart_keys import FREE, Keys
from configuration.problems import Problem

_SWITCHES = {"enable", "enabled", "jobEnabled", "upgradeVersionCheck", "createSecret", "enablePSP"}
_SWITCHES |= {"tls", "secureBackends", "enableGoCoverDir", "migratable"}
_LISTS = {"tolerations", "secrets", "loadBalancerSourceRanges", "relabelings", "metricRelabelings"}
# What the chart itself writes as a number, or checks otherwise (chart_forms.py).
_NUMBERS = {"nodePort", "port", "proxy", "replicas", "defaultClassReplicaCount", "defaultClass"}
_NUMBERS |= {f"{part}ReplicaCount" for part in ("attacher", "provisioner", "resizer")}
_NUMBERS |= {"snapshotterReplicaCount"}
_NUMBER_LIKE_TAG = "image.openshift.oauthProxy.tag"
_JOBS = "persistence.recurringJobSelector.jobList"
_JOBS_REMEDY = """Write it as JSON in quotes: '[{"name": "backup", "isGroup": true}]'."""
_IN_QUOTES = "Put the value in quotes."
_ONE_TEXT = "Write it as one text, in the form that Longhorn's documentation has for it."
_TOLERATION: Mapping[str, tuple[str, ...]] = {
    "key": (),
    "operator": ("Exists", "Equal"),
    "value": (),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
}


def misfits(values: Mapping[str, Any], keys: Keys, path: str = "") -> Iterator[Problem]:
    """Every value of another kind than the chart needs, by its path; null says nothing.

    Args:
        values: longhorn.values.
        keys: What the chart has; what it does not have is reported elsewhere.
        path: Where the values stand.
    """
    for name, value in values.items():
        inner = f"{path}.{name}" if path else name
        if value is None or name not in keys.get(path, ()):
            continue
        if inner in keys:
            if isinstance(value, Mapping):
                yield from misfits(cast(Mapping[str, Any], value), keys, inner)
            else:
                yield Problem(
                    inner,
                    "must be a map of keys",
                    "Write `key: value` lines below it, or nothing at all.",
                )
        elif name in FREE:
            yield from _texts_by_name(inner, value, is_quoted=path == "ingress")
        elif name in _LISTS:
            yield from _list(inner, name, value)
        elif inner == _JOBS:
            yield from _jobs(value)
        else:
            yield from _single(inner, name, value)


def _texts_by_name(path: str, value: object, *, is_quoted: bool) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, "must be a map of texts", "Write `name: value` lines below it.")
        return
    for name, text in cast(Mapping[str, object], value).items():
        if not (
            isinstance(text, str | None) or (is_quoted and not isinstance(text, list | Mapping))
        ):
            yield Problem(f"{path}.{name}", "must be text", _IN_QUOTES)


def _list(path: str, name: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, list):
        # The chart's own words for no list.
        if value != "":
            yield Problem(path, "must be a list", "Write one entry per line, each behind `- `.")
        return
    if name == "tolerations":
        for number, entry in enumerate(cast(list[object], value)):
            yield from _toleration(f"{path}[{number}]", entry)


def _toleration(path: str, entry: object) -> Iterator[Problem]:
    if not isinstance(entry, Mapping):
        yield Problem(
            path,
            "is no toleration",
            "Write it as {key: KEY, operator: Exists, effect: NoSchedule}, or with "
            "operator: Equal and a value.",
        )
        return
    said = cast(Mapping[str, object], entry)
    for name, value in said.items():
        allowed = _TOLERATION.get(name)
        if name == "tolerationSeconds" or value is None or value == "":
            continue
        if allowed is None:
            yield Problem(
                f"{path}.{name}",
                "is no key of a toleration",
                f"A toleration has {', '.join(_TOLERATION)} and tolerationSeconds.",
            )
        elif not isinstance(value, str):
            yield Problem(f"{path}.{name}", "must be text", _IN_QUOTES)
        elif allowed and value not in allowed:
            yield Problem(
                f"{path}.{name}", f"must be one of {', '.join(allowed)}", "Write it exactly so."
            )
    if said.get("operator") == "Exists" and said.get("value"):
        yield Problem(
            f"{path}.value",
            "goes with operator Equal, and Kubernetes refuses it with Exists",
            "Leave one of them out.",
        )


def _jobs(value: object) -> Iterator[Problem]:
    try:
        parsed: object = json.loads(value) if isinstance(value, str) and value else []
    except ValueError:
        parsed = None
    is_nothing = isinstance(value, list) and not value
    if not (is_nothing or isinstance(value, str)) or not isinstance(parsed, list):
        yield Problem(
            _JOBS,
            "must be a text with a list in it, which the chart hands on as it is",
            _JOBS_REMEDY,
        )


def _single(path: str, name: str, value: object) -> Iterator[Problem]:
    if isinstance(value, list | Mapping):
        yield Problem(
            path,
            f"must be a single value, and is a {'list' if isinstance(value, list) else 'map'}",
            _ONE_TEXT,
        )
    elif name in _SWITCHES:
        if value != "" and not isinstance(value, bool):
            yield Problem(
                path,
                "must be true or false; any text, also a quoted false, is true for the chart",
                "Write true or false, without quotes.",
            )
    elif path.startswith("defaultSettings.") or name in _NUMBERS or path == _NUMBER_LIKE_TAG:
        return
    elif not isinstance(value, str):
        yield Problem(path, "must be text", _IN_QUOTES)
