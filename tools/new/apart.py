"""Running a coroutine from code that has no loop of its own to give."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns or raises.

    Pulumi's SDK counts on the loop of the main thread, so this one gets a thread of its own; a
    daemon, which whoever interrupts the program does not have to wait for.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(asyncio.run(coroutine))
        except BaseException as error:  # it is raised where the answer is wanted
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result()
