"""When Rancher counts as up: several pongs in a row.

A Rancher that starts answers for a moment and is gone again while it takes over its data or starts
its own API server anew; one pong proves nothing.
"""

import time
from collections.abc import Callable

from components.rancher.api.errors import NotReadyError
from components.rancher.api.transport import Answer, Say
from components.rancher.api.trouble import Trouble, remedy

CONFIRMATIONS = 3
"""How many pongs in a row it takes."""
_INTERVAL_SECONDS = 1.0
_TELL_EVERY_SECONDS = 15.0


def wait_until_up(
    ping: Callable[[], Answer | Trouble],
    *,
    url: str,
    timeout_seconds: float,
    say: Say,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ask until pong came CONFIRMATIONS times in a row; anything else starts the count anew.

    Args:
        ping: One request for /ping; what it raises ends the wait.
        url: Rancher's address, for messages.
        say: Receives a line when Rancher goes away again, and every 15 s while it is away.

    Raises NotReadyError at the deadline with what was wrong last, and at once when something
    else than Rancher answers.
    """
    started = told = clock()
    in_a_row, last = 0, None
    while True:
        got = ping()
        if isinstance(got, Answer):
            _refuse_others(got, url)
            in_a_row += 1
            if in_a_row >= CONFIRMATIONS:
                return
        now = clock()
        left = timeout_seconds - (now - started)
        if isinstance(got, Trouble):
            if in_a_row:
                say(f"Rancher at {url} answered, and then not ({got.text}): counting anew")
            elif now - told >= _TELL_EVERY_SECONDS:
                say(f"Rancher at {url}: {got.text}; {max(0.0, left):.0f} s left")
                told = now
            in_a_row, last = 0, got
        if left <= 0:
            raise _not_up(url, timeout_seconds, last)
        sleep(min(_INTERVAL_SECONDS, left))


def _refuse_others(answer: Answer, url: str) -> None:
    if answer.status != 200 or answer.text.strip() != "pong":
        raise NotReadyError(
            f"What answers at {url}/ping is no Rancher (HTTP {answer.status}). Check the address.",
            "starting",
        )


def _not_up(url: str, seconds: float, last: Trouble | None) -> NotReadyError:
    why = last or Trouble("it began to answer only now", "starting")
    return NotReadyError(
        f"Rancher at {url} did not answer within {seconds:.0f} s (/ping, {CONFIRMATIONS} times in "
        f"a row): {why.text}. {remedy(why.reason)}",
        why.reason,
    )
