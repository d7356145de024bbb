"""From which Rancher to which one may go: one minor version at a time, and never back. Pure.

Source: Rancher's upgrade documentation, which supports no skipped minor version, and no way back
but restoring a backup of the data.
"""

import re

from components.common.versions import Step, minors_between, step, version_of

# Any other suffix is of whoever made the image again, with the same Rancher in it.
_EARLIER = re.compile(r"-(alpha|beta|rc)", re.IGNORECASE)


def upgrade_problem(current: str, wanted: str) -> str | None:
    """Why the data of `current` may not be given to `wanted`; None if it may.

    Args:
        current: Version or tag that the data was last used with.
        wanted: Tag that the stack asks for.
    """
    if _is_the_same_release(current, wanted):
        return None
    match step(current, wanted):
        case Step.FINE:
            return None
        case Step.BACK:
            return (
                f"Rancher {current} can't go back to {wanted}: its data has been changed for good. "
                f"Set rancher.tag: {current}, or restore a backup that {wanted} made "
                "into a data volume of its own (rancher.dataVolume)."
            )
        case Step.MAJOR:
            major = current.removeprefix("v").partition(".")[0]
            return (
                f"Rancher {current} to {wanted} crosses a major version. Go to the last minor "
                f"version of {major} first, and follow Rancher's own instructions from there."
            )
        case Step.SKIPS:
            path = ", then ".join(f"v{minor}" for minor in minors_between(current, wanted))
            return (
                f"Rancher {current} to {wanted} skips a minor version, and its data is brought "
                f"forward one at a time. Set rancher.tag to the newest {path}, each with "
                f"`pulumi up`, and then {wanted}."
            )


def _is_the_same_release(current: str, wanted: str) -> bool:
    old, new = version_of(current), version_of(wanted)
    is_same = old is not None and new is not None and old.release == new.release
    return is_same and not _EARLIER.search(wanted)
