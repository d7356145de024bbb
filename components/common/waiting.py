"""Waiting for a condition with a deadline, and showing that it goes on."""

import sys
import time
from collections.abc import Callable

_POLL_SECONDS = 1.0
_HEARTBEAT_SECONDS = 30.0


def tell(line: str) -> None:
    """Show a line of progress; the engine passes a provider's standard error on."""
    print(line, file=sys.stderr, flush=True)


def wait_until(
    what: str,
    missing: Callable[[], list[str]],
    *,
    timeout_seconds: float,
    say: Callable[[str], None] = tell,
    still: str = "Still missing",
) -> None:
    """Wait until `missing` lists nothing more.

    Args:
        what: What is waited for, for messages.
        missing: Tells what is not as it should be yet, one line each; reads anew at every call.
        timeout_seconds: The deadline.
        say: Receives a line of progress every 30 s.
        still: What the listed things are at the deadline, for its message.

    Raises TimeoutError with everything that is still missing.
    """
    started = time.monotonic()
    told = started
    while True:
        left = missing()
        if not left:
            return
        now = time.monotonic()
        if now - started > timeout_seconds:
            raise TimeoutError(
                f"{what}: not reached within {timeout_seconds:.0f} s. {still}: {'; '.join(left)}"
            )
        if now - told > _HEARTBEAT_SECONDS:
            say(f"{what}: {'; '.join(left[:3])}")
            told = now
        time.sleep(_POLL_SECONDS)
