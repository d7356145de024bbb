"""The stand-in on sockets: HTTPS, and HTTP that sends clients over to it."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

from . import state
from .api import Api
from .certificates import Certificates, is_address
from .connections import PlainServer, TlsServer
from .context import Context
from .faults import Faults
from .log import log
from .options import Options

# How often a server looks whether it is to stop.
_LOOK_SECONDS = 0.05


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
        self.certificates = Certificates(
            options.data_directory / "tls",
            _own_addresses(),
            options.certificate_directory,
            no_cacerts=options.no_cacerts,
        )
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
        self.api.tell_ca()
        generated = self.api.first_start()
        if generated is not None:
            log(f"Bootstrap Password: {generated}")
        host, https_port, http_port = self._addresses
        self._listen(TlsServer((host, https_port), self))
        if http_port is not None:
            self._listen(PlainServer((host, http_port), self))

    def stop(self) -> None:
        """Stop listening and close every connection; the state stays on disk."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self.close_connections()

    def greet(self, tls_socket: ssl.SSLSocket, name: str | None) -> None:
        """Serve with a certificate that has what the name asked for leads to."""
        if name:
            self._used(name, tls_socket)
        tls_socket.context = self.certificates.context

    def saw_host(self, host: str, own: socket.socket) -> None:
        """A client used this as Host: only an IP address counts."""
        name = host.rsplit(":", 1)[0].strip("[]")
        if is_address(name):
            self._used(name, own)

    def tls_context(self, connection: socket.socket) -> ssl.SSLContext:
        """The context for one new connection; the address it came in at counts as used."""
        self._used(str(connection.getsockname()[0]), connection)
        context = self.certificates.context
        context.sni_callback = lambda sock, name, _: self.greet(cast(ssl.SSLSocket, sock), name)
        return context

    def swap_ca(self) -> None:
        """Replace the CA and close every connection made under the old one."""
        self.certificates.swap_ca()
        self.api.tell_ca()
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

    def _used(self, name: str, own: socket.socket) -> None:
        """Renew the certificate for what a client used; other connections close, as in Rancher."""
        server_host = urlsplit(self.context.server_url()).hostname
        if self.certificates.add_name(server_host or name):
            self.close_connections(keep=own)

    def _listen(self, server: ThreadingHTTPServer) -> None:
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(_LOOK_SECONDS,), daemon=True).start()


def _own_addresses() -> tuple[str, ...]:
    """The address that this host's name stands for, which in a container is the container's."""
    try:
        return (socket.gethostbyname(socket.gethostname()),)
    except OSError:
        return ()
