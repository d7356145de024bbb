"""Why a request brought no answer: told apart from the HTTP library's errors. Pure."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from components.rancher.api.errors import (
    CertificateMismatchError,
    NotReadyError,
    NotReadyReason,
)
from components.rancher.api.presented import presented_at

_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_RENEWED = (
    "Renew the one in rancher.certificateFile, or the one of the proxy in front of Rancher; for "
    "one that Rancher made itself, see `docker logs` on its host."
)
_OWN_MISMATCH = (
    "If Rancher's data volume was lost it has a new CA: read the CA again on the Rancher host "
    "(docker exec CONTAINER kubectl get settings.management.cattle.io cacerts -o "
    "jsonpath={.value}). If the issuer is not Rancher's, a proxy answers here: say so with "
    "rancher.tlsTermination: external, or let it pass TLS through to Rancher "
    "(docs/runbooks/put-a-proxy-in-front-of-rancher.md)."
)
_FOREIGN_MISMATCH = (
    "If a private CA signed it, ask those who run that Rancher for it, and give it, as PEM, in "
    "rancherImport.caFile (ca_pem of a RancherImport)."
)


@dataclass(frozen=True)
class Trouble:
    """Why one attempt brought no answer, for people and for decisions."""

    text: str
    reason: NotReadyReason


def is_name_mismatch(refused: ssl.SSLCertVerificationError) -> bool:
    """Whether the certificate is trusted, but made out for other names."""
    return refused.verify_code in _NAME_MISMATCH


def certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate behind an error of the HTTP library, if that is what it was."""
    refused = (each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError))
    return next(refused, None)


def trouble(error: httpx.TransportError) -> Trouble:
    """What was wrong with the connection."""
    for each in _causes(error):
        if isinstance(each, ssl.SSLError):
            return Trouble(f"TLS failed ({each.reason or each})", "tls")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Trouble(f"no connection ({error or 'timed out'})", "unreachable")
    return Trouble(f"the connection broke ({type(error).__name__})", "server-error")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def not_ready(what: str, last: Trouble, url: str) -> NotReadyError:
    """The error for a deadline that passed, with what was wrong last and what to do about it."""
    seen = presented_at(url) if last.reason == "name" else None
    text = f"{last.text} ({seen})" if seen else last.text
    return NotReadyError(f"{what}: {text}. {remedy(last.reason)}", last.reason)


def remedy(reason: NotReadyReason) -> str:
    """What a person does about it."""
    if reason == "name":
        return (
            "Its CA is the pinned one. Rancher's own certificate takes the host of its setting "
            "server-url alone: see that the address is that one. A certificate of your own, or "
            "of a proxy that ends TLS, must name the host."
        )
    if reason == "unreachable":
        return "Check that the container runs (docker ps) and that the port is open from here."
    if reason == "busy":
        return "Wait a little and run it again."
    return "See what it is doing with `docker logs` on the Rancher host, then run it again."


def mismatch(
    refused: ssl.SSLCertVerificationError, url: str, *, is_pinned: bool, is_own: bool
) -> CertificateMismatchError:
    """The error for a certificate that is not trusted, with what to do about it.

    Args:
        refused: What was wrong with it.
        url: Rancher's address.
        is_pinned: Whether a CA was given, rather than those of this machine.
        is_own: Whether the Rancher is the stack's own.
    """
    seen = presented_at(url)
    found = f"({refused.verify_message}{f'; {seen}' if seen else ''}). Nothing was sent."
    if refused.verify_code == _EXPIRED:
        return CertificateMismatchError(
            f"Rancher at {url}: its certificate, or one that signed it, has expired {found} "
            f"{_RENEWED if is_own else 'Have those who run that Rancher renew it.'} If it has not "
            "expired, this machine's clock is wrong."
        )
    by = "the pinned CA" if is_pinned else "a CA that this machine trusts"
    return CertificateMismatchError(
        f"Rancher at {url}: its certificate is not signed by {by} {found} "
        f"{_OWN_MISMATCH if is_own else _FOREIGN_MISMATCH} Otherwise find out who answers at this "
        "address."
    )
