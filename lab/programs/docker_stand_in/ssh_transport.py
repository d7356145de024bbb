"""The Docker engine of another machine: every connection is one run of this machine's ssh.

The host's own docker command carries the API, and the options are those that the program gives,
as Docker's command line and the real plugin do it. The client library has a way of its own that
takes no options.
Source: docker/cli 28.5.2, cli/connhelper.
"""

import shlex
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO, Any
from urllib.parse import urlsplit

from docker.transport.unixconn import (
    UnixHTTPAdapter,
    UnixHTTPConnection,
    UnixHTTPConnectionPool,
)
from requests import PreparedRequest, Response
from requests.exceptions import ConnectionError as BrokenConnectionError

_REMOTE_COMMAND = "docker system dial-stdio"
_ENDING_SECONDS = 10.0


def ssh_command(host: str, options: Sequence[str]) -> list[str]:
    """The words of the ssh that reaches ssh://user@host[:port]. Pure."""
    parts = urlsplit(host)
    user = ["-l", shlex.quote(parts.username)] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    timeout = [] if "ConnectTimeout" in "".join(options) else ["-o ConnectTimeout=30"]
    terminal = [] if "-T" in options else ["-T"]
    words = [*user, *port, *options, *timeout, *terminal]
    return ["ssh", *words, "--", str(parts.hostname), _REMOTE_COMMAND]


class SshAdapter(UnixHTTPAdapter):
    """Carries the client's requests."""

    def __init__(self, command: Sequence[str], timeout: int) -> None:
        super().__init__("http+unix:///", timeout)
        self._runs: list[_Run] = []
        self._pool = _Pool(command, self._runs, timeout)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        try:
            return super().send(request, *args, **kwargs)
        except BrokenConnectionError as error:
            problem = self._runs[-1].problem() if self._runs else None
            raise BrokenConnectionError(problem or str(error)) from error

    def get_connection(self, url: Any, proxies: Any = None) -> UnixHTTPConnectionPool:
        del url, proxies
        return self._pool


class _Run:
    """One ssh, whose standard input and output are the connection."""

    def __init__(self, command: Sequence[str], end: socket.socket) -> None:
        self._command = command
        # A file: a pipe that nobody reads can fill up and stop the ssh.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives with the ssh
        self._process = subprocess.Popen(
            command, stdin=end.fileno(), stdout=end.fileno(), stderr=self._errors
        )

    def problem(self) -> str | None:
        """Why it ended, in the words of Docker's command line; None where it ended well."""
        try:
            status = self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status == 0:
            return None
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        return (
            f"command [{' '.join(self._command)}] has exited with exit status {status}, make sure "
            "the URL is valid, and Docker 18.09 or later is installed on the remote host: "
            f"stderr={said}"
        )


class _Pool(UnixHTTPConnectionPool):
    def __init__(self, command: Sequence[str], runs: list[_Run], timeout: int) -> None:
        super().__init__("http+unix://docker", "", timeout)
        self._command, self._runs, self._seconds = command, runs, timeout

    def _new_conn(self) -> Any:
        return _Connection(self._command, self._runs, self._seconds)


class _Connection(UnixHTTPConnection):
    def __init__(self, command: Sequence[str], runs: list[_Run], timeout: int) -> None:
        super().__init__("http+unix://docker", "", timeout)
        self._command, self._runs = command, runs

    def connect(self) -> None:
        self.sock, its = socket.socketpair()
        self.sock.settimeout(self.timeout)
        with its:
            self._runs.append(_Run(self._command, its))
