"""The stand-in on sockets: HTTPS, and HTTP that sends clients over to it."""

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from . import answers, state
from .answers import Answer
from .api import Api
from .certificates import Certificates, is_address
from .context import Context, Request
from .faults import Faults
from .options import Options

_HEADER = "X-Lab-Stand-In"
_HANDSHAKE_SECONDS = 10.0
_IDLE_SECONDS = 60.0


class StandIn:
    """One running stand-in. `host` and the ports say where it listens (port 0: any free one)."""

    def __init__(
        self,
        options: Options,
        faults: Faults | None = None,
        *,
        host: str = "0.0.0.0",  # noqa: S104  # a container's server listens on all its addresses
        https_port: int = 443,
        http_port: int | None = 80,
    ) -> None:
        self.faults = faults or Faults()
        self._options = options
        self.certificates = Certificates(options.data_directory / "tls", _own_addresses())
        remembered = state.load(options.data_directory / "state.json")
        self.context = Context(remembered, self.certificates, options, self.faults)
        self.api = Api(self.context)
        self._addresses = (host, https_port, http_port)
        self._servers: list[ThreadingHTTPServer] = []
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()

    @property
    def https_port(self) -> int:
        """The port that HTTPS listens on, once it does."""
        return int(self._servers[0].server_address[1])

    @property
    def http_port(self) -> int:
        """The port that plain HTTP listens on, once it does."""
        return int(self._servers[1].server_address[1])

    @property
    def ca_pem(self) -> str:
        """The CA that it serves with now."""
        return self.certificates.ca_pem

    def start(self) -> None:
        """Say what this is, make the first user, listen. Returns once it listens."""
        log("This is the lab's stand-in for Rancher: a test double, not Rancher.")
        log(f"It plays {self._options.version}; its state is in {self._options.data_directory}.")
        if self._options.start_seconds:
            log(f"Starting slowly on request: {self._options.start_seconds:.0f} s")
            time.sleep(self._options.start_seconds)
        generated = self.api.first_start()
        if generated is not None:
            log(f"Bootstrap Password: {generated}")
        host, https_port, http_port = self._addresses
        self._listen(_TlsServer((host, https_port), self))
        if http_port is not None:
            self._listen(_PlainServer((host, http_port), self))

    def stop(self) -> None:
        """Stop listening and close every connection; the state stays on disk."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.close_connections()

    def greet(self, tls_socket: ssl.SSLSocket, name: str | None) -> None:
        """Serve with a certificate that has the name asked for in the TLS greeting."""
        if name and self._may_add(name):
            self.certificates.add_name(name)
        tls_socket.context = self.certificates.context

    def saw_host(self, host: str, own: socket.socket) -> None:
        """Add an IP address that a client used as Host; other connections close, as in Rancher."""
        name = host.rsplit(":", 1)[0]
        if is_address(name) and self._may_add(name) and self.certificates.add_name(name):
            self.close_connections(keep=own)

    def tls_context(self) -> ssl.SSLContext:
        """The context for one new connection."""
        context = self.certificates.context
        context.sni_callback = lambda sock, name, _: self.greet(cast(ssl.SSLSocket, sock), name)
        return context

    def swap_ca(self) -> None:
        """Replace the CA and close every connection made under the old one."""
        self.certificates.swap_ca()
        self.close_connections()

    @contextmanager
    def tracking(self, connection: socket.socket) -> Iterator[None]:
        """Know a connection while it is open."""
        with self._guard:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._guard:
                self._connections.discard(connection)

    def close_connections(self, keep: socket.socket | None = None) -> None:
        """Cut what is open; clients have to greet again."""
        with self._guard:
            for connection in self._connections - {keep}:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def _may_add(self, name: str) -> bool:
        server_host = urlsplit(self.context.server_url()).hostname
        return not server_host or name == server_host

    def _listen(self, server: ThreadingHTTPServer) -> None:
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], stand_in: StandIn, handler: type[BaseHTTPRequestHandler]
    ) -> None:
        self.stand_in = stand_in
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Clients that go away or refuse the certificate are no news."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log(f"unexpected: {error!r}")


class _TlsServer(_Server):
    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        super().__init__(address, stand_in, _ApiHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        """Greet in the connection's own thread, so that a silent client holds up nobody."""
        plain = cast(socket.socket, request)
        plain.settimeout(_HANDSHAKE_SECONDS)
        with self.stand_in.tls_context().wrap_socket(plain, server_side=True) as secured:
            secured.settimeout(_IDLE_SECONDS)
            with self.stand_in.tracking(secured):
                super().finish_request(secured, client_address)  # type: ignore[arg-type]


class _PlainServer(_Server):
    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        super().__init__(address, stand_in, _RedirectHandler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

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


class _RedirectHandler(_Handler):
    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "localhost").rsplit(":", 1)[0]
        self.send(Answer(302, headers={"Location": f"https://{host}{self.path}"}))


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

    def _answer(self, stand_in: StandIn, request: Request) -> Answer:
        """The answer, or what a fault makes of it; NONE closes the connection without one."""
        faults = stand_in.faults
        if faults.take("swap_ca") and faults.swap_ca == 0:
            stand_in.swap_ca()
            return answers.NONE
        if faults.take("drop"):
            return answers.NONE
        if faults.take("not_found"):
            return answers.no_such_path()
        if faults.take("errors"):
            return answers.text("service unavailable\n", 503)
        answer = stand_in.api.answer(request)
        if faults.take("errors_after"):
            return answers.text("service unavailable\n", 503)
        return answer


def _change_faults(faults: Faults, request: Request) -> Answer:
    if request.method == "POST":
        try:
            faults.change(request.body())
        except ValueError as problem:
            return answers.error(422, "InvalidBodyContent", str(problem))
    return Answer(200, json.dumps(faults.as_json()).encode())


def _own_addresses() -> tuple[str, ...]:
    """The address that this host's name stands for, which in a container is the container's."""
    try:
        return (socket.gethostbyname(socket.gethostname()),)
    except OSError:
        return ()


def log(text: str) -> None:
    """One line on standard output, as `docker logs` shows it."""
    print(f"{time.strftime('%Y/%m/%d %H:%M:%S')} [INFO] {text}", flush=True)
