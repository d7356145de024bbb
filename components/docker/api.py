"""The API of a Docker engine: over its socket on this machine, or over SSH on another.

Over SSH the host's own docker command carries the API on its standard input and output (`docker
system dial-stdio`, Docker 18.09 or later), so every question is asked in one way. Pulumi's Docker
provider reaches such a host in the same way and needs nothing else there.
"""

import http.client
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import httpx

from components.docker.host import ssh_command

_PATIENCE = 60.0
_ENDING_SECONDS = 5.0
_COMMAND = "docker system dial-stdio"
_SSH_FAILED = 255


@contextmanager
def docker_api(
    docker_host: str, host_key: str | None, problem: str, remedy: str, patience: float = _PATIENCE
) -> Generator[httpx.Client]:
    """A client of the API, for one purpose.

    Args:
        docker_host: unix:///path or ssh://user@host[:port].
        host_key: SSH host key of an ssh:// host.
        problem: What it means for the purpose when the Docker engine can't be asked, or refuses.
        remedy: What a person is to do then.
        patience: Seconds for which the Docker engine may be silent.

    Raises RuntimeError naming the host, with problem, cause and remedy.
    """
    if docker_host.startswith("ssh://"):
        transport = _SshTransport(ssh_command(docker_host, host_key), patience)
    else:
        transport = httpx.HTTPTransport(uds=docker_host.removeprefix("unix://"))
    hooks = {"response": [_raise_refusal]}
    try:
        with httpx.Client(
            transport=transport,
            base_url="http://docker",
            timeout=patience,
            event_hooks=hooks,
        ) as client:
            yield client
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise RuntimeError(
            f"rancher.dockerHost {docker_host}: {problem}: {error}. {remedy}"
        ) from None


def _raise_refusal(answer: httpx.Response) -> None:
    """An answer that refuses is an HTTPStatusError with Docker's own words."""
    if answer.is_error:
        answer.read()
        said = f"{answer.status_code} {answer.reason_phrase}: {answer.text.strip()}"
        raise httpx.HTTPStatusError(said, request=answer.request, response=answer)


class _Channel(http.client.HTTPConnection):
    """One run of ssh whose standard input and output are the connection."""

    def __init__(self, ssh: list[str], patience: float) -> None:
        super().__init__("docker", timeout=patience)
        self._words = [*ssh, _COMMAND]
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        # A file: a pipe that nobody reads can fill up and stop the ssh.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the ssh runs
        self.sock, its = socket.socketpair()
        self.sock.settimeout(self.timeout)
        with its:
            end = its.fileno()
            self._process = subprocess.Popen(
                self._words, stdin=end, stdout=end, stderr=self._errors
            )

    def end(self) -> tuple[int, str]:
        """Status and errors of the ssh, which ends by itself once nobody speaks to it."""
        self.close()
        if self._process is None:
            return 0, ""
        try:
            status = self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._errors.seek(0)
        return status, self._errors.read().decode(errors="replace").strip()


class _SshTransport(httpx.BaseTransport):
    def __init__(self, ssh: list[str], patience: float) -> None:
        self._channel = _Channel(ssh, patience)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, headers = request.url.raw_path.decode(), dict(request.headers)
        try:
            self._channel.request(request.method, path, request.read(), headers)
            answer = self._channel.getresponse()
            content = answer.read()
            # Where its end is the connection's own, an answer that broke off looks complete.
            if answer.will_close and self._channel.end()[0] != 0:
                raise http.client.IncompleteRead(content)
        except (OSError, http.client.HTTPException) as error:
            raise httpx.ReadError(_problem(error, *self._channel.end())) from None
        return httpx.Response(answer.status, headers=answer.getheaders(), content=content)

    def close(self) -> None:
        self._channel.end()


def _problem(error: Exception, status: int, said: str) -> str:
    """Why the API could not be reached, with the remedy where the host has answered ssh."""
    if status == _SSH_FAILED or isinstance(error, TimeoutError):
        return f"ssh: {said or error}"
    return (
        f"`{_COMMAND}` on the host ended with exit status {status}: {said or error}. The user "
        "needs Docker's own docker command there (18.09 or later, not Podman's), the right to use "
        "it, an SSH key that allows any command, and a login shell that prints nothing"
    )
