"""The parts of the lab's command stand-in that decide without Pulumi's engine or a host."""

import pytest

from lab.programs.command_stand_in.inputs import check, schema
from lab.programs.command_stand_in.quoting import quoted
from lab.programs.command_stand_in.remote_command import replaces
from lab.programs.plugin_base.values import UNKNOWN, Properties, Secret, plain

CONNECTION: Properties = {"host": "10.0.0.1", "privateKey": "key"}


def test_the_check_fills_in_defaults_and_marks_the_connection_secret() -> None:
    inputs, failures = check({"connection": CONNECTION})
    assert failures == []
    assert inputs["connection"] == Secret(
        {
            "host": "10.0.0.1",
            "privateKey": Secret("key"),
            "user": "root",
            "port": 22.0,
            "dialErrorLimit": 10.0,
            "perDialTimeout": 15.0,
        }
    )


def test_a_jump_host_gets_its_own_defaults() -> None:
    connection: Properties = {**CONNECTION, "proxy": {"host": "10.0.0.9", "port": 2222.0}}
    inputs, failures = check({"connection": connection})
    assert failures == []
    checked = plain(inputs["connection"])
    assert isinstance(checked, dict)
    proxy = checked["proxy"]
    assert isinstance(proxy, dict)
    assert (proxy["user"], proxy["port"]) == ("root", 2222.0)


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({}, "connection"),
        ({"connection": {}}, "connection.host"),
        ({"connection": {**CONNECTION, "port": "22"}}, "connection.port"),
        ({"connection": Secret({**CONNECTION, "proxy": {}})}, "connection.proxy.host"),
        ({"connection": CONNECTION, "create": True}, "create"),
        ({"connection": CONNECTION, "environment": {"A": 1.0}}, "environment.A"),
        ({"connection": CONNECTION, "logging": "some"}, "logging"),
        ({"connection": CONNECTION, "nonsense": "x"}, "nonsense"),
    ],
)
def test_the_check_names_what_is_wrong(inputs: Properties, path: str) -> None:
    assert [failure.path for failure in check(inputs)[1]] == [path]


def test_the_check_accepts_what_a_preview_does_not_know() -> None:
    unknown: list[Properties] = [
        {"connection": UNKNOWN, "stdin": UNKNOWN},
        {"connection": {**CONNECTION, "host": UNKNOWN}, "environment": {"A": UNKNOWN}},
    ]
    assert [check(inputs)[1] for inputs in unknown] == [[], []]


def test_only_triggers_as_a_whole_replace() -> None:
    assert replaces("triggers")
    assert not replaces("triggers[0]")
    assert not replaces("stdin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ä", '"plain ä"'),
        ('a "quoted" \\ word', '"a \\"quoted\\" \\\\ word"'),
        ("line\n\ttab\r", '"line\\n\\ttab\\r"'),
        ("\x01\x7f", '"\\x01\\x7f"'),
        ("\u200b\U000e0001", '"\\u200b\\U000e0001"'),
    ],
)
def test_commands_are_quoted_as_in_go(text: str, expected: str) -> None:
    assert quoted(text) == expected


def test_the_schema_names_what_is_secret_and_what_replaces() -> None:
    inputs = schema()["inputProperties"]
    assert isinstance(inputs, dict)
    assert inputs["connection"]["secret"]
    assert inputs["triggers"]["replaceOnChanges"]
