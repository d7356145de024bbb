"""From which Rancher to which one may go: one minor version at a time, and never back. Pure.

Source: Rancher's upgrade documentation, which supports no skipped minor version, and no way back
but restoring a backup of the data.
"""

import re

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")

Version = tuple[int, int, int, bool, str]


def version_of(tag: str) -> Version | None:
    """Major, minor, patch, whether it is final, and what stands behind the hyphen.

    None for a tag that is no version, such as `stable`. Versions compare as tuples do, save
    that of two pre-releases of the same version the later is not told.
    """
    match = _VERSION.fullmatch(tag)
    if match is None:
        return None
    major, minor, patch, extra = match.groups()
    return int(major), int(minor), int(patch), extra is None, extra or ""


def upgrade_problem(current: str, wanted: str) -> str | None:
    """Why the data of `current` may not be given to `wanted`; None if it may.

    Args:
        current: Version or tag that the data was last used with.
        wanted: Tag that the stack asks for.
    """
    old, new = version_of(current), version_of(wanted)
    if old is None or new is None or old[:4] == new[:4]:
        return None
    if new[:4] < old[:4]:
        return (
            f"Rancher {current} can't go back to {wanted}: its data has been changed for good. "
            f"Set rancher.tag: {current}, or restore a backup that {wanted} made "
            "into a data volume of its own (rancher.dataVolume)."
        )
    if new[0] != old[0]:
        return (
            f"Rancher {current} to {wanted} crosses a major version. Go to the last minor version "
            f"of {old[0]} first, and follow Rancher's own instructions from there."
        )
    if new[1] > old[1] + 1:
        path = ", then ".join(f"v{new[0]}.{minor}.x" for minor in range(old[1] + 1, new[1]))
        return (
            f"Rancher {current} to {wanted} skips a minor version, and its data is brought "
            f"forward one at a time. Set rancher.tag to the newest {path}, each with `pulumi up`, "
            f"and then {wanted}."
        )
    return None
