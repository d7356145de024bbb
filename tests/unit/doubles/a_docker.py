"""A Docker engine on a unix socket: what of its API this program asks, with the real framing.

Not played: API versions, streams that last, and whatever a container does. A test of the engine
against real Docker stands beside it (tests/engine/test_rancher_server.py), and one of what Docker
says of containers that do not run (tests/engine/test_lab_docker.py).
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import urlsplit

from components.common.owner import MARK

OWNER = "project/stack"
"""The stack that has made a container, as one of a test calls itself."""
_NEVER, _ENDED = "0001-01-01T00:00:00Z", "2024-05-02T10:00:00.123456789Z"


def container(name: str, status: str = "running", **state: Any) -> dict[str, Any]:
    """A container as `inspect` tells it; one that runs is healthy.

    Args:
        name: Its name, which is its id, too.
        status: Docker's own word.
        state: More of its State.
    """
    running = status in ("running", "paused", "restarting")
    told = {
        "Status": status,
        "Running": running,
        "ExitCode": 0,
        "Error": "",
        "FinishedAt": _NEVER if running or status == "created" else _ENDED,
        "Health": {"Status": "healthy" if running else "unhealthy", "Log": []},
    }
    return {
        "Id": name,
        "Name": f"/{name}",
        "Config": {"Labels": {MARK: OWNER}},
        "Created": "2024-05-01T10:00:00.123456789Z",
        "State": {**told, **state},
    }


@dataclass
class DockerDouble:
    """What the engine has, and what it was asked."""

    socket: Path
    containers: list[dict[str, Any]] = field(default_factory=list)
    """As `inspect` tells them, with Id and Name."""
    output: bytes = b""
    """What every command inside a container prints that `outputs` does not have."""
    outputs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The same by the command's first word."""
    errors: bytes = b""
    status: int = 0
    unstartable: str = ""
    """Why no container can be started, in Docker's words."""
    asked: list[str] = field(default_factory=list)
    connections: int = 0

    def become_healthy(self) -> None:
        """What a moment does to containers that start."""
        for each in self.containers:
            health = each["State"].get("Health") or {}
            if health.get("Status") == "starting":
                health["Status"] = "healthy"

    def named(self, name: str) -> dict[str, Any]:
        """The State of the container of that name."""
        return next(each["State"] for each in self.containers if each["Name"] == f"/{name}")

    def answer(self, method: str, path: str, query: str, asked: Any = None) -> tuple[int, Any]:
        """Status and content; bytes are a stream that ends with the connection."""
        self.asked.append(f"{method} {path}")
        match [method, *path.strip("/").split("/")]:
            case ["GET", "version"]:
                return 200, {"Version": "27.1.1", "Components": [{"Name": "Engine"}]}
            case ["GET", "info"]:
                return 200, {"MemTotal": 5, "DockerRootDir": "/data", "OSType": "linux"}
            case ["GET", "containers", "json"]:
                return 200, self._listed("filters" in query)
            case ["POST", "exec", word, "start"]:
                printed = self.outputs.get(word, self.output)
                return 200, _frame(1, printed) + _frame(2, self.errors)
            case ["GET", "exec", _, "json"]:
                return 200, {"ExitCode": self.status}
            case [_, "containers", name, *rest] if found := self._found(name):
                return self._about(method, found, rest, asked)
            case _:
                return 404, {"message": f"No such container: {path}"}

    def _listed(self, is_by_name: bool) -> list[dict[str, Any]]:
        gone = [] if is_by_name else [{"Id": "gone-since"}]
        return [
            {"Id": e["Id"], "Labels": e["Config"].get("Labels")} for e in self.containers
        ] + gone

    def _found(self, name: str) -> dict[str, Any] | None:
        return next((e for e in self.containers if name in (e["Id"], e["Name"][1:])), None)

    def _about(
        self, method: str, found: dict[str, Any], rest: list[str], asked: Any
    ) -> tuple[int, Any]:
        if method == "DELETE":
            self.containers.remove(found)
            return 204, None
        match rest:
            case ["stop"]:
                return 304, None
            case ["start"]:
                return self._start(found["State"])
            case ["unpause"]:
                return _unpause(found["State"])
            case ["exec"]:
                return _exec(found["State"], asked)
            case _:
                return 200, found

    def _start(self, state: dict[str, Any]) -> tuple[int, Any]:
        # moby, daemon/start.go and container/state.go (SetRunning, SetError).
        if state["Status"] == "paused":
            return 409, {"message": "cannot start a paused container, try unpause instead"}
        if state["Status"] == "dead":
            return 409, {"message": "container is marked for removal and cannot be started"}
        if state["Running"]:
            return 304, None
        if self.unstartable:
            state.update(Status="exited", ExitCode=128, Error=self.unstartable)
            return 500, {"message": self.unstartable}
        state.update(Status="running", Running=True, ExitCode=0, Error="")
        if state.get("Health"):
            state["Health"] = {"Status": "starting", "Log": []}
        return 204, None


def _unpause(state: dict[str, Any]) -> tuple[int, Any]:
    if state["Status"] != "paused":
        return 500, {"message": "Container is not paused"}
    state.update(Status="running")
    return 204, None


def _exec(state: dict[str, Any], asked: Any) -> tuple[int, Any]:
    status = state.get("Status") or ("running" if state["Running"] else "exited")
    if status != "running":
        return 409, {"message": f"the container is {status}"}
    # An id that tells what is run, so that nothing has to be kept.
    return 201, {"Id": asked["Cmd"][0]}


def _frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@contextmanager
def docker_double(folder: Path) -> Iterator[DockerDouble]:
    """A running one, with its socket in the folder."""
    double = DockerDouble(folder / "docker.sock")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out whole

        def setup(self) -> None:
            double.connections += 1
            super().setup()

        def _any(self) -> None:
            given = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            asked = json.loads(given) if given else None
            status, content = double.answer(self.command, parts.path, parts.query, asked)
            self.send_response(status)
            if isinstance(content, bytes):
                body, self.close_connection = content, True
            else:
                body = b"" if content is None else json.dumps(content).encode()
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815  names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingUnixStreamServer(str(double.socket), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()
