"""What proves that a CA is Rancher's own. Pure: no network, no files."""

import base64
import hashlib
import hmac
import re
import ssl

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def ca_checksum(pem: str) -> str:
    """CATTLE_CA_CHECKSUM for this CA: sha256 over the PEM with exactly one newline at its end.

    Empty for an empty PEM (a certificate that a public CA signed). Source: Rancher 2.8.0,
    pkg/systemtemplate/import.go, CAChecksum.
    """
    served = _with_one_newline(pem)
    return hashlib.sha256(served).hexdigest() if served else ""


def _with_one_newline(pem: str) -> bytes:
    """The PEM as Rancher serves it; an empty one stays empty."""
    stripped = pem.strip()
    return f"{stripped}\n".encode() if stripped else b""


def is_same_ca(one: str, other: str) -> bool:
    """Whether both texts hold the same certificates.

    Order, line ends and text between the certificates make no difference. Texts without any
    certificate are compared as they are.
    """
    found, expected = _certificates(one), _certificates(other)
    return found == expected if found or expected else one.strip() == other.strip()


def is_among(one: str, others: str) -> bool:
    """Whether every certificate of the first text, and at least one, is in the second, too."""
    found = _certificates(one)
    return bool(found) and found <= _certificates(others)


def _certificates(pem: str) -> set[bytes]:
    """The certificates (DER) in this text; one that can't be decoded as it stands there."""
    found: set[bytes] = set()
    for text in _CERTIFICATE.findall(pem):
        try:
            found.add(ssl.PEM_cert_to_DER_cert(text))
        except ValueError:
            found.add("".join(text.split()).encode())
    return found


def cacerts_authorization(token: str) -> str:
    """The bearer that asks `/cacerts` for a proof: the token's hash, so never the token."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def cacerts_proof(token: str, nonce: str, pem: str) -> str:
    """The X-Cattle-Hash that only a server which knows the token can give for nonce and CA.

    Source: Rancher 2.8.0, pkg/cacerts/handler.go.
    """
    message = b"\0".join([nonce.encode(), _with_one_newline(pem), b""])
    return base64.b64encode(hmac.digest(token.encode(), message, "sha512")).decode()


def is_proof(given: str, *, token: str, nonce: str, pem: str) -> bool:
    """Whether the proof that came with a CA is right."""
    return hmac.compare_digest(given, cacerts_proof(token, nonce, pem))
