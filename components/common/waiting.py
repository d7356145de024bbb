"""The one way to wait: for a condition, with a deadline, showing that it goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from components.common.answers import last_object
from components.common.progress import show_progress

_FIRST_SECONDS, _BETWEEN_SECONDS = 5.0, 60.0
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How time passes; tests have one of their own."""

    now: Callable[[], float] = time.monotonic
    """Seconds from any fixed moment."""
    sleep: Callable[[float], None] = time.sleep
    """Let this many seconds pass."""


SYSTEM_CLOCK = Clock()


def is_passing(error: Exception) -> bool:
    """Whether an error says only that a server does not answer for a moment.

    A broken connection, 429, or any answer of 500 and above: an API server that starts again, whose
    etcd elects a leader, or that has too much to do.
    """
    # Every process of this program has this module, and few of them ever wait for a server.
    import httpx
    from urllib3.exceptions import HTTPError

    if isinstance(error, HTTPError | httpx.TransportError | ConnectionError):
        return True
    status = getattr(error, "status", None)
    return isinstance(status, int) and (
        status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or status == 0
    )


def wait_until(
    what: str,
    missing: Callable[[], list[str]],
    *,
    timeout_seconds: float,
    say: Callable[[str], None] = show_progress,
    still: str = "Still missing",
    confirmations: int = 1,
    interval_seconds: float = 1.0,
    clock: Clock | None = None,
) -> None:
    """Wait until `missing` lists nothing more.

    A server that does not answer for a moment ends no wait: that is said once, and the wait goes
    on until its deadline.

    Args:
        what: What is waited for, for messages.
        missing: Tells what is not as it should be yet, one line each; reads again at every call.
            What it raises ends the wait, unless `is_passing` says that it passes.
        timeout_seconds: The deadline.
        say: Receives a line of progress when the wait is no short one, after that once in a minute,
            and at once when a server stops answering or what was confirmed is gone again.
        still: What the listed things are at the deadline, for its message.
        confirmations: How many times in a row nothing may be missing.
        interval_seconds: How long to wait between two looks.

    Raises TimeoutError with everything that is still missing.
    """
    clock = clock or SYSTEM_CLOCK
    started = clock.now()
    due = started + _FIRST_SECONDS
    # Silence from the start is no news: what was made just now is often not there yet.
    in_a_row, is_silent = 0, True
    while True:
        was_silent, had = is_silent, in_a_row
        try:
            left, is_silent = missing(), False
        except Exception as error:
            if not is_passing(error):
                raise
            left, is_silent = [f"no answer: {in_one_line(error)}"], True
        in_a_row = 0 if left else in_a_row + 1
        if in_a_row >= confirmations:
            return
        now = clock.now()
        seconds_left = timeout_seconds - (now - started)
        if seconds_left <= 0:
            lines = left or ["it became so only now"]
            raise TimeoutError(
                f"{what}: not reached within {timeout_seconds:.0f} s. {still}: {'; '.join(lines)}"
            )
        is_news = (is_silent and not was_silent) or had > 0
        if left and (is_news or now >= due):
            again = " (it was there, and is gone again)" if had else ""
            say(f"{what}: {'; '.join(left[:3])}{again}; {seconds_left:.0f} s left")
            due = now + _BETWEEN_SECONDS
        clock.sleep(min(interval_seconds, seconds_left))


def in_one_line(error: Exception) -> str:
    """What an error says, in one line; of an API server's refusal, its own words. Pure."""
    status, reason = getattr(error, "status", None), getattr(error, "reason", None)
    words = f"HTTP {status} {reason}" if status else str(error)
    said = last_object(str(getattr(error, "body", None) or "")) or {}
    if status and said.get("message"):
        words = f"{words}: {said['message']}"
    return " ".join(words.split())[:200] or type(error).__name__
