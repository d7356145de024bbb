"""Versions, and what lies between two of them. Pure."""

import re
from enum import Enum

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")

Version = tuple[int, int, int, bool, str]


class Step(Enum):
    """What going from one version to another means."""

    FINE = "the same version, a later patch, or the next minor version"
    BACK = "an earlier version"
    MAJOR = "another major version"
    SKIPS = "a later minor version than the next"


def version_of(text: str) -> Version | None:
    """Major, minor, patch, whether it is final, and what stands behind the hyphen.

    None for a text that is no version, such as `stable`. Versions compare as tuples do, save
    that of two pre-releases of the same version the later is not told.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, extra = match.groups()
    return int(major), int(minor), int(patch), extra is None, extra or ""


def step(old: Version, new: Version) -> Step:
    """What going from `old` to `new` means; between two pre-releases it is FINE."""
    if new[:4] < old[:4]:
        return Step.BACK
    if new[0] != old[0]:
        return Step.MAJOR
    if new[1] > old[1] + 1:
        return Step.SKIPS
    return Step.FINE


def minors_between(old: Version, new: Version) -> list[str]:
    """The minor versions, such as 1.6.x, that a step from `old` to `new` skips."""
    return [f"{new[0]}.{minor}.x" for minor in range(old[1] + 1, new[1])]
