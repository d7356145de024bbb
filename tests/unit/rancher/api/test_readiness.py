"""When Rancher counts as up."""

import itertools
from collections.abc import Iterable

import pytest

from components.common.waiting import Clock
from components.rancher.api.errors import NotReadyError
from components.rancher.api.readiness import wait_until_up
from components.rancher.api.transport import Answer
from components.rancher.api.trouble import Trouble

URL = "https://rancher.example.com"
PONG = Answer(200, {}, "pong\n", {})
AWAY = Trouble("HTTP 503", "server-error")


class Rancher:
    """Answers one after the other, a second apart."""

    def __init__(self, answers: Iterable[Answer | Trouble]) -> None:
        self._answers = iter(answers)
        self.asked = 0
        self.now = 0.0
        self.said: list[str] = []

    def ping(self) -> Answer | Trouble:
        self.asked += 1
        return next(self._answers)

    def wait(self, seconds: float = 60.0) -> None:
        wait_until_up(
            self.ping,
            url=URL,
            timeout_seconds=seconds,
            say=self.said.append,
            clock=Clock(now=lambda: self.now, sleep=self._sleep),
        )

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_it_takes_three_pongs_in_a_row() -> None:
    rancher = Rancher([PONG, PONG, PONG])
    rancher.wait()
    assert rancher.asked == 3
    assert rancher.said == []


def test_a_failure_between_pongs_starts_the_count_again_and_is_told() -> None:
    rancher = Rancher([AWAY, PONG, PONG, AWAY, PONG, AWAY, PONG, PONG, PONG])
    rancher.wait()
    assert rancher.asked == 9
    assert len(rancher.said) == 2
    assert "HTTP 503" in rancher.said[0]
    assert "it was there, and is gone again" in rancher.said[0]


def test_progress_is_told_every_now_and_then_with_the_time_that_is_left() -> None:
    rancher = Rancher([*[AWAY] * 40, PONG, PONG, PONG])
    rancher.wait()
    assert len(rancher.said) == 1
    assert "55 s left" in rancher.said[0]


def test_one_that_flaps_for_ever_is_given_up_at_the_deadline_with_the_last_trouble() -> None:
    rancher = Rancher(itertools.cycle([PONG, PONG, AWAY]))
    with pytest.raises(NotReadyError, match=r"within 30 s .*3 times in a row.*HTTP 503") as caught:
        rancher.wait(30.0)
    assert caught.value.reason == "server-error"
    assert rancher.now == 30.0


def test_something_else_that_answers_is_refused_at_once() -> None:
    rancher = Rancher([Answer(200, {}, "<html>", {})])
    with pytest.raises(NotReadyError, match="is no Rancher"):
        rancher.wait()
    assert rancher.asked == 1
