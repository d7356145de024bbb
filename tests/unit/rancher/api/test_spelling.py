"""What makes no difference between two addresses, and between two texts of a CA."""

import pytest

from components.rancher.api.addresses import is_same_address, normal_address
from components.rancher.api.ca import is_same_ca

ONE = "-----BEGIN CERTIFICATE-----\nb25lIGNlcnRpZmljYXRl\n-----END CERTIFICATE-----\n"
TWO = "-----BEGIN CERTIFICATE-----\nYW5vdGhlciBvbmU=\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "other",
    [
        "https://Rancher.Example.com",
        "HTTPS://rancher.example.com:443",
        "https://rancher.example.com/",
        "https://rancher.example.com\r\n",
        " https://rancher.example.com:443/ ",
    ],
)
def test_an_address_may_be_written_in_several_ways(other: str) -> None:
    assert is_same_address("https://rancher.example.com", other)


@pytest.mark.parametrize(
    "other",
    [
        "https://rancher.example.com:8443",
        "http://rancher.example.com",
        "https://rancher.example.org",
        "https://rancher.example.com/rancher",
        "rancher.example.com",
        "https://rancher.example.com:port",
        "",
        None,
    ],
)
def test_another_address_is_another(other: str | None) -> None:
    assert not is_same_address("https://rancher.example.com", other)


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert normal_address("https://[2001:DB8::1]:443/") == "https://[2001:db8::1]"


@pytest.mark.parametrize(
    "other", [ONE + TWO, TWO + ONE, (ONE + TWO).replace("\n", "\r\n"), f"# the CA\n{TWO}\n{ONE}"]
)
def test_a_ca_is_the_same_by_its_certificates(other: str) -> None:
    assert is_same_ca(ONE + TWO, other)


@pytest.mark.parametrize("other", [ONE, TWO, "", "no certificate"])
def test_another_ca_is_another(other: str) -> None:
    assert not is_same_ca(ONE + TWO, other)
    assert is_same_ca("", "\n")
