"""Waiting: the deadline, patience with servers, and what is said meanwhile."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from urllib3.exceptions import ProtocolError

from components.cluster.api import ApiError
from components.common import waiting
from components.common.waiting import is_passing, wait_until
from tests.unit.doubles.a_clock import a_clock

Look = list[str] | Exception


def _looks(*looks: Look) -> Callable[[], list[str]]:
    """What each look finds; the last one again and again."""
    left: Iterator[Look] = iter(looks)
    last: Look = []

    def look() -> list[str]:
        nonlocal last
        last = next(left, last)
        if isinstance(last, Exception):
            raise last
        return last

    return look


_PASSING = [
    ApiError(429, reason="Too Many Requests"),
    ApiError(503, reason="etcdserver: leader changed"),
    ApiError(500, reason="Internal Server Error"),
    ApiError(0, reason="no status"),
    ProtocolError("Connection broken"),
    ConnectionResetError("reset by peer"),
    httpx.ConnectError("refused"),
]


@pytest.mark.parametrize("error", _PASSING, ids=str)
def test_a_server_that_does_not_answer_for_a_moment_ends_no_wait(error: Exception) -> None:
    slept: list[float] = []
    looks = _looks(error, error, [])
    wait_until("x", looks, timeout_seconds=60, say=print, clock=a_clock(slept.append))
    assert slept == [1, 1]


@pytest.mark.parametrize("error", _PASSING, ids=str)
def test_a_server_that_stays_silent_is_named_at_the_deadline(error: Exception) -> None:
    with pytest.raises(
        TimeoutError, match=r"x: not reached within 60 s\. Still missing: no answer"
    ):
        wait_until("x", _looks(error), timeout_seconds=60, say=print, clock=a_clock())


@pytest.mark.parametrize(
    "error",
    [
        ApiError(403),
        ApiError(404),
        ApiError(499),
        RuntimeError("no"),
        KeyError("k"),
    ],
    ids=str,
)
def test_what_does_not_pass_by_itself_ends_the_wait_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        wait_until("x", _looks(error, []), timeout_seconds=60, say=print, clock=a_clock())
    assert not is_passing(error)


@pytest.mark.parametrize(("before", "left"), [([["a"]], 59), ([], 55)])
def test_a_server_that_falls_silent_is_told_at_once_and_one_that_never_answered_after_a_while(
    before: list[Look], left: int
) -> None:
    said: list[str] = []
    silent = ApiError(503, reason="unavailable")
    looks = _looks(*before, *[silent] * 10, [])
    wait_until("x", looks, timeout_seconds=60, say=said.append, clock=a_clock())
    assert said == [f"x: no answer: HTTP 503 unavailable; {left} s left"]


def test_a_long_wait_shows_at_its_start_and_every_minute_what_is_missing() -> None:
    said: list[str] = []
    looks = _looks(*[["a", "b", "c", "d"]] * 100, *[["d"]] * 50, [])
    wait_until("x", looks, timeout_seconds=600, say=said.append, clock=a_clock())
    assert said == ["x: a; b; c; 595 s left", "x: a; b; c; 535 s left", "x: d; 475 s left"]


def test_a_short_wait_says_nothing() -> None:
    said: list[str] = []
    looks = _looks(*[["a"]] * 5, [])
    wait_until("x", looks, timeout_seconds=600, say=said.append, clock=a_clock())
    assert said == []


def test_the_deadline_names_everything_that_is_missing() -> None:
    with pytest.raises(TimeoutError, match=r"x: not reached within 9 s\. Still there: a; b; c; d"):
        wait_until(
            "x",
            _looks(["a", "b", "c", "d"]),
            timeout_seconds=9,
            say=print,
            still="Still there",
            clock=a_clock(),
        )


def test_confirmations_must_come_in_a_row() -> None:
    slept: list[float] = []
    looks = _looks([], [], ["away"], [], [], [])
    wait_until(
        "x",
        looks,
        timeout_seconds=60,
        say=print,
        confirmations=3,
        interval_seconds=2,
        clock=a_clock(slept.append),
    )
    assert slept == [2] * 5


def test_what_came_right_only_at_the_deadline_is_told_so() -> None:
    with pytest.raises(TimeoutError, match="it became so only now"):
        wait_until("x", _looks([]), timeout_seconds=1, say=print, confirmations=9, clock=a_clock())


def test_what_was_there_and_is_gone_again_is_told_at_once() -> None:
    said: list[str] = []
    looks = _looks([], ["away"], ["away"], [], [])
    wait_until("x", looks, timeout_seconds=60, say=said.append, confirmations=2, clock=a_clock())
    assert said == ["x: away (it was there, and is gone again); 59 s left"]


def test_a_server_that_stops_answering_again_is_told_again() -> None:
    said: list[str] = []
    silent = ApiError(503, reason="unavailable")
    looks = _looks(["a"], silent, ["a"], silent, [])
    wait_until("x", looks, timeout_seconds=60, say=said.append, clock=a_clock())
    assert [line.rpartition("; ")[2] for line in said] == ["59 s left", "57 s left"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionResetError(), "ConnectionResetError"),
        (ConnectionResetError("reset\n  by peer"), "reset by peer"),
        (ConnectionResetError("x" * 300), "x" * 200),
    ],
)
def test_an_error_is_told_in_one_line_of_at_most_200_letters(error: Exception, words: str) -> None:
    said: list[str] = []
    looks = _looks(["a"], error, [])
    wait_until("x", looks, timeout_seconds=60, say=said.append, clock=a_clock())
    assert said == [f"x: no answer: {words}; 59 s left"]


def test_the_last_look_is_at_the_deadline_and_not_after_it() -> None:
    slept: list[float] = []
    with pytest.raises(TimeoutError):
        wait_until(
            "x",
            _looks(["a"]),
            timeout_seconds=5,
            say=print,
            interval_seconds=2,
            clock=a_clock(slept.append),
        )
    assert slept == [2, 2, 1]


def test_by_itself_a_wait_shows_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    wait_until("x", _looks(["a"], ConnectionResetError("reset"), []), timeout_seconds=60)
    assert capsys.readouterr() == ("", "x: no answer: reset; 59 s left\n")


def test_nothing_is_told_while_what_is_there_is_only_confirmed() -> None:
    said: list[str] = []
    looks = _looks([])
    wait_until("x", looks, timeout_seconds=99, say=said.append, confirmations=70, clock=a_clock())
    assert said == []
