"""longhorn.tolerations: taints as `kubectl describe node` shows them."""

from typing import Any

import pytest

from configuration.longhorn import LonghornSettings
from tests.unit.doubles.a_stack import load, mistake, valid


def _settings(*tolerations: dict[str, Any]) -> LonghornSettings:
    return load(valid(longhorn={"tolerations": list(tolerations)})).longhorn


def test_a_taint_has_a_key_a_value_if_it_matters_and_an_effect() -> None:
    (first, second) = _settings(
        {"key": "example.com/dedicated", "value": "storage"},
        {"key": "CriticalAddonsOnly", "effect": "NoExecute"},
    ).tolerations
    assert (first.value, first.effect) == ("storage", "NoSchedule")
    assert (second.value, second.effect) == (None, "NoExecute")


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "a=b"},
        {"key": "a:NoSchedule"},
        {"key": ""},
        {"key": "a;b"},
        {"key": "a", "value": "x y"},
        {"key": "a", "value": "x:y"},
        {"key": "a", "effect": "PreferNoSchedule"},
        {"value": "a"},
        {"key": "a", "operator": "Exists"},
    ],
)
def test_what_is_no_taint_is_refused(toleration: dict[str, Any]) -> None:
    found = mistake(valid(longhorn={"tolerations": [toleration]}))
    assert "longhorn.tolerations[0]" in str(found)
