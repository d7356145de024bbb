"""Rancher behind a proxy that ends TLS: what callers trust, and what is said when it is wrong."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.rancher.api.client import RancherClient
from components.rancher.api.errors import (
    CertificateMismatchError,
    NotReadyError,
    UnexpectedAnswerError,
)
from lab.rancher.stand_in.server import StandIn
from lab.rancher.tls_proxy import tls_proxy
from tests.unit.doubles.a_rancher import BOOTSTRAP, running, unused_port, url_of
from tests.unit.doubles.certificates import issue

pytestmark = pytest.mark.usefixtures("impatient")

_HERE = ("127.0.0.1", 0)
_AUTHORITY = issue("a CA of one's own")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the proxy and Rancher are given, each its own."""
    issued = issue("proxy", "127.0.0.1", by=_AUTHORITY)
    (tmp_path / "cert.pem").write_text(issued.pem)
    (tmp_path / "key.pem").write_text(issued.key_pem())
    (tmp_path / "rancher").mkdir()
    (tmp_path / "rancher" / "cacerts.pem").write_text(_AUTHORITY.pem)
    return tmp_path


@pytest.fixture
def stand_in(files: Path) -> Iterator[StandIn]:
    with running(files / "data", certificate_directory=files / "rancher") as one:
        yield one


def _asking(port: int, ca_pem: str = _AUTHORITY.pem) -> RancherClient:
    return RancherClient(f"https://127.0.0.1:{port}", ca_pem, retry_seconds=0.2)


def test_the_proxy_s_ca_is_trusted_and_proved_by_rancher(stand_in: StandIn, files: Path) -> None:
    with (
        tls_proxy(_HERE, ("127.0.0.1", stand_in.http_port), files) as port,
        _asking(port) as rancher,
    ):
        rancher.wait_until_ready(5.0)
        served = rancher.prove_ca(_AUTHORITY.pem, _token(rancher))
        assert served.strip() == _AUTHORITY.pem.strip()


@pytest.fixture
def trusted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the CA without being told."""
    usual = ssl.create_default_context
    monkeypatch.setattr(
        ssl,
        "create_default_context",
        lambda cadata=None: usual(cadata=cadata or _AUTHORITY.pem),
    )


def _token(rancher: RancherClient) -> str:
    rancher.accounts.login(BOOTSTRAP)
    rancher.set_server_url(rancher.url)
    cluster = rancher.clusters.find_or_create("storage", "owner")
    return rancher.clusters.registration_token(cluster.id, 5.0).value


@pytest.mark.usefixtures("trusted_here")
def test_a_private_ca_that_this_machine_trusts_need_not_be_given(
    stand_in: StandIn, files: Path
) -> None:
    backend = ("127.0.0.1", stand_in.http_port)
    with tls_proxy(_HERE, backend, files) as port, _asking(port, "") as rancher:
        served = rancher.prove_ca("", _token(rancher))
        assert served.strip() == _AUTHORITY.pem.strip()
        with pytest.raises(CertificateMismatchError, match="does not prove"):
            rancher.prove_ca("", "another token")


def test_a_file_with_more_roots_than_rancher_s_is_taken_and_one_without_it_is_not(
    stand_in: StandIn, files: Path
) -> None:
    other = issue("another root").pem
    backend = ("127.0.0.1", stand_in.http_port)
    with tls_proxy(_HERE, backend, files) as port, _asking(port) as rancher:
        token = _token(rancher)
        served = rancher.prove_ca(f"{other}{_AUTHORITY.pem}", token)
        assert served.strip() == _AUTHORITY.pem.strip()
        with pytest.raises(CertificateMismatchError, match="does not prove"):
            rancher.prove_ca(other, token)


@pytest.mark.parametrize("ca_pem", ["", issue("another root").pem])
def test_of_a_rancher_of_others_the_key_for_its_ca_is_named(
    stand_in: StandIn, files: Path, ca_pem: str
) -> None:
    backend = ("127.0.0.1", stand_in.http_port)
    with (
        tls_proxy(_HERE, backend, files) as port,
        RancherClient(f"https://127.0.0.1:{port}", ca_pem, is_own=False) as rancher,
        pytest.raises(CertificateMismatchError, match=r"rancherImport\.caFile") as caught,
    ):
        rancher.version()
    assert "docker exec" not in str(caught.value)
    assert "tlsTermination" not in str(caught.value)


@pytest.mark.parametrize(("is_own", "who"), [(True, "certificateFile"), (False, "those who run")])
def test_a_certificate_that_has_expired_is_called_that(
    stand_in: StandIn, files: Path, is_own: bool, who: str
) -> None:
    issued = issue("proxy", "127.0.0.1", by=_AUTHORITY, days=(-9.0, -1.0))
    (files / "cert.pem").write_text(issued.pem)
    (files / "key.pem").write_text(issued.key_pem())
    backend = ("127.0.0.1", stand_in.http_port)
    with (
        tls_proxy(_HERE, backend, files) as port,
        RancherClient(f"https://127.0.0.1:{port}", _AUTHORITY.pem, is_own=is_own) as rancher,
        pytest.raises(CertificateMismatchError, match=f"has expired.*{who}") as caught,
    ):
        rancher.version()
    assert "not signed by" not in str(caught.value)


def test_a_ca_without_what_later_pythons_want_of_one_is_taken(
    stand_in: StandIn, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ssl.create_default_context

    def as_from_python_3_13(**options: Any) -> ssl.SSLContext:
        made = usual(**options)
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    monkeypatch.setattr(ssl, "create_default_context", as_from_python_3_13)
    backend = ("127.0.0.1", stand_in.http_port)
    with tls_proxy(_HERE, backend, files) as port, _asking(port) as rancher:
        rancher.wait_until_ready(5.0)


def test_a_proxy_that_hides_tls_is_told_what_to_send(stand_in: StandIn, files: Path) -> None:
    backend = ("127.0.0.1", stand_in.http_port)
    with tls_proxy(_HERE, backend, files, says_https=False) as port, _asking(port) as rancher:
        rancher.wait_until_ready(5.0)
        with pytest.raises(UnexpectedAnswerError, match="X-Forwarded-Proto: https"):
            rancher.version()
        with pytest.raises(UnexpectedAnswerError, match="X-Forwarded-Proto: https"):
            rancher.accounts.login(BOOTSTRAP)


def test_a_proxy_that_nobody_told_of_is_named_with_the_key_for_it(
    stand_in: StandIn, files: Path
) -> None:
    backend = ("127.0.0.1", stand_in.http_port)
    with (
        tls_proxy(_HERE, backend, files) as port,
        _asking(port, issue("Rancher's own").pem) as rancher,
        pytest.raises(CertificateMismatchError, match=r"tlsTermination: external") as caught,
    ):
        rancher.version()
    assert "a CA of one's own" in str(caught.value)


def test_a_proxy_without_rancher_behind_it_is_waited_for(files: Path) -> None:
    backend = ("127.0.0.1", unused_port())
    with (
        tls_proxy(_HERE, backend, files) as port,
        _asking(port) as rancher,
        pytest.raises(NotReadyError, match="the connection broke"),
    ):
        rancher.version()


def test_rancher_s_own_certificate_is_not_the_proxy_s(stand_in: StandIn) -> None:
    with (
        RancherClient(url_of(stand_in), _AUTHORITY.pem, retry_seconds=0.2) as rancher,
        pytest.raises(CertificateMismatchError),
    ):
        rancher.version()
