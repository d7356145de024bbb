"""Which values Longhorn's charts have: a key that a chart does not have silently does nothing."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

Keys = Mapping[str, frozenset[str]]
"""The names in each map of the values, by the map's path such as `persistence.backingImage`."""

# Versions without a list of their own have the names of their neighbours.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "1.5.3": ("1.5.3",),
    "1.5.4": ("1.5.3", "1.5.5"),
    "1.5.5": ("1.5.5",),
    "1.6.1": ("1.6.4",),
    "1.6.2": ("1.6.4",),
    "1.6.3": ("1.6.4",),
    "1.6.4": ("1.6.4",),
}
FREE = ("nodeSelector", "annotations", "serviceAnnotations", "additionalLabels")
"""Maps whose keys are names that people choose."""
# What the templates read although values.yaml does not name it.
_UNNAMED: Keys = {
    "": frozenset({"nameOverride"}),
    "service.ui": frozenset({"loadBalancerIP", "loadBalancerSourceRanges"}),
}


@cache
def keys_of_version(version: str) -> Keys:
    """The keys of this supported version's chart."""
    return _joined(
        {
            path: frozenset(names)
            for path, names in yaml.safe_load(
                (Path(__file__).parent / f"{name}.yaml").read_text()
            ).items()
        }
        for name in _LISTS[version]
    )


def keys_of_values(values: Mapping[str, Any]) -> Keys:
    """The keys that a chart's own values.yaml has."""
    return _joined([dict(_maps(values, "")), _UNNAMED])


def unknown_keys(values: Mapping[str, Any], keys: Keys, path: str = "") -> Iterator[str]:
    """Paths of what the chart does not have in these values; nothing below such a path."""
    for name, value in values.items():
        inner = f"{path}.{name}" if path else str(name)
        if name not in keys[path]:
            yield inner
        elif inner in keys and isinstance(value, Mapping):
            yield from unknown_keys(cast(Mapping[str, Any], value), keys, inner)


def _maps(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, frozenset[str]]]:
    yield path, frozenset(map(str, values))
    for name, value in values.items():
        if isinstance(value, Mapping) and value and name not in FREE:
            inner = f"{path}.{name}" if path else str(name)
            yield from _maps(cast(Mapping[str, Any], value), inner)


def _joined(lists: Iterable[Keys]) -> Keys:
    joined: dict[str, frozenset[str]] = {}
    for one in lists:
        for path, names in one.items():
            joined[path] = joined.get(path, frozenset()) | names
    return joined
