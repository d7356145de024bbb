"""YAML as Pulumi reads it: gopkg.in/yaml.v3, which is YAML 1.2 but for a few forms of numbers.

PyYAML is YAML 1.1. There 22:30 is a number with base 60 and `yes` is true; to Pulumi both are text.
"""

import re
from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where PyYAML has it: ten times as fast."""
_TAG = "tag:yaml.org,2002:"
_OTHERWISE = {f"{_TAG}{name}" for name in ("bool", "int", "float", "value")}
_EXACT = 2.0**53
_SIGNS_AND_DIGITS = "-+0123456789"
# yaml.v3's resolve.go. What begins with 0 is octal, where it can be.
_INTEGER = re.compile(
    r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$",
)
_FLOAT = re.compile(
    r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$"
    r"|\.(nan|NaN|NAN)$"
)


class PulumiLoader(_BASE):
    """A safe loader that takes for a boolean or a number what Pulumi does."""


PulumiLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag not in _OTHERWISE]
    for first, forms in _BASE.yaml_implicit_resolvers.items()
}
PulumiLoader.add_implicit_resolver(
    f"{_TAG}bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
PulumiLoader.add_implicit_resolver(f"{_TAG}int", _INTEGER, list(_SIGNS_AND_DIGITS))
PulumiLoader.add_implicit_resolver(f"{_TAG}float", _FLOAT, [*_SIGNS_AND_DIGITS, "."])


def _number(loader: Any, node: yaml.ScalarNode) -> float:
    """Go writes 1.0 as 1 when it hands over the configuration."""
    value = loader.construct_yaml_float(node)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


PulumiLoader.add_constructor(f"{_TAG}float", _number)


def read_yaml(text: str) -> Any:
    """What the text says. Raises yaml.YAMLError, and ValueError for what no value can be."""
    return yaml.load(text, PulumiLoader)  # noqa: S506  safe


def compose_yaml(text: str) -> yaml.Node | None:
    """The text's nodes with their places; None where it is empty. Raises yaml.YAMLError."""
    return yaml.compose(text, PulumiLoader)
