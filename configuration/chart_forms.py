"""Values of Longhorn's chart that Longhorn does not take. Pure.

Longhorn gives up all of `defaultSettings` because of a single bad one (longhorn-manager v1.5.3,
types/setting.go, GetCustomizedDefaultSettings), and then makes disks of its own on the root disk.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from configuration.recurring_jobs import cron_time

_FORMS = yaml.safe_load((Path(__file__).parent / "chart_keys" / "forms.yaml").read_text())
# As Go's strconv.ParseBool reads them.
_BOOLEANS = {"1", "t", "true", "0", "f", "false"}
_SINCE_1_6 = {"block-for-eviction", "block-for-eviction-if-contains-last-replica"}
_EFFECTS = "NoSchedule|PreferNoSchedule|NoExecute"
_TEXTS = {
    "taintToleration": (
        re.compile(
            rf"[^:;=\s]*(=[^:;=\s]*)?:({_EFFECTS})?(;[^:;=\s]*(=[^:;=\s]*)?:({_EFFECTS})?)*"
        ),
        "key=value:effect, more of them behind `;`",
    ),
    "systemManagedComponentsNodeSelector": (
        re.compile(r"[^:;]+:[^:;]*(;[^:;]+:[^:;]*)*"),
        "label:value, more of them behind `;`",
    ),
}


def unfit_values(values: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    """Path of each value that Longhorn does not take, and what it takes there.

    Args:
        values: longhorn.values. What is null or empty says nothing.
        version: longhorn.version.
    """
    unknown = _SINCE_1_6 if version.startswith("1.5.") else set[str]()
    for path, names in _FORMS["booleans"].items():
        for name, value in _said(values, path, names):
            if str(value).lower() not in _BOOLEANS:
                yield f"{path}.{name}", "true or false"
    for path, ranges in _FORMS["numbers"].items():
        for name, value in _said(values, path, ranges):
            lowest, *highest = ranges[name]
            if not _is_within(value, lowest, *highest):
                upper = f" to {highest[0]}" if highest else " or more"
                yield f"{path}.{name}", f"a whole number, {lowest}{upper}"
    for path, choices in _FORMS["choices"].items():
        for name, value in _said(values, path, choices):
            known = [choice for choice in choices[name] if choice not in unknown]
            if value not in known:
                yield f"{path}.{name}", f"one of {', '.join(known)}"
    yield from _unfit_texts(values)


def _unfit_texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    path = "defaultSettings"
    for name, value in _said(values, path, _TEXTS):
        expression, words = _TEXTS[name]
        if isinstance(value, str) and not expression.fullmatch(value.replace(" ", "")):
            yield f"{path}.{name}", words
    for name, value in _said(values, path, ["snapshotDataIntegrityCronjob"]):
        try:
            cron_time(str(value))
        except ValueError:
            words = "a time as cron writes it, such as 0 0 */7 * * (Sunday is 0 or SUN)"
            yield f"{path}.{name}", words


def _said(values: Mapping[str, Any], path: str, names: Any) -> Iterator[tuple[str, Any]]:
    found: Any = values
    for part in path.split("."):
        found = cast(Mapping[str, Any], found).get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        for name, value in cast(Mapping[str, Any], found).items():
            # A list or map is reported in any case (chart_kinds.py).
            if name in names and value != "" and not isinstance(value, list | Mapping | None):
                yield name, value


def _is_within(value: object, lowest: int, highest: int | None = None) -> bool:
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+", str(value)):
        return False
    return lowest <= int(str(value)) and (highest is None or int(str(value)) <= highest)
