"""A script on a Docker host over SSH: the pinned key decides, and the script goes in on stdin."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.docker.host import run_on_host
from tests.unit.doubles.a_stack import HOST_KEY
from tests.unit.doubles.an_ssh_server import Server, needs_ssh_agent, ssh_server, trusted_agent

_SCRIPT = "echo 'one'\necho two\n"

pytestmark = needs_ssh_agent


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A host whose key an agent holds."""
    with ssh_server(answer=b"said\n") as made, trusted_agent(made, tmp_path / "agent", monkeypatch):
        yield made


def test_the_script_goes_in_on_stdin_and_its_arguments_stay_whole(server: Server) -> None:
    assert run_on_host(server.url, server.host_key, _SCRIPT, ["80", "a folder"]) == "said\n"
    (asked,) = server.asked
    assert asked.user == "operator"
    assert asked.command == "sh -s -- 80 'a folder'"
    assert asked.stdin == _SCRIPT


def test_a_host_with_another_key_is_asked_nothing(server: Server) -> None:
    with pytest.raises(RuntimeError, match="Host key verification failed"):
        run_on_host(server.url, HOST_KEY, _SCRIPT, [])
    assert server.asked == []


def test_a_script_that_fails_is_told_with_the_host_and_its_own_words(server: Server) -> None:
    server.status, server.complaint = 4, b"docker: not found\n"
    with pytest.raises(RuntimeError, match="exit status 4: docker: not found"):
        run_on_host(server.url, server.host_key, _SCRIPT, [])
