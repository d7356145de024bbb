"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.common.progress import LabError, say

_PAUSE_SECONDS = 0.1
_HEARTBEAT_SECONDS = 15.0

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None], *, doing: str, seconds: float, hint: str = ""
) -> T:
    """The first answer of `condition` that is true; asks again until `seconds` have passed.

    Args:
        condition: returns something false while it does not hold. What it raises ends the wait.
        doing: what is waited for, for the progress lines and the error.
        seconds: the deadline.
        hint: where the person should look when the deadline has passed.

    Raises LabError at the deadline.
    """
    started = time.monotonic()
    next_heartbeat = started + _HEARTBEAT_SECONDS
    while True:
        answer = condition()
        if answer:
            return answer
        now = time.monotonic()
        if now - started > seconds:
            raise LabError(f"{doing}: not there after {seconds:.0f} s. {hint}".rstrip())
        if now > next_heartbeat:
            say(f"{doing}: still waiting after {now - started:.0f} s")
            next_heartbeat = now + _HEARTBEAT_SECONDS
        time.sleep(_PAUSE_SECONDS)
