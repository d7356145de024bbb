"""Taints that pods are let onto."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from configuration.base import StackModel
from configuration.problems import rule


def _taint_key(value: str) -> str:
    if not value or any(character in value for character in ":=;, \t\n"):
        raise rule("must be the key of a taint", "Copy it from `kubectl describe node`.")
    return value


class TolerationSettings(StackModel):
    """One taint, as `kubectl describe node` shows it."""

    key: Annotated[str, AfterValidator(_taint_key)]
    """The taint's key, such as dedicated or CriticalAddonsOnly."""
    value: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]*$")
    """The taint's value; any value if not given."""
    effect: Literal["NoSchedule", "NoExecute"] = "NoSchedule"
    """The taint's effect."""
