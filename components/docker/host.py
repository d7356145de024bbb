"""The host of the Docker engine: a command there, over a channel that is already trusted.

The local socket is trusted because the kernel guards it; an ssh:// host because its key is
pinned. Nothing here uses the network in any other way.
"""

import re
import shlex
import subprocess
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import httpx

_TIMEOUT_SECONDS = 60.0
_STREAM_HEADER_BYTES = 8
_OLDEST_SSH = (8, 5)


def ssh_options(docker_host: str, host_key: str | None) -> tuple[str, ...]:
    """Options for the ssh client that carries Docker's traffic; none for a local socket. Pure.

    The pinned key is handed over by a command that prints it (KnownHostsCommand, OpenSSH 8.5 or
    later), so no file is written and the machine's own known_hosts does not count.
    """
    if not docker_host.startswith("ssh://") or host_key is None:
        return ()
    kind, key = host_key.split()[:2]
    return (
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "UserKnownHostsFile=none",
        "-o",
        "GlobalKnownHostsFile=none",
        "-o",
        f"KnownHostsCommand=/bin/echo %H {kind} {key}",
        "-o",
        "BatchMode=yes",
    )


def ssh_problem(said: str) -> str | None:
    """Why this machine's ssh can't pin a host's key; None when it can. Pure.

    Args:
        said: What `ssh -V` prints; another program than OpenSSH is not judged.
    """
    match = re.match(r"OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)", said.strip())
    if match is None or tuple(map(int, match.groups())) >= _OLDEST_SSH:
        return None
    return (
        f"the ssh on this machine is {match.group(0).replace('_', ' ')}, and 8.5 is the oldest "
        "that takes a host's key from the stack file (KnownHostsCommand). Upgrade it."
    )


@cache
def _own_ssh_problem() -> str | None:
    try:
        done = subprocess.run(
            ["ssh", "-V"], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "there is no ssh on this machine that can be run. Install OpenSSH's client."
    return ssh_problem(done.stderr or done.stdout)


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
    if docker_host.startswith("ssh://"):
        return _over_ssh(docker_host, host_key, ["docker", "exec", container, *command])
    return _over_socket(docker_host, container, command)


def run_on_host(
    docker_host: str, host_key: str | None, script: str, arguments: Sequence[str]
) -> str:
    """Standard output of a shell script on the engine's host: this machine for a local socket.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        script: The script's text, for `sh -s`.
        arguments: Its arguments.

    Raises RuntimeError naming the host, with what was said.
    """
    words = ["sh", "-s", "--", *arguments]
    if docker_host.startswith("ssh://"):
        return _over_ssh(docker_host, host_key, words, script)
    return _run(f"{docker_host}: this machine", words, words, script)


def _over_ssh(
    docker_host: str, host_key: str | None, command: Sequence[str], script: str | None = None
) -> str:
    problem = _own_ssh_problem()
    if problem is not None:
        raise RuntimeError(f"{docker_host}: {problem}")
    parts = urlsplit(docker_host)
    user = [] if parts.username is None else ["-l", parts.username]
    port = [] if parts.port is None else ["-p", str(parts.port)]
    ssh = ["ssh", *ssh_options(docker_host, host_key), *user, *port, str(parts.hostname)]
    return _run(docker_host, command, [*ssh, shlex.join(command)], script)


def _run(
    where: str, command: Sequence[str], words: Sequence[str], script: str | None = None
) -> str:
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            # No text is an empty one, so nothing waits for a person.
            input=script or "",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"{where}: {' '.join(command[:3])} could not be run: {error}") from None
    if done.returncode != 0:
        raise RuntimeError(
            f"{where}: {' '.join(command[:3])} failed with exit status {done.returncode}: "
            f"{done.stderr.strip()}"
        )
    return done.stdout


def _over_socket(docker_host: str, container: str, command: Sequence[str]) -> str:
    socket = docker_host.removeprefix("unix://")
    transport = httpx.HTTPTransport(uds=socket)
    where = f"{docker_host}, container {container}"
    with httpx.Client(
        transport=transport, base_url="http://docker", timeout=_TIMEOUT_SECONDS
    ) as engine:
        try:
            made = engine.post(
                f"/containers/{container}/exec",
                json={"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)},
            )
            made.raise_for_status()
            identifier = made.json()["Id"]
            answer = engine.post(
                f"/exec/{identifier}/start", json={"Detach": False, "Tty": False}
            ).content
            code = engine.get(f"/exec/{identifier}/json").json()["ExitCode"]
        except (httpx.HTTPError, KeyError) as error:
            raise RuntimeError(f"{where}: the Docker engine did not run it: {error}") from None
    output, errors = _streams(answer)
    if code != 0:
        raise RuntimeError(f"{where}: exit status {code}: {errors.strip() or output.strip()}")
    return output


def _streams(answer: bytes) -> tuple[str, str]:
    """Standard output and error out of Docker's framing: kind, three zeros, length, payload."""
    kinds: dict[int, list[bytes]] = {1: [], 2: []}
    position = 0
    while position + _STREAM_HEADER_BYTES <= len(answer):
        kind = answer[position]
        length = int.from_bytes(answer[position + 4 : position + _STREAM_HEADER_BYTES], "big")
        position += _STREAM_HEADER_BYTES
        kinds.setdefault(kind, []).append(answer[position : position + length])
        position += length
    return b"".join(kinds[1]).decode(errors="replace"), b"".join(kinds[2]).decode(errors="replace")
