"""Connections to the stand-in: the TLS greeting, reading requests, sending answers."""

import json
import socket
import ssl
import sys
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, cast
from urllib.parse import parse_qsl, urlsplit

from . import answers
from .answers import Answer
from .context import Request
from .faults import Faults
from .log import log

_HEADER = "X-Lab-Stand-In"
_HANDSHAKE_SECONDS = 10.0
_IDLE_SECONDS = 60.0


class _Answering(Protocol):
    def answer(self, request: Request) -> Answer: ...


class Served(Protocol):
    """What connections are made for."""

    faults: Faults

    @property
    def api(self) -> _Answering:
        """What answers requests."""
        ...

    @property
    def https_port(self) -> int:
        """The port that HTTPS listens on."""
        ...

    def tls_context(self, connection: socket.socket) -> ssl.SSLContext:
        """The context for one new connection."""
        ...

    def tracking(self, connection: socket.socket) -> AbstractContextManager[None]:
        """Know a connection while it is open."""
        ...

    def saw_host(self, host: str, own: socket.socket) -> None:
        """A client used this name or address as Host."""
        ...

    def swap_ca(self) -> None:
        """Replace the CA."""
        ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], stand_in: Served, handler: type[BaseHTTPRequestHandler]
    ) -> None:
        self.stand_in = stand_in
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Clients that go away or refuse the certificate are no news."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log(f"unexpected: {error!r}")


class TlsServer(_Server):
    def __init__(self, address: tuple[str, int], stand_in: Served) -> None:
        super().__init__(address, stand_in, _ApiHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        """Greet in the connection's own thread, so that a silent client holds up nobody."""
        plain = cast(socket.socket, request)
        plain.settimeout(_HANDSHAKE_SECONDS)
        context = self.stand_in.tls_context(plain)
        with context.wrap_socket(plain, server_side=True) as secured:
            secured.settimeout(_IDLE_SECONDS)
            with self.stand_in.tracking(secured):
                super().finish_request(secured, client_address)  # type: ignore[arg-type]


class PlainServer(_Server):
    def __init__(self, address: tuple[str, int], stand_in: Served) -> None:
        super().__init__(address, stand_in, _PlainHandler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out whole and at once, as Go's server sends it: in parts, each would wait for
    # the client to acknowledge the one before.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing by default: a request line can hold a registration token."""

    def send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header(_HEADER, "rancher")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)


class _ApiHandler(_Handler):
    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        stand_in = cast(_Server, self.server).stand_in
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=split.path,
            query=dict(parse_qsl(split.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            content=self.rfile.read(length),
        )
        if request.path == "/lab/faults":
            self.send(_change_faults(stand_in.faults, request))
            return
        answer = self._answer(stand_in, request)
        if answer is answers.NONE:
            self.close_connection = True
            return
        stand_in.saw_host(self.headers.get("Host") or "", self.connection)
        shown = "/v3/import/…" if request.path.startswith("/v3/import/") else request.path
        log(f"{request.method} {shown} {answer.status}")
        self.send(answer)

    def _answer(self, stand_in: Served, request: Request) -> Answer:
        """The answer, or what a fault makes of it; NONE closes the connection without one."""
        faults = stand_in.faults
        if faults.take("swap_ca") and faults.swap_ca == 0:
            stand_in.swap_ca()
            return answers.NONE
        if faults.take("drop"):
            return answers.NONE
        if faults.take("not_found"):
            return answers.no_such_path()
        if request.path == "/ping" and faults.take("ping_flaps") and faults.ping_flaps % 2 == 0:
            return answers.text("service unavailable\n", 503)
        if faults.take("errors"):
            return answers.text("service unavailable\n", 503)
        answer = stand_in.api.answer(request)
        if faults.take("errors_after"):
            return answers.text("service unavailable\n", 503)
        return answer


class _PlainHandler(_ApiHandler):
    """Without TLS: answers behind a proxy that says it ended TLS, and sends others over to HTTPS.

    Source: dynamiclistener 0.4.0, redirect.go.
    """

    def do_GET(self) -> None:
        if self.headers.get("X-Forwarded-Proto") == "https" or self.path.startswith("/ping"):
            self._serve()
        elif self.command != "GET":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send(answers.text("Use HTTPS\n", 400))
        else:
            host = (self.headers.get("Host") or "localhost").rsplit(":", 1)[0]
            self.send(Answer(302, headers={"Location": f"https://{host}{self.path}"}))

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815


def _change_faults(faults: Faults, request: Request) -> Answer:
    if request.method == "POST":
        try:
            faults.change(request.body())
        except ValueError as problem:
            return answers.error(422, "InvalidBodyContent", str(problem))
    return Answer(200, json.dumps(faults.as_json()).encode())
