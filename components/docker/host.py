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

_TIMEOUT_SECONDS = 60.0
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


def run_on_host(
    docker_host: str, host_key: str | None, script: str, arguments: Sequence[str]
) -> str:
    """Standard output of a shell script on Docker's host: this machine for a local socket.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        script: The script's text, for `sh -s`.
        arguments: Its arguments.

    Raises RuntimeError naming the host, with what was said.
    """
    words = ["sh", "-s", "--", *arguments]
    where, command = f"{docker_host}: this machine", words
    if docker_host.startswith("ssh://"):
        where, command = docker_host, [*ssh_command(docker_host, host_key), shlex.join(words)]
    try:
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"{where}: sh -s could not be run: {error}") from None
    if done.returncode != 0:
        raise RuntimeError(
            f"{where}: sh -s failed with exit status {done.returncode}: {done.stderr.strip()}"
        )
    return done.stdout


def ssh_command(docker_host: str, host_key: str | None) -> list[str]:
    """The words of an ssh to an ssh:// host, to which the command there is added.

    Raises RuntimeError naming the host when this machine's ssh can't pin its key.
    """
    problem = _own_ssh_problem()
    if problem is not None:
        raise RuntimeError(f"{docker_host}: {problem}")
    parts = urlsplit(docker_host)
    user = [] if parts.username is None else ["-l", parts.username]
    port = [] if parts.port is None else ["-p", str(parts.port)]
    return ["ssh", *ssh_options(docker_host, host_key), *user, *port, str(parts.hostname)]
