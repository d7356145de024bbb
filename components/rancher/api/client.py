"""Rancher's API, as much of it as it takes to register a cluster and take it out again."""

import contextlib
import secrets
from types import TracebackType
from typing import Self
from urllib.parse import quote

from components.rancher.api.accounts import Accounts, expected
from components.rancher.api.addresses import is_same_address, normal_address
from components.rancher.api.ca import cacerts_authorization, is_among, is_proof, is_same_ca
from components.rancher.api.clusters import Clusters
from components.rancher.api.errors import (
    CertificateMismatchError,
    ManifestMismatchError,
    NotReadyError,
    UnexpectedAnswerError,
)
from components.rancher.api.manifest_url import read_manifest_url
from components.rancher.api.readiness import wait_until_up
from components.rancher.api.transport import Answer, Say, Transport

_PROOF_SECONDS = 20.0


class RancherClient:
    """One conversation with a Rancher; use it in a `with`, which ends the session.

    Args:
        url, ca_pem, is_own, retry_seconds, say: see Transport.
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
        self._transport = Transport(
            url, ca_pem, is_own=is_own, retry_seconds=retry_seconds, say=say
        )
        self.accounts = Accounts(self._transport)
        self.clusters = Clusters(self._transport, self.accounts)

    @property
    def url(self) -> str:
        """Rancher's address as this program reaches it."""
        return self._transport.url

    def __repr__(self) -> str:
        return f"RancherClient({self._transport.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.accounts.logout()
        self._transport.close()

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Wait until Rancher answers /ping with pong, several times in a row.

        Raises NotReadyError at the deadline, CertificateMismatchError at once.
        """
        wait_until_up(
            lambda: self._transport.attempt("GET", "/ping"),
            url=self._transport.url,
            timeout_seconds=timeout_seconds,
            say=self._transport.say,
        )

    def version(self) -> str:
        """Rancher's version, such as v2.8.5; needs no login."""
        return str(self._open("/rancherversion", "reading its version").body.get("Version", ""))

    def is_first_login(self) -> bool:
        """Whether nobody has set a password yet; needs no login."""
        answer = self._open("/v3/settings/first-login", "reading first-login")
        return answer.body.get("value") == "true"

    def prove_ca(self, ca_pem: str, token: str) -> str:
        """Have the server prove that it knows the registration token and hands out a trusted CA.

        That is one of `ca_pem`, and any where this machine's own CAs signed the server's
        certificate: it came over that connection, and whoever proves it knows the token.

        Returns the CA as the server words it, which is what its agents compare byte by byte.
        Raises CertificateMismatchError when it can't.
        """
        nonce = secrets.token_urlsafe(24)
        proof = served = ""
        # Rancher 2.8 breaks the connection when it does not know the token.
        with contextlib.suppress(NotReadyError):
            answer = self._transport.call(
                "GET",
                "/cacerts",
                what="proving its CA",
                token=cacerts_authorization(token),
                headers={"X-Cattle-Nonce": nonce},
                retry_seconds=min(self._transport.retry_seconds, _PROOF_SECONDS),
            )
            proof, served = answer.headers.get("X-Cattle-Hash", ""), answer.text
        is_proven = is_proof(proof, token=token, nonce=nonce, pem=served)
        is_trusted = not ca_pem.strip() or is_same_ca(served, ca_pem) or is_among(served, ca_pem)
        if not is_proven or not is_trusted:
            raise CertificateMismatchError(
                f"Rancher at {self._transport.url} does not prove that it knows the registration "
                "token and that the pinned CA is the one its agents will be given. Read the CA "
                "again on the Rancher host, take the manifest's address from Rancher again, and "
                "compare."
            )
        return served

    def server_url(self) -> str:
        """The setting server-url: where agents look for Rancher; empty until it is set."""
        answer = self.accounts.call("GET", "/v3/settings/server-url", what="reading server-url")
        return str(expected(answer, "reading server-url", 200).get("value") or "")

    def set_server_url(self, url: str) -> None:
        """Set server-url unless it is that already."""
        if is_same_address(self.server_url(), url):
            return
        answer = self.accounts.call(
            "PUT",
            "/v3/settings/server-url",
            what="setting server-url",
            body={"name": "server-url", "value": normal_address(url)},
        )
        if answer.status == 405:
            raise UnexpectedAnswerError(
                f"Rancher at {self._transport.url} has server-url fixed by CATTLE_SERVER_URL on "
                f"its container, and not to {url}. Take that variable away or configure its value.",
                answer.status,
            )
        expected(answer, "setting server-url", 200)

    def import_manifest(self, cluster_id: str, token: str) -> str:
        """The text of the import manifest, secret because of its token. Not yet checked."""
        path = f"/v3/import/{quote(token, safe='')}_{quote(cluster_id, safe='')}.yaml"
        answer = self._open(path, "fetching the import manifest")
        if answer.status != 200:
            raise ManifestMismatchError(
                f"Rancher at {self._transport.url} has no import manifest for cluster {cluster_id} "
                f"with this token (HTTP {answer.status}): take a new address from Rancher."
            )
        return answer.text

    def _open(self, path: str, what: str) -> Answer:
        return self._transport.call("GET", path, what=what)


def fetch_manifest(manifest_url: str, ca_pem: str) -> tuple[str, str]:
    """The import manifest at an address that a person gave, and Rancher's CA as it words it.

    Needs no login.
    The server must prove that it knows the token in the address. Raises ValueError for an
    address that is none, CertificateMismatchError, NotReadyError.
    """
    parts = read_manifest_url(manifest_url)
    with RancherClient(parts.server_url, ca_pem, is_own=False) as rancher:
        served = rancher.prove_ca(ca_pem, parts.token)
        return rancher.import_manifest(parts.cluster_id, parts.token), served
