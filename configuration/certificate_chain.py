"""Certificate, chain, key and CA compared with each other and with Rancher's address. Pure.

Go's TLS, which Rancher and its agents use, looks at the names alone (never at the common name), and
a server sends the file as it is: the certificate itself first, then each one's issuer.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from configuration.addresses import ip_address

_BROKEN_HASHES = ("md5", "sha1")
_SHORTEST_RSA = 2048
Part = Literal["certificateFile", "caFile", "key"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with one part."""

    part: Part
    rule: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a person gave; None for a part that is absent or can't be read."""

    host: str | None
    """Host of rancher.url."""
    chain_pem: str | None
    ca_pem: str | None
    key_pem: str | None
    now: datetime
    """With its time zone."""


def findings(given: Given) -> Iterator[Finding]:
    """Everything that would keep Rancher from serving, or its callers from trusting it."""
    chain = yield from _read("certificateFile", given.chain_pem)
    authorities = yield from _read("caFile", given.ca_pem)
    if chain:
        if given.host is not None:
            yield from _names(given.host, chain)
        yield from _order(chain)
        yield from _key(given.key_pem, chain)
        yield from _purpose(chain[0])
        yield from _issuers("certificateFile", chain[1:])
        yield from _strength("certificateFile", chain)
    yield from _dates("certificateFile", chain, given.now)
    yield from _dates("caFile", authorities, given.now)
    yield from _issuers("caFile", [each for each in authorities if each not in chain])
    if chain and authorities and not _reaches(chain, authorities):
        yield Finding(
            "caFile",
            f"did not issue the certificate: {_name(chain[-1].subject)} is issued by "
            f"{_name(chain[-1].issuer)}, and the file holds "
            f"{', '.join(_name(each.subject) for each in authorities)}",
            "Give the CA of that name, or put the certificates between the two into "
            "rancher.certificateFile.",
        )


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and IP addresses that a certificate is made out for.

    An address that stands among the host names is good for nothing, and left out.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = found.get_values_for_type(x509.IPAddress)
    hosts = (name for name in found.get_values_for_type(x509.DNSName) if ip_address(name) is None)
    return (*hosts, *(str(address) for address in addresses))


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host; a wildcard is, for its first label.

    Args:
        name: One of `names_of`.
        host: A host name, or an address, which only an address in the certificate is good for.
    """
    if address := ip_address(host):
        return address == ip_address(name)
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and bool(name[2:])
    return name == host


def _read(part: Part, pem: str | None) -> Generator[Finding, None, list[x509.Certificate]]:
    """The certificates of a file, in its order."""
    if pem is None:
        return []
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        yield Finding(
            part,
            f"holds a certificate that can't be read ({error})",
            "See what is in it: openssl x509 -noout -text -in FILE.",
        )
        return []


def _names(host: str, chain: Sequence[x509.Certificate]) -> Iterator[Finding]:
    if any(covers(name, host) for name in names_of(chain[0])):
        return
    for number, other in enumerate(chain[1:], 2):
        if any(covers(name, host) for name in names_of(other)):
            yield Finding(
                "certificateFile",
                f"has the certificate for {host} in place {number}, behind another one",
                "Put it first, and behind each certificate the one that issued it.",
            )
            return
    names = ", ".join(names_of(chain[0])) or "no host (a common name does not count)"
    yield Finding(
        "certificateFile",
        f"is made out for {names}, and rancher.url has the host {host}",
        "Give a certificate whose alternative names have that host, or change rancher.url.",
    )


def _order(chain: Sequence[x509.Certificate]) -> Iterator[Finding]:
    for number, (each, issuer) in enumerate(pairwise(chain), 1):
        if not _is_issued_by(each, issuer):
            yield Finding(
                "certificateFile",
                f"has certificate {number} ({_name(each.subject)}, issued by "
                f"{_name(each.issuer)}) in front of one that did not issue it "
                f"({_name(issuer.subject)})",
                "Put the certificate first, and behind each one the one that issued it.",
            )
            return


def _key(pem: str | None, chain: Sequence[x509.Certificate]) -> Iterator[Finding]:
    if pem is None:
        return
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        yield Finding(
            "key",
            "is encrypted with a passphrase, which Rancher has no place for",
            "Decrypt it: openssl pkey -in key.pem, and set what that prints.",
        )
        return
    except (ValueError, UnsupportedAlgorithm):
        yield Finding(
            "key", "is no private key in PEM form that can be read", "Set the key's whole file."
        )
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        yield Finding(
            "key",
            f"is not the key of the certificate in rancher.certificateFile "
            f"({_name(chain[0].subject)})",
            "Set the key that the certificate was requested with.",
        )


def _purpose(certificate: x509.Certificate) -> Iterator[Finding]:
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*uses}:
        yield Finding(
            "certificateFile",
            f"has {_name(certificate.subject)}, which was not issued for a server (its extended "
            "key usage has no serverAuth)",
            "Request one for a web server.",
        )


def _issuers(part: Part, found: Sequence[x509.Certificate]) -> Iterator[Finding]:
    for each in found:
        try:
            basic = each.extensions.get_extension_for_class(x509.BasicConstraints).value
        except x509.ExtensionNotFound:
            # One of version 1 says nothing about itself, and counts as a CA where it is trusted.
            continue
        if not basic.ca:
            yield Finding(
                part,
                f"holds {_name(each.subject)}, which is no CA (its basic constraints say CA:FALSE)",
                "Give the certificate of the CA that issued Rancher's.",
            )


def _strength(part: Part, chain: Sequence[x509.Certificate]) -> Iterator[Finding]:
    """What Go and OpenSSL no longer take, whoever signed it; a root's own signature is not read."""
    for each in chain:
        hashed = each.signature_hash_algorithm
        is_root = each.issuer == each.subject and each is not chain[0]
        if hashed is not None and hashed.name in _BROKEN_HASHES and not is_root:
            yield Finding(
                part,
                f"has {_name(each.subject)}, which is signed with {hashed.name.upper()}",
                "Have it issued again with SHA-256.",
            )
        key = each.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
            yield Finding(
                part,
                f"has {_name(each.subject)}, whose RSA key of {key.key_size} bits is too short",
                f"Have it issued for a key of {_SHORTEST_RSA} bits or more.",
            )


def _dates(part: Part, found: Sequence[x509.Certificate], now: datetime) -> Iterator[Finding]:
    for each in found:
        end = each.not_valid_after_utc
        if end < now:
            yield Finding(
                part, f"holds {_name(each.subject)}, which expired on {end:%Y-%m-%d}", "Renew it."
            )
        elif each.not_valid_before_utc > now:
            yield Finding(
                part,
                f"holds {_name(each.subject)}, which is valid only from "
                f"{each.not_valid_before_utc:%Y-%m-%d} on",
                "Wait until then, or set this machine's clock right.",
            )


def _reaches(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> bool:
    """Whether one of the CAs is in the chain or issued the last that is in it."""
    return any(
        authority in chain or _is_issued_by(chain[-1], authority) for authority in authorities
    )


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):
        return False
    except (TypeError, UnsupportedAlgorithm):
        # A signature of a kind that can't be computed here; the names agree.
        return True
    return True


def _name(name: x509.Name) -> str:
    return name.rfc4514_string() or "one without a name"
