"""Questions that a preview waits for only so long, and goes on without an answer."""

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from components.common.waiting import in_one_line

_Answer = TypeVar("_Answer")


def asking(
    seconds: float, ask: Callable[[], _Answer], unanswered: Callable[[str], _Answer]
) -> Callable[[], _Answer]:
    """Begin to ask in the background; what is returned waits for the answer.

    The question goes on in the background when it takes longer.

    Args:
        seconds: How long is waited, counted from the beginning.
        ask: The question; what it raises is no answer.
        unanswered: What counts in place of an answer, by the reason in one line.
    """
    # The cluster's client tries again by itself for longer than a preview should wait.
    answers: list[_Answer] = []
    errors: list[Exception] = [TimeoutError(f"no answer within {seconds:.0f} s")]

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # whatever is answered, the preview goes on
            errors[:] = [error]

    # Pulumi keeps the stack's configuration in the context, of which a thread has none by itself.
    here = contextvars.copy_context()
    thread = threading.Thread(target=here.run, args=(run,), daemon=True)
    ends = time.monotonic() + seconds
    thread.start()

    def answer() -> _Answer:
        thread.join(max(0.0, ends - time.monotonic()))
        if answers:
            return answers[0]
        return unanswered(in_one_line(errors[0]))

    return answer
