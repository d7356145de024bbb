"""A command inside a container."""

import struct
from collections.abc import Sequence

import httpx

from components.docker.api import docker_api

_FRAME = struct.Struct(">BxxxL")


def run_in_container(
    docker_host: str, host_key: str | None, container: str, command: Sequence[str]
) -> str:
    """Standard output of a command inside a container.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        container: Name of the container.
        command: The command's words.

    Raises RuntimeError naming host and container, with what was said.
    """
    problem = f"container {container}: the Docker engine did not run {command[0]}"
    remedy = "Look at the container, and at rancher.dockerHost."
    with docker_api(docker_host, host_key, problem, remedy) as api:
        return run_over(api, docker_host, container, command)


def run_over(api: httpx.Client, docker_host: str, container: str, command: Sequence[str]) -> str:
    """The same over a connection that is there already.

    Args:
        api: What `docker_api` gave, which names the Docker host where it does not answer.
        docker_host: The Docker host, for messages.
        container: Name of the container.
        command: The command's words.

    Raises RuntimeError naming host and container, with what was said.
    """
    wanted = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)}
    run = "/exec/" + api.post(f"/containers/{container}/exec", json=wanted).json()["Id"]
    answer = api.post(f"{run}/start", json={"Detach": False, "Tty": False}).content
    code = api.get(f"{run}/json").json()["ExitCode"]
    output, errors = _streams(answer)
    if code != 0:
        said = errors.strip() or output.strip()
        raise RuntimeError(f"{docker_host}, container {container}: exit status {code}: {said}")
    return output


def _streams(answer: bytes) -> tuple[str, str]:
    """Standard output and error out of Docker's framing: kind, three zeros, length, payload."""
    kinds = {1: b"", 2: b""}
    position = 0
    while position + _FRAME.size <= len(answer):
        kind, length = _FRAME.unpack_from(answer, position)
        position += _FRAME.size + length
        kinds[kind] = kinds.get(kind, b"") + answer[position - length : position]
    return kinds[1].decode(errors="replace"), kinds[2].decode(errors="replace")
