"""Versions, and what lies between two of them. Pure."""

import re
from enum import Enum
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


class Version(NamedTuple):
    """A version's parts. They compare in this order, and two pre-releases of one version are the
    same."""

    major: int
    minor: int
    patch: int
    is_final: bool
    """Whether nothing is behind a hyphen."""

    @property
    def release(self) -> tuple[int, int, int]:
        """Major, minor and patch alone."""
        return self.major, self.minor, self.patch


class Step(Enum):
    """What going from one version to another means."""

    FINE = "the same version, a later patch, or the next minor version; or one of them is none"
    BACK = "an earlier version"
    MAJOR = "another major version"
    SKIPS = "a later minor version than the next"


def version_of(text: str) -> Version | None:
    """The parts of a version; None for a text that is none, such as `stable`."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, extra = match.groups()
    return Version(int(major), int(minor), int(patch), extra is None)


def step(current: str, wanted: str) -> Step:
    """What going from one version to another means; between two pre-releases it is FINE.

    So it is where one of them is no version, such as `stable`: that is its owner's own decision.
    """
    old, new = version_of(current), version_of(wanted)
    if old is None or new is None:
        return Step.FINE
    if new < old:
        return Step.BACK
    if new.major != old.major:
        return Step.MAJOR
    if new.minor > old.minor + 1:
        return Step.SKIPS
    return Step.FINE


def minors_between(current: str, wanted: str) -> list[str]:
    """The minor versions, such as 1.6.x, between two versions of one major version."""
    old, new = version_of(current), version_of(wanted)
    if old is None or new is None:
        return []
    return [f"{new.major}.{minor}.x" for minor in range(old.minor + 1, new.minor)]
