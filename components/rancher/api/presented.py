"""The certificate that answers at an address, looked at without trusting it or sending anything."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from configuration.certificate_chain import names_of

_SECONDS = 5.0


@dataclass(frozen=True)
class Presented:
    """What a certificate says of itself."""

    issuer: str
    """Who signed it, as RFC 4514 text."""
    names: tuple[str, ...]
    """Host names and addresses that it is made out for."""
    expires: datetime
    """Until when it is valid, in UTC."""

    def __str__(self) -> str:
        names = ", ".join(self.names) or "no host"
        return f"it is made out for {names} and issued by {self.issuer or 'nobody named'}"


def presented_at(url: str) -> Presented | None:
    """What answers at this https address; None when nothing does, or nothing that can be read."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 443)
    try:
        # Without CAs to compare with it verifies nothing.
        read = ssl.get_server_certificate(address, timeout=_SECONDS)
        return _described(x509.load_pem_x509_certificate(read.encode()))
    except (OSError, ValueError):
        return None


def _described(certificate: x509.Certificate) -> Presented:
    return Presented(
        certificate.issuer.rfc4514_string(),
        names_of(certificate),
        certificate.not_valid_after_utc,
    )
