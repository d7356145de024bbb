"""Taints that pods are let onto."""

import re
from typing import Literal

from pydantic import ValidationInfo, field_validator

from configuration.base import StackModel
from configuration.problems import rule

_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")


class TolerationSettings(StackModel):
    """One taint, as `kubectl describe node` shows it."""

    key: str
    """The taint's key, such as dedicated or CriticalAddonsOnly."""
    value: str | None = None
    """The taint's value; any value if not given."""
    effect: Literal["NoSchedule", "NoExecute"] = "NoSchedule"
    """The taint's effect."""

    @field_validator("key", "value")
    @classmethod
    def _parts_of_a_taint(cls, value: str | None, info: ValidationInfo) -> str | None:
        allowed = _KEY if info.field_name == "key" else _VALUE
        if value is not None and allowed.fullmatch(value) is None:
            raise rule(
                f"must be the {info.field_name} of a taint",
                "Copy it from `kubectl describe node`, which shows key=value:effect.",
            )
        return value
