"""How the Docker host is reached: the pinned key and nothing else."""

import pytest

from components.docker.host import ssh_options
from tests.unit.doubles.a_stack import HOST_KEY, valid
from tests.unit.doubles.a_stack import run as run_program


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    assert set(options[::2]) == {"-o"}
    return dict(option.split("=", 1) for option in options[1::2])


def test_an_ssh_host_is_trusted_by_the_pinned_key_alone() -> None:
    options = _pairs(ssh_options("ssh://root@rancher", HOST_KEY))
    assert options["StrictHostKeyChecking"] == "yes"
    assert options["UserKnownHostsFile"] == "none"
    assert options["GlobalKnownHostsFile"] == "none"
    assert options["KnownHostsCommand"] == f"/bin/echo %H {HOST_KEY}"


def test_ssh_never_asks_a_person() -> None:
    assert _pairs(ssh_options("ssh://root@rancher", HOST_KEY))["BatchMode"] == "yes"


def test_a_comment_behind_the_key_is_left_out() -> None:
    options = _pairs(ssh_options("ssh://root@rancher", f"{HOST_KEY} root@rancher; reboot"))
    assert options["KnownHostsCommand"] == f"/bin/echo %H {HOST_KEY}"


@pytest.mark.parametrize("key", [None, HOST_KEY])
def test_a_local_socket_needs_no_ssh_options(key: str | None) -> None:
    assert ssh_options("unix:///var/run/docker.sock", key) == ()


def test_the_docker_provider_gets_the_pinned_key() -> None:
    rancher = {
        "url": "https://rancher.example.com",
        "dockerHost": "ssh://root@rancher",
        "dockerHostKey": HOST_KEY,
    }
    provider = run_program(valid(rancher=rancher)).named("docker-engine")
    assert provider.inputs["host"] == "ssh://root@rancher"
    assert HOST_KEY in str(provider.inputs["sshOpts"])


def test_the_docker_provider_of_a_local_socket_has_no_ssh_options() -> None:
    provider = run_program(valid()).named("docker-engine")
    assert provider.inputs["host"] == "unix:///var/run/docker.sock"
    assert "sshOpts" not in provider.inputs
