"""Time that passes only when somebody sleeps."""

from collections.abc import Callable

from components.common.waiting import Clock


def a_clock(on_sleep: Callable[[float], None] = lambda _: None) -> Clock:
    """A clock of its own.

    Args:
        on_sleep: Called with the seconds of each sleep, after they have passed.
    """
    passed = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += max(seconds, 0.001)
        on_sleep(seconds)

    return Clock(now=lambda: passed, sleep=sleep)
