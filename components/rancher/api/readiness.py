"""When Rancher counts as up: several pongs in a row.

A Rancher that starts answers for a moment and is gone again while it takes over its data or starts
its own API server again; one pong proves nothing.
"""

from collections.abc import Callable

from components.common.waiting import Clock, wait_until
from components.rancher.api.errors import NotReadyError
from components.rancher.api.transport import Answer, Say
from components.rancher.api.trouble import Trouble, not_ready

CONFIRMATIONS = 3
"""How many pongs in a row it takes."""


def wait_until_up(
    ping: Callable[[], Answer | Trouble],
    *,
    url: str,
    timeout_seconds: float,
    say: Say,
    clock: Clock | None = None,
) -> None:
    """Ask until pong came CONFIRMATIONS times in a row; anything else starts the count again.

    Args:
        ping: One request for /ping; what it raises ends the wait.
        url: Rancher's address, for messages.
        timeout_seconds: The deadline.
        say: Receives a line when Rancher goes away again, and every now and then while it is away.

    Raises NotReadyError at the deadline with what was wrong last, and at once when something
    else than Rancher answers.
    """
    last = Trouble("it began to answer only now", "starting")

    def missing() -> list[str]:
        nonlocal last
        got = ping()
        if isinstance(got, Trouble):
            last = got
            return [got.text]
        if got.status != 200 or got.text.strip() != "pong":
            raise NotReadyError(
                f"What answers at {url}/ping is no Rancher (HTTP {got.status}). Check the address.",
                "starting",
            )
        return []

    try:
        wait_until(
            f"Rancher at {url}",
            missing,
            timeout_seconds=timeout_seconds,
            say=say,
            confirmations=CONFIRMATIONS,
            clock=clock,
        )
    except TimeoutError:
        what = f"Rancher at {url} did not answer within {timeout_seconds:.0f} s"
        raise not_ready(f"{what} (/ping, {CONFIRMATIONS} times in a row)", last, url) from None
