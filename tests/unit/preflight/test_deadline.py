"""A preview waits for an answer only so long, and goes on without one."""

import threading

from components.preflight.deadline import asking


def test_an_answer_in_time_counts() -> None:
    assert asking(30.0, lambda: "yes", str)() == "yes"


def test_without_an_answer_the_reason_counts_in_one_line() -> None:
    def refused() -> str:
        raise RuntimeError("no\nand why")

    assert asking(30.0, refused, str)() == "RuntimeError: no"


def test_an_answer_that_comes_too_late_does_not_count() -> None:
    over = threading.Event()
    answer = asking(0.0, lambda: str(over.wait()), str)
    assert answer() == "TimeoutError: no answer within 0 s"
    over.set()
