"""Why a request brought no answer: told apart from the HTTP library's errors. Pure."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from components.rancher.api.errors import NotReadyError, NotReadyReason
from components.rancher.api.presented import presented_at

_NAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


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
