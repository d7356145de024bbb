"""A Docker engine on a unix socket: what of its API this program asks, with the real framing.

Not played: API versions, streams that last, and whatever a container does. A test of the engine
against real Docker stands beside it (tests/engine/test_rancher_server.py).
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


@dataclass
class DockerDouble:
    """What the engine has, and what it was asked."""

    socket: Path
    containers: list[dict[str, Any]] = field(default_factory=list)
    """As `inspect` tells them, with Id and Name."""
    output: bytes = b""
    """What every command inside a container prints."""
    errors: bytes = b""
    status: int = 0
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: str) -> tuple[int, Any]:
        """Status and content; bytes are a stream that ends with the connection."""
        self.asked.append(f"{method} {path}")
        match [method, *path.strip("/").split("/")]:
            case ["GET", "version"]:
                return 200, {"Version": "27.1.1", "Components": [{"Name": "Engine"}]}
            case ["GET", "info"]:
                return 200, {"MemTotal": 5, "DockerRootDir": "/data", "OSType": "linux"}
            case ["GET", "containers", "json"]:
                return 200, self._listed("filters" in query)
            case ["POST", "exec", _, "start"]:
                return 200, _frame(1, self.output) + _frame(2, self.errors)
            case ["GET", "exec", _, "json"]:
                return 200, {"ExitCode": self.status}
            case [_, "containers", name, *rest] if found := self._found(name):
                return self._about(method, found, rest)
            case _:
                return 404, {"message": f"No such container: {path}"}

    def _listed(self, is_by_name: bool) -> list[dict[str, Any]]:
        gone = [] if is_by_name else [{"Id": "gone-since"}]
        return [
            {"Id": e["Id"], "Labels": e["Config"].get("Labels")} for e in self.containers
        ] + gone

    def _found(self, name: str) -> dict[str, Any] | None:
        return next((e for e in self.containers if name in (e["Id"], e["Name"][1:])), None)

    def _about(self, method: str, found: dict[str, Any], rest: list[str]) -> tuple[int, Any]:
        if method == "DELETE":
            self.containers.remove(found)
            return 204, None
        if rest == ["stop"]:
            return 304, None
        return (201, {"Id": "e1"}) if rest == ["exec"] else (200, found)


def _frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@contextmanager
def docker_double(folder: Path) -> Iterator[DockerDouble]:
    """A running one, with its socket in the folder."""
    double = DockerDouble(folder / "docker.sock")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out whole

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            status, content = double.answer(self.command, parts.path, parts.query)
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
