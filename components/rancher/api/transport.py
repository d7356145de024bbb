"""The way to Rancher: TLS verified against a pinned CA, patient with a server that starts.

Owns the connection, the retries and the deadline. Refuses to talk to a server that the CA did
not sign for; there is no switch for that. Knows nothing of what the calls mean.
"""

import contextlib
import json
import logging
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from components.common.waiting import wait_until
from components.rancher.api.errors import UnexpectedAnswerError
from components.rancher.api.trouble import (
    Trouble,
    certificate_error,
    is_name_mismatch,
    mismatch,
    not_ready,
    trouble,
)
from configuration.addresses import ip_address

Say = Callable[[str], None]

_CALL_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_IMPORT_PATH = re.compile(r"/v3/import/[^\s\"']+")


class _HideImportPath(logging.Filter):
    """httpx logs each request's URL, and the URL of an import manifest holds its token."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _IMPORT_PATH.sub("/v3/import/…", record.getMessage())
        record.args = ()
        return True


logging.getLogger("httpx").addFilter(_HideImportPath())


@dataclass(frozen=True)
class Answer:
    """An answer that Rancher meant: its status and body. The body can hold secrets."""

    status: int
    body: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def code(self) -> str:
        """The error code in the body, such as `NotUnique`; empty if there is none."""
        return str(self.body.get("code", ""))

    @property
    def message(self) -> str:
        """The error message in the body; empty if there is none."""
        return str(self.body.get("message", ""))

    @property
    def wants_https(self) -> bool:
        """Whether Rancher took the request for one that came without TLS.

        Source: dynamiclistener 0.4.0, redirect.go.
        """
        is_redirect = self.status == 302 and self.headers.get("location", "").startswith("https:")
        return is_redirect or (self.status == 400 and self.text.strip() == "Use HTTPS")

    @property
    def is_missing_route(self) -> bool:
        """Whether the router knows no such path, rather than the API no such resource."""
        return self.status == 404 and not self.body


class Transport:
    """One conversation with the Rancher at `url`.

    Args:
        url: Address as this program reaches it, https only.
        ca_pem: The CA that must have signed the server's certificate; empty means the CAs that
            the operating system trusts.
        is_own: Whether it is the stack's own Rancher, for what a message says to do.
        retry_seconds: How long one call keeps trying when the server fails to answer.
        say: Receives progress, a line at a time.
    """

    def __init__(
        self,
        url: str,
        ca_pem: str,
        *,
        is_own: bool = True,
        retry_seconds: float = 120.0,
        say: Say = lambda _: None,
    ) -> None:
        if urlsplit(url).scheme != "https":
            raise ValueError(f"Rancher's address {url!r} must begin with https://")
        self.url = url.rstrip("/")
        self.retry_seconds = retry_seconds
        self.say = say
        self._is_own = is_own
        self._is_pinned = bool(ca_pem.strip())
        self._tls = ssl.create_default_context(cadata=ca_pem if self._is_pinned else None)
        # From Python 3.13 on; it refuses CAs that Rancher's agents and every browser take.
        self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._client = self._connect()

    def __repr__(self) -> str:
        return f"Transport({self.url!r})"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        body: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        missing_route_is_answer: bool = False,
        retry_seconds: float | None = None,
    ) -> Answer:
        """Send one request, again and again while the server fails to answer it.

        Retried: no connection, a broken one, 429, 5xx and, unless it is an answer, the router's
        404 of a server that has not finished starting. So a request may be carried out twice.

        Args:
            what: The request in the reader's words; the path may hold a token and is not shown.

        Raises CertificateMismatchError at once, NotReadyError when the deadline passes.
        """
        seconds = self.retry_seconds if retry_seconds is None else retry_seconds
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        last = Trouble("not tried", "unreachable")
        answers: list[Answer] = []

        def missing() -> list[str]:
            nonlocal last
            got = self.attempt(
                method, path, body, sent, missing_route_is_answer=missing_route_is_answer
            )
            if isinstance(got, Trouble):
                last = got
                return [got.text]
            answers.append(got)
            return []

        try:
            wait_until(f"Rancher at {self.url}", missing, timeout_seconds=seconds, say=self.say)
        except TimeoutError:
            failed = f"Rancher at {self.url} did not answer within {seconds:.0f} s ({what})"
            raise not_ready(failed, last, self.url) from None
        return answers[0]

    def attempt(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        missing_route_is_answer: bool = False,
    ) -> Answer | Trouble:
        """Send one request once; Trouble when the server failed to answer it.

        Raises CertificateMismatchError, and UnexpectedAnswerError for a proxy that hides TLS.
        """
        try:
            response = self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            refused = certificate_error(error)
            if refused is None:
                return trouble(error)
            if not self._is_pinned or not is_name_mismatch(refused):
                raise mismatch(
                    refused, self.url, is_pinned=self._is_pinned, is_own=self._is_own
                ) from None
            self._announce_address()
            return Trouble("its certificate does not name this address yet", "name")
        if response.status_code == 429:
            return Trouble("429 Too Many Requests", "busy")
        if response.status_code >= 500:
            return Trouble(_failed(response.status_code), "server-error")
        got = Answer(response.status_code, _json(response), response.text, response.headers)
        if got.wants_https:
            raise UnexpectedAnswerError(
                f"Rancher at {self.url} takes requests for plain HTTP ones, so the proxy in front "
                "of it does not say that TLS ended there. Have it send X-Forwarded-Proto: https "
                "(docs/runbooks/put-a-proxy-in-front-of-rancher.md).",
                got.status,
            )
        if got.is_missing_route and not missing_route_is_answer:
            return Trouble("404 page not found, so it is still starting", "starting")
        return got

    def _announce_address(self) -> None:
        """Have Rancher put the IP address that it is reached at into its certificate.

        Rancher's certificate names `localhost` and its container's address; while server-url is
        not set, any other IP address only after a request that had it as its Host
        (dynamiclistener, listener.go), and a host name by the greeting alone. So one request
        without a secret goes out with the certificate verified for `localhost`, against the same
        pinned CA.
        """
        if ip_address(urlsplit(self.url).hostname or "") is None:
            return
        # On a connection of its own, so that nothing else ever travels on it.
        with self._connect() as client, contextlib.suppress(httpx.TransportError):
            client.get("/ping", extensions={"sni_hostname": "localhost"})

    def _connect(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            verify=self._tls,
            timeout=httpx.Timeout(_CALL_SECONDS, connect=_CONNECT_SECONDS),
            # A proxy meant for the internet has no business between here and the console.
            trust_env=False,
        )


def _failed(status: int) -> str:
    is_proxy = status in (502, 504)
    return f"HTTP {status}{', as of a proxy that does not reach Rancher' if is_proxy else ''}"


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        read: object = json.loads(response.text)
    except ValueError:
        return {}
    return cast(dict[str, Any], read) if isinstance(read, dict) else {}
