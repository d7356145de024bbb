"""A certificate of one's own fits Rancher's address, its key and its CA, or is refused at load."""

from datetime import UTC, datetime
from typing import Any

import pytest

from configuration.certificate_chain import Given, covers, findings
from tests.unit.doubles.certificates import Issued, issue

HOST = "rancher.example.com"
ROOT = issue("Example Root CA")
MIDDLE = issue("Example Issuing CA", by=ROOT)
LEAF = issue("rancher", HOST, "192.0.2.7", by=MIDDLE)
OTHER = issue("Another CA")


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
