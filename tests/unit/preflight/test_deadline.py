"""A preview waits for an answer only so long, and goes on without one."""

import threading

import pulumi

from components.cluster.api import ApiError
from components.preflight.deadline import asking


def test_an_answer_in_time_counts() -> None:
    assert asking(30.0, lambda: "yes", str)() == "yes"


def test_who_is_asked_knows_the_configuration_of_the_stack() -> None:
    pulumi.runtime.set_all_config({"a:key": "value"})
    assert asking(30.0, lambda: pulumi.Config("a").get("key"), str)() == "value"


def test_without_an_answer_the_reason_counts_in_one_line() -> None:
    def refused() -> str:
        raise RuntimeError("no\nand why")

    assert asking(30.0, refused, str)() == "no and why"


def test_a_refusal_is_told_in_the_api_servers_own_words() -> None:
    def refused() -> str:
        body = '{"kind":"Status","message":"nodes is forbidden: User \\"ci\\" cannot list them"}'
        raise ApiError(
            403, "(403)\nReason: Forbidden\nHTTP response", reason="Forbidden", body=body
        )

    told = asking(30.0, refused, str)()
    assert told == 'HTTP 403 Forbidden: nodes is forbidden: User "ci" cannot list them'


def test_an_answer_that_comes_too_late_does_not_count() -> None:
    over = threading.Event()
    answer = asking(0.0, lambda: str(over.wait()), str)
    assert answer() == "no answer within 0 s"
    over.set()
