"""Questions that a preview waits for only so long."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


def asking(seconds: float, ask: Callable[[], _Answer]) -> Callable[[], _Answer]:
    """Begin to ask in the background; what is returned waits for the answer.

    It raises TimeoutError once this time is over, counted from the beginning, and whatever `ask`
    raises. The question goes on in the background when it takes longer.
    """
    # The cluster's client tries again by itself for longer than a preview should wait.
    answers: list[_Answer] = []
    errors: list[Exception] = [TimeoutError(f"no answer within {seconds:.0f} s")]

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # raised again where the answer is waited for
            errors[:] = [error]

    thread = threading.Thread(target=run, daemon=True)
    ends = time.monotonic() + seconds
    thread.start()

    def answer() -> _Answer:
        thread.join(max(0.0, ends - time.monotonic()))
        if not answers:
            raise errors[0]
        return answers[0]

    return answer
