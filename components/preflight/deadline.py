"""Questions that a preview waits for only so long."""

import threading
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


def answer_within(seconds: float, ask: Callable[[], _Answer]) -> _Answer:
    """What `ask` returns. It goes on in the background when it takes longer.

    Raises TimeoutError after this time, and whatever `ask` raises.
    """
    # The cluster's client tries again by itself for longer than a preview should wait.
    answers: list[_Answer] = []
    errors: list[Exception] = [TimeoutError(f"no answer within {seconds:.0f} s")]

    def asking() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # raised again where the answer is waited for
            errors[:] = [error]

    thread = threading.Thread(target=asking, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answers:
        raise errors[0]
    return answers[0]
