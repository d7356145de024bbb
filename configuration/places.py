"""Where in a stack file something is written: its line, by the key under which a mistake is told.

Owns no rule. A file that does not say what the program was given has no lines here: Pulumi may have
read another one (`--config-file`), or an environment.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configuration.pulumis_yaml import compose_yaml, read_yaml

ENCRYPTED = object()
"""Given for what a file holds as `secure:`, whatever it is."""
_PART = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
_Written = tuple[yaml.Node, yaml.Node]
"""A key or an entry of a list, and what stands there."""


@dataclass(frozen=True)
class Places:
    """The lines of one stack file."""

    written: Mapping[str, _Written]
    values: Mapping[str, Any]

    def says(self, key: str, value: object) -> bool:
        """Whether the file has this very value under one of the keys below `config:`."""
        if key not in self.values:
            return False
        if value is ENCRYPTED:
            return isinstance(self.values[key], dict | list)
        # Pulumi hands over text, so that "22" and 22 are the same.
        return _as_json(self.values[key]) == value or str(self.values[key]) == str(value)

    def line(self, key: str) -> int | None:
        """The line of a key such as `longhorn-rancher:nodes[0].host`, counted from 1.

        For one that is not there, the line of the nearest above it; None if there is none.
        """
        top = re.match(r"[^.\[]+", key)
        if top is None or top[0] not in self.written:
            return None
        where, node = self.written[top[0]]
        for part in _PART.finditer(key[top.end() :]):
            found = _inside(node, part)
            if found is None:
                break
            where, node = found
        return where.start_mark.line + 1


_NOWHERE = Places({}, {})


def places_in(path: Path, namespace: str) -> Places:
    """The places of this file; none if it can't be read or is no stack file.

    Args:
        path: The stack file.
        namespace: The project; a key without one belongs to it.
    """
    try:
        text = path.read_text()
        root = compose_yaml(text)
        values = read_yaml(text)
    except (OSError, ValueError, yaml.YAMLError):
        return _NOWHERE
    config = dict(_pairs(root)).get("config") if root is not None else None
    if config is None or not isinstance(values["config"], Mapping):
        return _NOWHERE
    return Places(
        {_full(key, namespace): written for key, written in _pairs(config[1])},
        {_full(str(key), namespace): value for key, value in values["config"].items()},
    )


def _full(key: str, namespace: str) -> str:
    return key if ":" in key else f"{namespace}:{key}"


def _as_json(value: object) -> object:
    """As Pulumi hands it to the program."""
    return json.loads(json.dumps(value, default=str))


def _inside(node: yaml.Node, part: re.Match[str]) -> _Written | None:
    if part[1] is None:
        return dict(_pairs(node)).get(part[2])
    number = int(part[1])
    entries: Sequence[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else ()
    return (entries[number], entries[number]) if number < len(entries) else None


def _pairs(node: yaml.Node) -> Iterator[tuple[str, _Written]]:
    """The keys of a map with their places; first those of maps that are merged into it."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for one in reversed(merged):
                yield from _pairs(one)
    for key, value in node.value:
        yield str(key.value), (key, value)
