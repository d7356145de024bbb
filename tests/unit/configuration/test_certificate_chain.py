"""A certificate of one's own fits Rancher's address, its key and its CA, or is refused at load."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from configuration.certificate_chain import Given, covers, findings
from tests.unit.doubles.certificates import Issued, issue

HOST = "rancher.example.com"
ROOT = issue("Example Root CA")
MIDDLE = issue("Example Issuing CA", by=ROOT)
LEAF = issue("rancher", HOST, "192.0.2.7", by=MIDDLE)
OTHER = issue("Another CA")
# openssl req -x509 -sha1; the library that reads it signs nothing so any more.
_SIGNED_WITH_SHA1 = """\
-----BEGIN CERTIFICATE-----
MIIBmDCCAT6gAwIBAgIUKbK8f6HMNiMceB+Hz4+dewxAojMwCQYHKoZIzj0EATAS
MRAwDgYDVQQDDAdyYW5jaGVyMB4XDTI2MTEyOTA1NTIyMVoXDTM2MTEyNjA1NTIy
MVowEjEQMA4GA1UEAwwHcmFuY2hlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BPpRGooRR8kqqBvZIiCzoAksxXqwzMMpGEHj9t6iUHmR3WkP+RBESPZFmnyubdeI
y2q61yz6xgTJtXQyBdKXHImjczBxMB0GA1UdDgQWBBT4LDY5WnIdPABHld1uussR
65utVDAfBgNVHSMEGDAWgBT4LDY5WnIdPABHld1uussR65utVDAPBgNVHRMBAf8E
BTADAQH/MB4GA1UdEQQXMBWCE3JhbmNoZXIuZXhhbXBsZS5jb20wCQYHKoZIzj0E
AQNJADBGAiEAqxc0R3yUSXhO0fvFR6XBP44lcxlqoVNPeKhHkWYudSkCIQCAg2hC
dTb4p+U1WeYac3NMAWS3i3WOhMwf0rvmgODiAw==
-----END CERTIFICATE-----
"""


def told(*chain: Issued, ca: Issued | None = ROOT, **changes: Any) -> dict[str, str]:
    """Findings by part, rule and remedy as one text."""
    given: dict[str, Any] = {
        "host": HOST,
        "chain_pem": "".join(each.pem for each in chain),
        "ca_pem": ca and ca.pem,
        "key_pem": chain[0].key_pem(),
        "now": datetime.now(UTC),
    }
    found = list(findings(Given(**(given | changes))))
    assert len({each.part for each in found}) == len(found), found
    return {each.part: f"{each.rule}. {each.remedy}" for each in found}


@pytest.mark.parametrize(
    "chain", [(LEAF, MIDDLE), (LEAF, MIDDLE, ROOT)], ids=["without the root", "with it"]
)
def test_what_fits_is_accepted(chain: tuple[Issued, ...]) -> None:
    assert told(*chain) == {}
    assert told(*chain, ca=MIDDLE) == {}
    assert told(*chain, ca=None) == {}
    assert told(*chain, host="192.0.2.7") == {}


def test_a_certificate_that_is_its_own_ca_is_accepted() -> None:
    own = issue(HOST, HOST)
    assert told(own, ca=own) == {}


@pytest.mark.parametrize(
    ("name", "host", "does"),
    [
        (HOST, "RANCHER.example.com", True),
        ("*.example.com", HOST, True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.com", HOST, False),
        ("2001:db8:0::1", "2001:db8::1", True),
        ("192.0.2.7", "192.0.2.8", False),
        (HOST, "192.0.2.7", False),
        ("*.0.2.7", "192.0.2.7", False),
        ("2001:db8::1", "example.com", False),
    ],
)
def test_a_name_covers_a_host_as_browsers_see_it(name: str, host: str, does: bool) -> None:
    assert covers(name, host) is does


def test_a_certificate_for_another_host_is_refused_with_both() -> None:
    said = told(issue("b", "b.example.com", by=ROOT))["certificateFile"]
    assert "made out for b.example.com, and rancher.url has the host rancher.example.com" in said


def test_a_common_name_alone_does_not_count() -> None:
    assert "a common name does not count" in told(issue(HOST, by=ROOT))["certificateFile"]


def test_a_chain_in_another_order_is_refused() -> None:
    found = list(
        findings(
            Given(
                host=HOST,
                chain_pem=MIDDLE.pem + LEAF.pem,
                ca_pem=None,
                key_pem=None,
                now=datetime.now(UTC),
            )
        )
    )
    assert "in place 2, behind another one" in found[0].rule
    said = told(LEAF, ROOT, MIDDLE)["certificateFile"]
    assert "certificate 1 (CN=rancher, issued by CN=Example Issuing CA)" in said


def test_another_key_is_refused_and_never_shown() -> None:
    said = told(LEAF, MIDDLE, key_pem=OTHER.key_pem())["key"]
    assert "is not the key of the certificate" in said
    assert "PRIVATE" not in said


def test_a_key_with_a_passphrase_is_refused() -> None:
    assert "openssl pkey" in told(LEAF, MIDDLE, key_pem=LEAF.key_pem("guard"))["key"]
    assert "no private key" in told(LEAF, MIDDLE, key_pem="hello")["key"]


@pytest.mark.parametrize(
    ("days", "said"), [((-9.0, -1.0), "which expired on"), ((1.0, 9.0), "valid only from")]
)
def test_a_certificate_out_of_its_time_is_refused(days: tuple[float, float], said: str) -> None:
    assert said in told(issue("rancher", HOST, by=ROOT, days=days))["certificateFile"]
    root = issue("Old CA", days=days)
    assert said in told(issue("rancher", HOST, by=root), ca=root)["caFile"]


def test_a_ca_that_did_not_issue_it_is_refused_with_both_names() -> None:
    said = told(LEAF, MIDDLE, ca=OTHER)["caFile"]
    assert "CN=Example Issuing CA is issued by CN=Example Root CA" in said
    assert "holds CN=Another CA" in said


def test_a_missing_link_is_told_as_one() -> None:
    assert "put the certificates between the two" in told(LEAF)["caFile"]


def test_a_ca_of_the_same_name_with_another_key_is_refused() -> None:
    assert "did not issue" in told(LEAF, MIDDLE, ca=issue("Example Root CA"))["caFile"]


def test_what_can_not_be_read_is_told_once() -> None:
    broken = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
    assert "can't be read" in told(LEAF, chain_pem=broken)["certificateFile"]


def test_an_address_among_the_host_names_is_good_for_no_address() -> None:
    as_name = x509.SubjectAlternativeName([x509.DNSName("192.0.2.7")])
    given = _signed(as_name)
    said = told(given, ca=None, host="192.0.2.7", key_pem=None)["certificateFile"]
    assert "rancher.url has the host 192.0.2.7" in said


def test_a_certificate_for_clients_is_refused() -> None:
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    said = told(issue("a", HOST, by=ROOT, uses=[client]))["certificateFile"]
    assert "has no serverAuth" in said
    assert told(issue("a", HOST, by=ROOT, uses=[client, server])) == {}
    anything = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
    assert told(issue("a", HOST, by=ROOT, uses=[anything])) == {}


def test_an_issuer_that_is_no_ca_is_refused_where_it_stands() -> None:
    server = issue("not a CA", "b.example.com", by=ROOT)
    leaf = issue("rancher", HOST, by=server)
    assert "CN=not a CA, which is no CA" in told(leaf, server)["certificateFile"]
    assert "CN=not a CA, which is no CA" in told(leaf, ca=server)["caFile"]


def test_a_key_that_is_too_short_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505  what is refused
    said = told(issue("rancher", HOST, by=ROOT, key=short))["certificateFile"]
    assert "RSA key of 1024 bits is too short" in said
    long = rsa.generate_private_key(65537, 2048)
    assert told(issue("rancher", HOST, by=ROOT, key=long)) == {}


def test_a_signature_that_nobody_takes_any_more_is_refused() -> None:
    old: dict[str, Any] = {"now": datetime(2027, 6, 1, tzinfo=UTC), "key_pem": None}
    said = told(ROOT, ca=None, chain_pem=_SIGNED_WITH_SHA1, **old)["certificateFile"]
    assert "CN=rancher, which is signed with SHA1" in said
    # Nobody reads the signature of a root on itself.
    given = Given(host=HOST, chain_pem=ROOT.pem + _SIGNED_WITH_SHA1, ca_pem=None, **old)
    assert not [found for found in findings(given) if "SHA1" in found.rule]


def _signed(names: x509.SubjectAlternativeName) -> Issued:
    """A certificate of its own issuer, for exactly these names."""
    key, subject = rsa.generate_private_key(65537, 2048), LEAF.certificate.subject
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 7)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=9))
        .add_extension(names, critical=False)
    )
    return Issued(builder.sign(key, hashes.SHA256()), key)
