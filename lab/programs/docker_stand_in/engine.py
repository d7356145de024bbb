"""The Docker engine that the provider's settings name, as the resources use it."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from docker import APIClient
from docker.errors import APIError, DockerException
from requests.exceptions import ConnectionError as BrokenConnectionError
from requests.exceptions import RequestException

from lab.programs.docker_stand_in.ssh_transport import SshAdapter, ssh_command
from lab.programs.plugin_base.kind import PluginError
from lab.programs.plugin_base.values import Properties, plain_properties

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_PATIENCE = 120
# Any that every Docker engine of today knows; the client asks for its own before it is used.
_VERSION_OF_THE_QUESTION = "1.40"

Result = TypeVar("Result")
Work = Callable[[APIClient], Result]

Errors = (DockerException, RequestException)
"""Whatever keeps the Docker engine from doing something."""


class Engine:
    """One Docker engine; a client is made when it is first needed."""

    def __init__(self) -> None:
        self._host = _DEFAULT_HOST
        self._ssh_options: Sequence[str] = ()
        self._client: APIClient | None = None
        self._lock = threading.Lock()

    def configure(self, settings: Properties) -> None:
        """Take the provider's inputs; those that are no text arrive as JSON."""
        known = cast(dict[str, Any], plain_properties(settings))
        self._host = known.get("host") or os.environ.get("DOCKER_HOST") or _DEFAULT_HOST
        options = known.get("sshOpts") or []
        self._ssh_options = json.loads(options) if isinstance(options, str) else options
        self._client = None

    async def greet(self) -> None:
        """Make sure that Docker answers where it is not reached by ssh. Raises PluginError."""
        if self._host.startswith("ssh://"):
            return
        try:
            await asyncio.to_thread(self._connected)
        except PluginError as error:
            text = (
                "docker native provider returned an unexpected error from Configure: "
                "failed to connect to any docker daemon"
            )
            raise PluginError(text) from error

    async def run(self, work: Work[Result], during: str = "") -> Result:
        """Do something with the client, beside whatever else runs.

        Args:
            during: what stands before the text of an error, such as "deleting URN".

        Raises PluginError in the real plugin's form.
        """
        try:
            return await asyncio.to_thread(lambda: work(self._connected()))
        except PluginError as error:
            raise PluginError(_listed(str(error), during)) from error

    def _connected(self) -> APIClient:
        with self._lock:
            if self._client is None:
                self._client = _client(self._host, self._ssh_options)
            return self._client


def said(error: Exception) -> str:
    """What an error says, in the words of Docker's own client."""
    if isinstance(error, APIError) and error.explanation:
        return f"Error response from daemon: {str(error.explanation).strip()}"
    return str(error)


def _client(host: str, ssh_options: Sequence[str]) -> APIClient:
    try:
        version = _made(host, ssh_options, _VERSION_OF_THE_QUESTION).version(api_version=False)
        return _made(host, ssh_options, version["ApiVersion"])
    except Errors as error:
        raise PluginError(
            "failed to create Docker client: Error pinging Docker server, please make sure that "
            f"{host} is reachable and has a  '_ping' endpoint. Error: {_unreachable(host, error)}"
        ) from error


def _unreachable(host: str, error: Exception) -> str:
    if not isinstance(error, BrokenConnectionError):
        return said(error)
    if host.startswith("ssh://"):
        return f'error during connect: Head "http://docker.example.com/_ping": {error}'
    return f"Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"


def _made(host: str, ssh_options: Sequence[str], version: str) -> APIClient:
    if not host.startswith("ssh://"):
        return APIClient(host, version=version, timeout=_PATIENCE)
    client = APIClient("unix:///ssh", version=version, timeout=_PATIENCE)
    client.mount("http+docker://", SshAdapter(ssh_command(host, ssh_options), _PATIENCE))
    return client


def _listed(text: str, during: str) -> str:
    listed = f"1 error occurred:\n\t* {text}\n\n"
    return f"{during}: {listed}" if during else listed
